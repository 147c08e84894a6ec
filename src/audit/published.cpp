#include "audit/published.h"

#include "audit/fact_csv.h"
#include "base/nearest.h"

namespace floptally {
namespace {

class RowReader {
 public:
  RowReader(FactCsv& table, std::size_t row, std::string source)
      : table_(table), row_(row), source_(std::move(source)) {}

  [[nodiscard]] std::string text(std::string_view column) const { return std::string(table_.text(row_, column)); }
  MaybeFact fact(std::string_view column, Dim dim, double scale = 1) {
    const std::optional<double> value = table_.number(row_, column);
    if (!value || !(*value > 0)) return std::nullopt;
    Fact result;
    result.amount.dim = dim;
    result.amount.best = *value * scale;
    result.amount.text = text(column);
    if (scale == 1) result.amount.exact = read_number(result.amount.text).exact;
    result.place = table_.place(row_, column);
    result.mark = Mark::catalogue;
    result.source = source_;
    return result;
  }

 private:
  FactCsv& table_;
  std::size_t row_;
  std::string source_;
};

Phase phase_of(RowReader& row, const std::string& kind, bool images) {
  Phase p;
  p.architecture = kind;
  p.parameters = row.fact("parameters", dim::kParameter);
  p.active = row.fact("active_parameters", dim::kParameter);
  p.tokens = row.fact("tokens", dim::kToken);
  p.passes = row.fact("passes", dim::kNone);
  if (!p.tokens && images) {  // the data set is counted in images
    p.examples = row.fact("dataset", dim::kSample);
    if (!p.passes) p.passes = row.fact("epochs", dim::kNone);
  }
  p.layers = row.fact("layers", dim::kNone);
  p.width = row.fact("hidden", dim::kNone);
  p.sequence = row.fact("seq", dim::kNone);
  p.vocabulary = row.fact("vocab", dim::kNone);
  return p;
}

AuditRun run_at(FactCsv& table, std::size_t i, const Catalogue& catalogue) {
  AuditRun run;
  RowReader row(table, i, std::string(table.text(i, "source")));
  run.name = row.text("name");
  run.title = row.text("title");
  run.organization = row.text("organization");
  run.source = row.text("source");
  run.note = row.text("note");
  run.fault = row.text("fault");
  run.date = Date::parse(table.text(i, "date")).value_or(Date{});
  run.domain = row.text("domain");
  run.architecture = row.text("kind");
  run.architecture_stated = true;
  run.confidence = row.text("confidence");
  run.checked = true;
  if (run.domain == "language" || run.domain == "multimodal") run.modalities = {"text"};
  if (run.domain == "image generation") run.modalities = {"text-to-image"};
  if (run.domain == "speech") run.modalities = {"speech"};
  if (run.domain == "video") run.modalities = {"text-to-video"};
  std::string_view aliases = table.text(i, "aliases");
  while (!aliases.empty()) {
    const std::size_t end = std::min(aliases.find(';'), aliases.size());
    run.aliases.emplace_back(aliases.substr(0, end));
    aliases.remove_prefix(std::min(end + 1, aliases.size()));
  }
  Phase phase = phase_of(row, run.architecture, run.domain == "vision");
  if (phase.parameters || phase.tokens) run.phases.push_back(std::move(phase));
  run.base = row.text("base");
  run.base_flop = row.fact("base_flop", dim::kFlop);
  run.published = row.fact("flop", dim::kFlop);
  run.published_from = row.text("flop_from");
  run.usd = row.fact("usd", dim::kUsd);
  Period period;
  if (const std::string device = row.text("device"); !device.empty()) {
    const std::vector<const Device*> found = catalogue.matches(device);
    if (!found.empty()) period.device = found.front();
  }
  period.devices = row.fact("devices", dim::kDevice);
  period.seconds = row.fact("hours", dim::kSecond, 3600);
  period.device_seconds = row.fact("device_hours", dim::kDeviceSecond, 3600);
  period.utilization = row.fact("utilization", dim::kNone);
  period.hardware_flop = row.text("utilization_from") == "reported-hfu";
  period.derived = row.text("utilization_from") == "derived";
  period.of_steps = period.utilization && !period.derived;
  period.joules = row.fact("energy_mwh", dim::kJoule, 3.6e9);
  if (const std::string format = row.text("format"); !format.empty()) period.format = arithmetic_named(format);
  if (period.device || period.devices || period.device_seconds) run.hardware.push_back(std::move(period));
  return run;
}

}  // namespace

Fact base_compute(double flop, Span place, std::string source) {
  constexpr double kTwoFigures = 1.05;  // 1.05 is the farthest from what rounds to it
  Fact result;
  result.amount.dim = dim::kFlop;
  result.amount.form = Amount::Form::best_with_range;
  result.amount.best = flop;
  result.amount.low = flop / kTwoFigures;
  result.amount.high = flop * kTwoFigures;
  result.place = place;
  result.mark = Mark::catalogue;
  result.source = std::move(source);
  return result;
}

Result<PublishedRuns> PublishedRuns::read(const Source& source, const Catalogue& catalogue) {
  Result<Csv> csv = Csv::read(source);
  if (!csv) return csv.take_problems();
  PublishedRuns out;
  out.csv_ = std::make_shared<const Csv>(std::move(*csv));
  out.catalogue_ = &catalogue;
  Diagnostics problems;
  FactCsv table(*out.csv_, problems);
  out.list_.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    out.list_.push_back({table.text(i, "name"), table.text(i, "title"), table.text(i, "aliases"),
                         table.text(i, "domain"), Date::parse(table.text(i, "date")).value_or(Date{}),
                         table.number(i, "flop")});
  }
  if (!problems.empty()) return problems;
  return out;
}

void PublishedRuns::read_all() const {
  std::call_once(all_->once, [&] {
    FactCsv table(*csv_, all_->problems);
    all_->runs.reserve(table.rows());
    for (std::size_t i = 0; i < table.rows(); ++i) all_->runs.push_back(run_at(table, i, *catalogue_));
  });
}

const std::vector<AuditRun>& PublishedRuns::runs() const {
  read_all();
  return all_->runs;
}

Diagnostics PublishedRuns::check() const {
  read_all();
  return all_->problems;
}

Result<AuditRun> PublishedRuns::find(std::string_view name) const {
  const std::string folded = folded_name(name);
  const auto is = [&](std::string_view known) { return folded_name(known) == folded; };
  const auto at = [&](std::size_t row) -> Result<AuditRun> {
    Diagnostics problems;
    FactCsv table(*csv_, problems);
    AuditRun run = run_at(table, row, *catalogue_);
    if (!problems.empty()) return problems;
    return run;
  };
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (is(list_[i].name) || is(list_[i].title)) return at(i);
  }
  for (std::size_t i = 0; i < list_.size(); ++i) {
    std::string_view aliases = list_[i].aliases;
    while (!aliases.empty()) {
      const std::size_t end = std::min(aliases.find(';'), aliases.size());
      if (is(aliases.substr(0, end))) return at(i);
      aliases.remove_prefix(std::min(end + 1, aliases.size()));
    }
  }
  std::vector<std::string_view> known;
  for (const Listed& run : list_) known.push_back(run.name);
  std::string help;
  for (const std::string_view near : nearest_few(name, known, 3))
    help += (help.empty() ? "" : ", ") + std::string(near);
  return error("unknown-run", "no published run called '" + std::string(name) + "', and no such file", {},
               "nearest names: " + help);
}

}  // namespace floptally
