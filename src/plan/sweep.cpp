#include "plan/line_sweep.h"

namespace floptally {

std::optional<SweepResult> LineSweep::run() {
  collect_fields();
  collect_axes();
  if (failed_) return std::nullopt;
  compile();
  if (failed_ || !plan_levels() || !choose_mode()) return std::nullopt;
  groups_.resize(static_cast<std::size_t>(by_axis_ >= 0 ? axes_[static_cast<std::size_t>(by_axis_)].size : 1));
  plan_steps();
  evaluate_level(0);
  if (!failed_) walk(0);
  if (failed_) return std::nullopt;
  return finish();
}

bool LineSweep::fail(Diagnostic problem) {
  names_.report(std::move(problem));
  failed_ = true;
  return false;
}

std::optional<SweepResult> sweep_line(const Plan& plan, const PlanLine& line, const std::string& line_name,
                                      const std::string& by, ModelCounter* counter, const PlanConvention& convention,
                                      LetNames& names, SweepCache& cache) {
  if (line.over.size() + line.zip.size() > 32) {
    names.report(error("grid-too-large", "a line has at most 32 axes", line.place));
    return std::nullopt;
  }
  return LineSweep(plan, line, line_name, by, counter, convention, names, cache).run();
}

}  // namespace floptally
