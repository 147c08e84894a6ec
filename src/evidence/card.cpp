#include "evidence/card.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "estimate/memory_range.h"
#include "training/table.h"

namespace floptally {
namespace {

DeviceMemory seen_memory(const EvidenceRow& row, const MemoryProfile& profile) {
  switch (row.rank) {
    case RankSeen::first:
      return device_memory(profile, row.run, 0);
    case RankSeen::last:
      return device_memory(profile, row.run, row.run.layout.pipeline - 1);
    case RankSeen::given:  // pipeline stages are made of neighbouring ranks last (Megatron-LM core/parallel_state.py)
      return device_memory(profile, row.run, row.given_rank / (row.run.layout.devices() / row.run.layout.pipeline));
    case RankSeen::fullest:
      break;
  }
  return peak_memory(profile, row.run);
}

// What allocated memory would be more if the fullest rank of an expert group got twice the mean tokens, not the mean.
double bytes_of_load(const EvidenceRow& row, double allocated) {
  if (row.run.expert_load > 0 || row.run.layout.expert == 1) return 0;
  constexpr double kStep = 0.05;
  EvidenceRow fuller = row;
  fuller.run.expert_load = row.run.framework.expert_load + kStep;
  MemoryProfile profile(fuller.run);
  describe_model(fuller, profile);
  return (seen_memory(fuller, profile).allocated() - allocated) / kStep;
}

void score_row(const EvidenceRow& row, double (*capacity)(std::string_view), MemoryCard& card) {
  MemoryProfile profile(row.run);
  describe_model(row, profile);
  DeviceMemory memory = seen_memory(row, profile);
  const double room = capacity != nullptr ? capacity(row.run.device) : 0;
  if (room > 0) memory.bound(room);
  const MemoryLines lines = memory_lines(memory, row.run, 1, 1);
  const double more = bytes_of_load(row, memory.allocated());
  const auto add = [&](const std::string& measure, double measured, double predicted) {
    Scored s;
    s.id = row.id;
    s.source = row.source;
    s.framework = row.framework;
    s.measure = measure;
    s.allocated = lines.allocated.best + (measure == "allocated" ? 0 : memory.elsewhere);
    s.measured = measured;
    s.expert_load = expert_load_of(row.run);
    s.expert_bytes = more;
    if (row.run.lengths == Lengths::vary) s.scattered = memory.allocated() - memory.fixed();
    s.predicted = predicted;
    s.model = row.model;
    s.kind = kind_of(row.run, row.shape.experts > 0);
    if (!row.assumed.empty()) s.kind = "assumed settings";
    s.assumed = row.assumed;
    s.assumed.insert(s.assumed.end(), row.noted.begin(), row.noted.end());
    if (capacity != nullptr && room <= 0 && !row.run.device.empty())
      s.assumed.push_back("what any device holds (" + row.run.device + " is not in the catalogue)");
    s.regimes = regimes_of(row.run, row.source, row.framework, measure, profile.layer_parameters(), row.devices,
                           row.shape.experts > 0);
    const Spread spread = memory_spread({row.source, row.framework, measure, s.kind});
    // A rank that is not the fullest of its expert group may have got no more tokens than the mean.
    const double load = s.expert_load - 1;
    s.either = row.either + (row.rank != RankSeen::fullest && load > 0 ? more * load : 0);
    s.low = (predicted - s.either) * spread.low;
    s.high = predicted * spread.high;
    card.scored.push_back(std::move(s));
  };
  if (row.allocated) add("allocated", *row.allocated, lines.allocated.best);
  if (row.other) {
    if (row.meter == Meter::visible)
      add("nvidia-smi", *row.other, lines.visible.best);
    else
      add("reserved", *row.other, lines.reserved.best);
  }
  if (room > 0) card.calls.push_back({row.id, !row.out_of_memory, lines.needed.best <= room});
}

}  // namespace

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
      card.skipped.push_back({row.id, row.reason, row.row});
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
    v.threshold = {std::string(table.cell(i, "quantity")),
                   std::string(table.cell(i, "source")),
                   std::string(table.cell(i, "measure")),
                   std::string(table.cell(i, "statistic")),
                   table.number(i, "limit"),
                   table.number(i, "aim")};
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
