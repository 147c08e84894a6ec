#include "estimate/memory_range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "training/table.h"

namespace floptally {
namespace {

constexpr double kNarrowest = 1e-3, kWidest = 1.2;     // half a range in logarithms
constexpr std::string_view kUnseen = "unseen source";  // the factor of runs that no measured source holds

double number_in(std::string_view cell) {
  double value = 0;
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value;
}

// The name of the band of `value`: N limits part N + 1 bands.
template <std::size_t N>
const char* band(double value, const double (&limits)[N], const char* const (&names)[N + 1]) {
  std::size_t i = 0;
  while (i < N && value >= limits[i]) ++i;
  return names[i];
}

std::string parallel_of(const Layout& l) {
  std::string split;
  const auto add = [&](bool used, const char* name) {
    if (used) split += split.empty() ? name : std::string("+") + name;
  };
  add(l.tensor > 1, "tensor");
  add(l.pipeline > 1, "pipeline");
  add(l.context > 1, "context");
  add(l.expert > 1, "expert");
  add(l.zero == Zero::weights, "sharded weights");
  return split;
}

struct RangeRow {
  std::string what, source, framework, measure, kind;
  double value = 0;
  double from = 0, to = 0;  // predicted bytes of its rows
};

std::vector<RangeRow> read_ranges() {
  std::vector<RangeRow> out;
  const FactTable table("evidence/spread.csv");
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto text = [&](std::string_view column) { return std::string(table.cell(i, column)); };
    out.push_back({text("what"), text("src"), text("framework"), text("measure"), text("kind"),
                   number_in(table.cell(i, "value")), number_in(table.cell(i, "from")),
                   number_in(table.cell(i, "to"))});
  }
  return out;
}
const std::vector<RangeRow>& range_rows() { return facts<std::vector<RangeRow>, read_ranges>(); }

// "experts tensor+pipeline full": experts, tensor, pipeline, full.
std::set<std::string_view> features_of(std::string_view kind) {
  std::set<std::string_view> out;
  while (!kind.empty()) {
    const std::size_t end = kind.find_first_of(" +");
    out.insert(kind.substr(0, end));
    kind.remove_prefix(end == std::string_view::npos ? kind.size() : end + 1);
  }
  return out;
}

// "Megatron-LM functional tests @d98e8a64": the name alone.
std::string_view name_of_source(std::string_view source) {
  source = source.substr(0, source.find('@'));
  while (!source.empty() && source.back() == ' ') source.remove_suffix(1);
  return source;
}

double factor_of(std::string_view which) {
  for (const RangeRow& row : range_rows()) {
    if (row.what == "factor" && row.kind == which) return row.value;
  }
  return 1;
}

// Half the range in logarithms.
double width_of(const RunClass& run) {
  const std::string_view any = "any", source = name_of_source(run.source);
  const std::array<std::array<std::string_view, 4>, 5> classes = {{{source, run.framework, run.measure, run.kind},
                                                                   {source, run.framework, run.measure, any},
                                                                   {any, run.framework, run.measure, any},
                                                                   {any, any, run.measure, any},
                                                                   {any, any, any, any}}};
  double width = 0;
  bool seen = false;
  for (const auto& key : classes) {
    const auto same = [&](const RangeRow& row) {
      return row.what == "scale" && row.source == key[0] && row.framework == key[1] && row.measure == key[2] &&
             row.kind == key[3];
    };
    const auto row = std::find_if(range_rows().begin(), range_rows().end(), same);
    if (row == range_rows().end()) continue;
    width = row->value;
    seen = key[0] != any;
    break;
  }
  width *= factor_of(seen ? "any" : kUnseen);
  return std::clamp(width, kNarrowest, kWidest);
}

}  // namespace

std::string kind_of(const Run& run, bool experts) {
  const std::string split = parallel_of(run.layout);
  return (experts ? "experts " : "dense ") + (split.empty() ? std::string("data") : split) +
         (run.fused_attention ? "" : " unfused") + (run.recompute.mode == Recompute::Mode::full ? " full" : "");
}

std::string generation_of(std::string_view device) {
  const std::string name = folded(device);
  for (const char* known :
       {"v100", "a100", "gh200", "h100", "h200", "h800", "gb200", "gb300", "b200", "b300", "mi300", "mi250", "tpu"}) {
    if (name.find(known) != std::string::npos) return known;
  }
  return name.empty() ? "unknown" : "other";
}

std::vector<std::string> regimes_of(const Run& run, std::string_view source, std::string_view framework,
                                    std::string_view measure, double parameters, std::int64_t devices, bool experts) {
  static const char* const kSizes[] = {"parameters below 1e9", "parameters 1e9 to 1e10", "parameters above 1e10"};
  static const char* const kDevices[] = {"devices 1", "devices 2 to 8", "devices 9 to 64", "devices above 64"};
  const auto named = [](const char* what, std::string_view value) { return std::string(what).append(value); };
  std::vector<std::string> out{named("measure ", measure), named("framework ", framework),
                               "generation " + generation_of(run.device), "precision " + run.precision.name,
                               band(parameters, {1e9, 1e10}, kSizes)};
  if (!source.empty()) out.push_back(named("source ", name_of_source(source)));
  if (devices > 0) out.emplace_back(band(static_cast<double>(devices), {2, 9, 65}, kDevices));
  out.emplace_back(experts ? "experts yes" : "experts no");
  const std::string split = parallel_of(run.layout);
  out.push_back("parallel " + (split.empty() ? std::string("data only") : split));
  out.push_back(named("recompute ", run.recompute.mode == Recompute::Mode::none   ? "none"
                                    : run.recompute.mode == Recompute::Mode::full ? "full"
                                                                                  : "selective"));
  return out;
}

Spread memory_spread(const RunClass& run, double times) {
  const double width = width_of(run) * times;
  return {1, std::exp(-width), std::exp(width)};
}

Spread memory_spread(const RunClass& run) { return memory_spread(run, 1); }

std::optional<double> coverage_left_out(std::string_view regime) {
  for (const RangeRow& row : range_rows()) {
    if (row.what == "left out" && row.kind == regime) return row.value;
  }
  return std::nullopt;
}

bool memory_measured(std::string_view framework, std::string_view kind, double bytes) {
  const std::set<std::string_view> wanted = features_of(kind);
  std::set<std::string_view> seen;
  bool of_size = false;
  for (const RangeRow& row : range_rows()) {
    if (row.what != "seen" || row.framework != framework) continue;
    seen.merge(features_of(row.kind));
    of_size = of_size || (row.kind == "any" && bytes >= row.from / 2 && bytes <= row.to * 2);
  }
  return of_size && std::includes(seen.begin(), seen.end(), wanted.begin(), wanted.end());
}

}  // namespace floptally
