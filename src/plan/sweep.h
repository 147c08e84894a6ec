// One line of a plan, summed over its axes.
//
// Always holds: runs that differ are counted one by one only where they must be: axes that the cost is linear in
// (steps, batch, tokens) and factors are multiplied, so a 10^9 x 10^9 grid is answered at once or refused
// (grid-too-large), never enumerated. Counts stay exact integers; uncertain tokens or counts stay traced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/model_count.h"
#include "plan/names.h"

namespace floptally {

// The sum over those runs of a line that share a value of the axis asked for with --by (all runs, where none is).
struct SweepGroup {
  std::string label;          // "1024"; empty where the line lacks that axis
  double order = 0;           // for sorting numbers
  Traced runs, flop, tokens;  // before the line's factors
};
struct SweepResult {
  std::vector<SweepGroup> groups;
  double least_parameters = 0, most_parameters = 0;
  bool has_tokens = false;
  bool of_samples = false;  // `tokens` are images or other samples, which the model reads
};

// Shared by the lines of a plan: cached names, so that equal runs are one step of the explanation.
class SweepCache {
 public:
  std::unordered_map<std::string, Traced> steps;
  std::unordered_map<std::string, int> uses;  // of a label
};

// `by`: an axis to split by, or empty. Nothing after a problem (all are reported through `names`).
std::optional<SweepResult> sweep_line(const Plan& plan, const PlanLine& line, const std::string& line_name,
                                      const std::string& by, ModelCounter* counter, const PlanConvention& convention,
                                      LetNames& names, SweepCache& cache);

}  // namespace floptally
