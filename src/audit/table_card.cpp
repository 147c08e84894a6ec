#include "audit/table_card.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "audit/reconcile.h"
#include "base/integer.h"
#include "book/ledger.h"
#include "document/document.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr std::uint32_t kWorlds = 2048;
constexpr std::size_t kFewest = 3;  // rows of a regime worth a line

// Classes of size and of date, each up to its bound.
constexpr std::pair<double, const char*> kSizes[] = {
    {1e20, "below 1e20 FLOP"}, {1e22, "1e20 to 1e22"}, {1e24, "1e22 to 1e24"}, {1e99, "1e24 and above"}};
constexpr std::pair<int, const char*> kYears[] = {
    {2017, "to 2017"}, {2020, "2018 to 2020"}, {2022, "2021 to 2022"}, {9999, "2023 and later"}};

std::vector<Regime> regimes_of(const AuditRun& run, double counted) {
  constexpr int kKind = 2, kPasses = 4, kTuned = 6, kSize = 10, kYear = 20;
  const bool moe = run.architecture == "moe";
  std::vector<Regime> out{{0, "all"}, {1, run.domain}, {kKind, moe ? "mixture of experts" : run.architecture}};
  if (!run.phases.empty() && (run.phases.front().tokens || run.phases.front().words)) {
    const bool stated = run.phases.front().passes.has_value();
    out.push_back({kPasses + (stated ? 0 : 1), stated ? "epochs stated" : "epochs not stated"});
  }
  if (!run.base.empty()) out.push_back({kTuned, "fine-tuned"});
  int order = kSize;
  for (const auto& [bound, words] : kSizes) {
    ++order;
    if (counted >= bound) continue;
    out.push_back({order, words});
    break;
  }
  order = kYear;
  for (const auto& [year, words] : kYears) {
    ++order;
    if (!run.date.known() || run.date.year > year) continue;
    out.push_back({order, words});
    break;
  }
  return out;
}

void score_row(const TableRun& row, const Catalogue& catalogue, const Assumptions& assumptions,
               std::vector<TableScore>& out) {
  AuditRun blind = row.run;
  blind.published.reset();
  Trace trace;
  const Result<Methods> counted = count_methods(blind, catalogue, assumptions, trace);
  if (!counted) return;
  const Reconciled answer = reconcile(blind, *counted, assumptions, trace, kWorlds);
  const Worlds worlds(trace, kWorlds);
  const auto add = [&](std::string method, const Traced& flop) {
    TableScore score;
    score.row = &row;
    score.method = std::move(method);
    score.counted = score.low = score.high = flop.value();
    if (trace.node(flop.id()).uncertain) {
      const Percentiles p = worlds.percentiles({flop.id()}).front();
      score.low = p.p5;
      score.high = p.p95;
    }
    score.published = row.run.published->amount.best;
    score.regimes = regimes_of(row.run, score.counted);
    out.push_back(std::move(score));
  };
  if (const CountingMethod* m = counted->find("operations")) add("operations", m->flop);
  if (const CountingMethod* m = counted->find("hardware"))
    add(m->assumed_utilization ? "hardware, utilization assumed" : "hardware, utilization stated", m->flop);
  if (const CountingMethod* m = counted->find("energy")) add("energy", m->flop);
  add("answer", answer.flop);
}

// One line of the card.
struct Line {
  std::string method;
  Regime regime;
  std::vector<double> ratios;
  std::size_t within = 0, near = 0, inside = 0;

  void add(const TableScore& s) {
    ratios.push_back(s.ratio());
    within += s.within(1.5) ? 1 : 0;
    near += s.within(3) ? 1 : 0;
    inside += s.inside() ? 1 : 0;
  }
  [[nodiscard]] double share(std::size_t part) const {
    return static_cast<double>(part) / static_cast<double>(ratios.size());
  }
  [[nodiscard]] double median() const {
    std::vector<double> sorted = ratios;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[half] : std::sqrt(sorted[half - 1] * sorted[half]);
  }
};

// Methods from operations to the reconciled answer, each by regime.
std::vector<Line> lines_of(const std::vector<TableScore>& scores) {
  std::vector<Line> lines;
  for (const char* method :
       {"operations", "hardware, utilization stated", "hardware, utilization assumed", "energy", "answer"}) {
    std::vector<Line> mine;
    std::map<std::string, std::size_t, std::less<>> at;
    for (const TableScore& s : scores) {
      if (s.method != method) continue;
      for (const Regime& regime : s.regimes) {
        const auto [place, fresh] = at.emplace(regime.name, mine.size());
        if (fresh) mine.push_back({method, regime, {}, 0, 0, 0});
        mine[place->second].add(s);
      }
    }
    std::stable_sort(mine.begin(), mine.end(),
                     [](const Line& a, const Line& b) { return a.regime.order < b.regime.order; });
    for (Line& line : mine) {
      if (line.ratios.size() >= kFewest || line.regime.order == 0) lines.push_back(std::move(line));
    }
  }
  return lines;
}

Table card_of(const std::vector<Line>& lines) {
  Table table{
      "published",
      "Counted against published",
      {{"method", "Method"},
       {"regime", "Regime"},
       {"rows", "Rows", true},
       {"median", "Median ratio", true},
       {"within_1_5", "Within 1.5x", true},
       {"within_3", "Within 3x", true},
       {"coverage", "In 90% range", true}},
      {},
      "Ratio: published over counted. Rows are counted without their published compute. A regime needs at least "
      "three rows."};
  for (const Line& line : lines) {
    char median[24];
    std::snprintf(median, sizeof median, "%.2f", line.median());
    table.rows.push_back({line.method, line.regime.name, figure(Integer(static_cast<long>(line.ratios.size()))),
                          std::string(median), percent_text(line.share(line.within)),
                          percent_text(line.share(line.near)), percent_text(line.share(line.inside))});
  }
  return table;
}

