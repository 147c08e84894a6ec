#include "estimate/evidence.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "training/table.h"

namespace floptally {
namespace {

double number_in(std::string_view cell) {
  double value = 0;
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value;
}

std::string band(double value, std::initializer_list<double> limits, const char* const* names) {
  int i = 0;
  for (const double limit : limits) {
    if (value < limit) break;
    ++i;
  }
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

std::vector<std::string> regimes_of(const EvidenceRow& row, const std::string& measure, double parameters) {
  static const char* const kSizes[] = {"parameters below 1e9", "parameters 1e9 to 1e10", "parameters above 1e10"};
  static const char* const kDevices[] = {"devices 1", "devices 2 to 8", "devices 9 to 64", "devices above 64"};
  const Layout& l = row.run.layout;
  std::vector<std::string> out{"measure " + measure, "source " + row.source.substr(0, row.source.find('@')),
                               "framework " + row.framework, "generation " + row.generation,
                               "precision " + row.run.precision.name};
  out.push_back(band(parameters, {1e9, 1e10}, kSizes));
  if (row.devices > 0) out.push_back(band(static_cast<double>(row.devices), {2, 9, 65}, kDevices));
  out.emplace_back(row.shape.experts > 0 ? "experts yes" : "experts no");
  const std::string split = parallel_of(l);
  out.push_back("parallel " + (split.empty() ? std::string("data only") : split));
  out.push_back("recompute " + std::string(row.run.recompute.mode == Recompute::Mode::none   ? "none"
                                           : row.run.recompute.mode == Recompute::Mode::full ? "full"
                                                                                             : "selective"));
  return out;
}

DeviceMemory seen_memory(const EvidenceRow& row, const MemoryProfile& profile) {
  switch (row.rank) {
    case RankSeen::first:
      return device_memory(profile, row.run, 0);
    case RankSeen::last:
      return device_memory(profile, row.run, row.run.layout.pipeline - 1);
    case RankSeen::fullest:
      break;
  }
  return peak_memory(profile, row.run);
}

void score_row(const EvidenceRow& row, double (*capacity)(std::string_view), MemoryCard& card) {
  MemoryProfile profile(row.run);
  describe_model(row, profile);
  const DeviceMemory memory = seen_memory(row, profile);
  const MemoryLines lines = memory_lines(memory, row.run, 1, 1);
  const auto add = [&](const std::string& measure, double measured, double predicted) {
    Scored s;
    s.id = row.id;
    s.source = row.source;
    s.framework = row.framework;
    s.measure = measure;
    s.allocated = lines.allocated.best + (measure == "allocated" ? 0 : memory.elsewhere);
    s.measured = measured;
    s.predicted = predicted;
    s.model = row.model;
    s.kind = kind_of(row.shape, row.run);
    if (!row.assumed.empty()) s.kind = "assumed settings";
    s.assumed = row.assumed;
    s.assumed.insert(s.assumed.end(), row.noted.begin(), row.noted.end());
    const Spread spread = memory_spread(row.source, row.framework, measure, s.kind);
    s.low = predicted * spread.low;
    s.high = predicted * spread.high;
    s.regimes = regimes_of(
        row, measure,
        profile.layer_count() *
            (profile.classes() > 0 ? profile.layer(0).dense * static_cast<double>(row.run.layout.tensor) : 0));
    card.scored.push_back(std::move(s));
  };
  if (row.allocated) add("allocated", *row.allocated, lines.allocated.best);
  if (row.other) {
    if (row.meter == Meter::visible)
      add("nvidia-smi", *row.other, lines.visible.best);
    else
      add("reserved", *row.other, lines.reserved.best);
  }
  const double room = capacity != nullptr ? capacity(row.run.device) : 0;
  if (room > 0) card.calls.push_back({row.id, !row.out_of_memory, lines.visible.best <= room});
}

}  // namespace

std::string kind_of(const DecoderShape& shape, const Run& run) {
  const std::string split = parallel_of(run.layout);
  return (shape.experts > 0 ? "experts " : "dense ") + (split.empty() ? std::string("data") : split) +
         (run.fused_attention ? "" : " unfused") + (run.recompute.mode == Recompute::Mode::full ? " full" : "");
}

namespace {
struct SpreadRow {
  std::string src, framework, measure, kind;
  Spread spread;
  double from = 0, to = 0;  // predicted bytes of its rows
};
std::vector<SpreadRow> read_spreads() {
  std::vector<SpreadRow> out;
  const FactTable table("evidence/spread.csv");
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto number = [&](std::string_view column) { return number_in(table.cell(i, column)); };
    out.push_back({std::string(table.cell(i, "src")),
                   std::string(table.cell(i, "framework")),
                   std::string(table.cell(i, "measure")),
                   std::string(table.cell(i, "kind")),
                   {1, number("low"), number("high")},
                   number("from"),
                   number("to")});
  }
  return out;
}
const std::vector<SpreadRow>& spread_rows() { return facts<std::vector<SpreadRow>, read_spreads>(); }
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

constexpr std::string_view kUnseen = "unseen";  // the src of rows for sources that were not measured
constexpr std::string_view kSeen = "seen";      // ... of rows that say which kinds of run were
}  // namespace

bool memory_measured(std::string_view framework, std::string_view kind, double bytes) {
  const std::set<std::string_view> wanted = features_of(kind);
  std::set<std::string_view> seen;
  bool of_size = false;
  for (const SpreadRow& row : spread_rows()) {
    if (row.src != kSeen || row.framework != framework) continue;
    seen.merge(features_of(row.kind));
    of_size = of_size || (row.kind == "any" && bytes >= row.from / 2 && bytes <= row.to * 2);
  }
  return of_size && std::includes(seen.begin(), seen.end(), wanted.begin(), wanted.end());
}

Spread memory_spread(std::string_view source, std::string_view framework, std::string_view measure,
                     std::string_view kind) {
  const auto find = [&](auto&& same, std::string_view k) -> const SpreadRow* {
    for (const SpreadRow& row : spread_rows()) {
      if (row.kind == k && same(row)) return &row;
    }
    return nullptr;
  };
  const auto own = [&](const SpreadRow& row) {
    return !source.empty() && source.substr(0, row.src.size()) == row.src && row.framework == framework &&
           row.measure == measure;
  };
  for (const std::string_view k : {kind, std::string_view("any")}) {
    if (const SpreadRow* row = find(own, k)) return row->spread;
  }
  const std::string_view wanted[3][2] = {{framework, measure}, {"any", measure}, {"any", "any"}};
  for (const auto& key : wanted) {
    const auto other = [&](const SpreadRow& row) {
      return row.src == kUnseen && row.framework == key[0] && row.measure == key[1];
    };
    if (const SpreadRow* row = find(other, "any")) return row->spread;
  }
  return {1, 0.7, 1.4};
}

DeviceMemory predict_memory(const EvidenceRow& row) {
  MemoryProfile profile(row.run);
  describe_model(row, profile);
  return seen_memory(row, profile);
}

Score score(std::string name, const std::vector<const Scored*>& rows) {
  Score out;
  out.name = std::move(name);
  out.rows = rows.size();
  if (rows.empty()) return out;
  std::vector<double> errors;
  double covered = 0;
  for (const Scored* row : rows) {
    errors.push_back(std::fabs(row->error()));
    out.bias += row->error();
    covered += row->covered() ? 1 : 0;
  }
  const double n = static_cast<double>(rows.size());
  out.bias /= n;
  for (const double e : errors) out.mean += e / n;
  std::sort(errors.begin(), errors.end());
  const auto quantile = [&](double q) {
    const double at = q * (n - 1);
    const auto i = static_cast<std::size_t>(at);
    const double next = errors[std::min(i + 1, errors.size() - 1)];
    return errors[i] + (at - static_cast<double>(i)) * (next - errors[i]);
  };
  out.median = quantile(0.5);
  out.p90 = quantile(0.9);
  out.coverage = covered / n;
  return out;
}

MemoryCard memory_card(const std::vector<EvidenceRow>& rows, double (*capacity)(std::string_view device)) {
  MemoryCard card;
  for (const EvidenceRow& row : rows) {
    if (!row.has_memory && !row.out_of_memory) continue;
    ++card.rows;
    if (!row.reason.empty())
      card.skipped.push_back({row.id, row.reason});
    else
      score_row(row, capacity, card);
  }
  total_card(card);
  return card;
}

void total_card(MemoryCard& card) {
  std::vector<const Scored*> all;
  std::map<std::string, std::vector<const Scored*>> by;
  for (const Scored& s : card.scored) {
    all.push_back(&s);
    for (const std::string& regime : s.regimes) by[regime].push_back(&s);
  }
  card.total = score("all", all);
  for (const auto& [name, members] : by) {
    if (members.size() >= 3) card.by.push_back(score(name, members));
  }
}

std::vector<Verdict> judge(const MemoryCard& card) {
  std::vector<Verdict> out;
  const FactTable table("evidence/thresholds.csv");
  for (std::size_t i = 0; i < table.rows(); ++i) {
    Verdict v;
    v.threshold = {std::string(table.cell(i, "quantity")), std::string(table.cell(i, "source")),
                   std::string(table.cell(i, "measure")),  std::string(table.cell(i, "statistic")),
                   number_in(table.cell(i, "limit")),      number_in(table.cell(i, "aim"))};
    std::vector<const Scored*> rows;
    for (const Scored& s : card.scored) {
      const bool source =
          v.threshold.source == "any" || s.source.substr(0, v.threshold.source.size()) == v.threshold.source;
      const bool measure = v.threshold.measure == "any" || s.measure == v.threshold.measure ||
                           (v.threshold.measure == "held" && s.measure != "allocated");
      if (source && measure) rows.push_back(&s);
    }
    v.rows = rows.size();
    const Score s = score("", rows);
    if (v.threshold.statistic == "median") v.value = s.median;
    if (v.threshold.statistic == "p90") v.value = s.p90;
    v.holds = v.rows > 0 && v.value <= v.threshold.limit;
    if (v.rows > 0) out.push_back(v);
  }
  return out;
}

}  // namespace floptally