Table rows_of(const std::vector<TableScore>& scores) {
  Table table{"rows",
              "Rows",
              {{"row", "Row"},
               {"method", "Method"},
               {"published", "Published", true},
               {"counted", "Counted", true},
               {"ratio", "Ratio", true},
               {"range", "90% range"}},
              {},
              {}};
  for (const TableScore& s : scores) {
    Figure counted = figure(s.counted, dim::kFlop);
    counted.p5 = s.low;
    counted.p50 = s.counted;
    counted.p95 = s.high;
    char ratio[24];
    std::snprintf(ratio, sizeof ratio, "%.3g", s.ratio());
    table.rows.push_back({s.row->run.title, s.method, figure(s.published, dim::kFlop), counted, std::string(ratio),
                          std::string(s.inside() ? "inside" : "outside")});
  }
  return table;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string json_of(const std::vector<TableScore>& scores, std::size_t left_out) {
  std::string out = "\"rows_left_out\": " + std::to_string(left_out) + ",\n    \"rows_scored\": [";
  for (const TableScore& s : scores) {
    char numbers[200];
    std::snprintf(numbers, sizeof numbers,
                  "\"published\": %.9g, \"counted\": %.9g, \"p5\": %.9g, \"p95\": %.9g, \"base\": %.9g}", s.published,
                  s.counted, s.low, s.high, s.row->run.base_flop ? s.row->run.base_flop->amount.best : 0.0);
    std::string regimes;
    for (const Regime& regime : s.regimes) regimes += (regimes.empty() ? "" : ", ") + json_quote(regime.name);
    out += (&s == scores.data() ? "" : ", ") + std::string("{\"row\": ") + json_quote(s.row->run.title) +
           ", \"organization\": " + json_quote(s.row->run.organization) + ", \"method\": " + json_quote(s.method) +
           ", \"regimes\": [" + regimes + "], " + numbers;
  }
  return out + "]";
}

Table gaps_of(const PublishedTable& table, const std::vector<TableScore>& scores, std::size_t& left_out) {
  Table gaps{"gaps",
             "Odd or missing facts",
             {{"row", "Row"}, {"gap", "What is odd or missing"}, {"used", "Scored by"}},
             {},
             {}};
  left_out = 0;
  for (const TableRun& row : table.rows()) {
    std::string used;
    for (const TableScore& s : scores) {
      if (s.row == &row && s.method != "answer")
        used += (used.empty() ? "" : ", ") + s.method.substr(0, s.method.find(','));
    }
    left_out += used.empty() ? 1 : 0;
    std::vector<std::string> why = row.gaps;
    if (!row.run.published) why.emplace_back("no published compute to hold against");
    if (used.empty() && why.empty()) why.emplace_back("no method has all its facts");
    if (!why.empty()) gaps.rows.push_back({row.run.title, joined(why, "; "), used.empty() ? "nothing" : used});
  }
  return gaps;
}

}  // namespace

std::vector<TableScore> score_table(const PublishedTable& table, const Catalogue& catalogue,
                                    const Assumptions& assumptions) {
  std::vector<TableScore> scores;
  for (const TableRun& row : table.rows()) {
    if (row.run.published) score_row(row, catalogue, assumptions, scores);
  }
  return scores;
}

Book table_card(const PublishedTable& table, const Catalogue& catalogue, const Assumptions& assumptions, bool rows) {
  const std::vector<TableScore> scores = score_table(table, catalogue, assumptions);
  const std::vector<Line> lines = lines_of(scores);
  Book book;
  book.command = "evidence";
  for (const Line& line : lines) {
    if (line.regime.name != "all") continue;
    book.summary.push_back(line.method + ": within 1.5x for " + std::to_string(line.within) + " of " +
                           std::to_string(line.ratios.size()) + " runs; the 90% range holds the published compute of " +
                           percent_text(line.share(line.inside)));
  }
  std::size_t left_out = 0;
  Table gaps = gaps_of(table, scores, left_out);
  book.summary.push_back(std::to_string(left_out) + " of " + std::to_string(table.rows().size()) +
                         " rows left out, each with its reason");
  if (!table.missing_columns().empty())
    book.summary.push_back("no column gives: " + joined(table.missing_columns(), ", "));
  if (!table.unread_columns().empty())
    book.summary.push_back("columns not read: " + joined(table.unread_columns(), ", "));
  book.tables.push_back(card_of(lines));
  if (rows) book.tables.push_back(rows_of(scores));
  if (!gaps.rows.empty()) book.tables.push_back(std::move(gaps));
  Chart chart;
  chart.form = Chart::Form::scatter;
  chart.key = "published";
  chart.title = "Training compute: counted against published";
  chart.x_title = "published";
  chart.y_title = "counted";
  chart.log_x = chart.log_y = chart.diagonal = true;
  chart.x_dim = chart.y_dim = dim::kFlop;
  for (const TableScore& s : scores) {
    if (s.method != "answer")
      chart.marks.push_back({s.published, s.counted, s.low, s.high, s.row->run.title, s.method});
  }
  if (!chart.marks.empty()) book.charts.push_back(std::move(chart));
  book.json_answer = json_of(scores, left_out);
  return book;
}

}  // namespace floptally
