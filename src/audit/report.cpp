#include "audit/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "audit/report_parts.h"
#include "quantity/print.h"

namespace floptally {
namespace {

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text,
                share > 0.0005 && share < 0.01   ? "%.1f%%"
                : share > 0.99 && share < 0.9995 ? "%.1f%%"
                                                 : "%.0f%%",
                100 * share);
  return text;
}

// Share of worlds within 30% of the best guess (the guideline's margin).
double within_margin(Evaluations& worlds, const Traced& flop, double margin) {
  const std::vector<double>& all = worlds.values(flop);
  const double guess = flop.value();
  const auto inside = std::count_if(all.begin(), all.end(),
                                    [&](double v) { return v >= guess / (1 + margin) && v <= guess * (1 + margin); });
  return static_cast<double>(inside) / static_cast<double>(all.size());
}

std::string name_of(const AuditRun& run) {
  return !run.title.empty() ? run.title : !run.name.empty() ? run.name : "the run";
}

void sentences(Ledger& ledger, const AuditRun& run, const Reconciled& answer, const std::vector<Assessment>& standings,
               Evaluations& worlds) {
  Book& book = ledger.book();
  book.title =
      name_of(run) + (run.organization.empty()
                          ? ""
                          : " (" + run.organization + (run.date.known() ? ", " + run.date.to_string() : "") + ")");
  const Percentiles p = worlds.percentiles(answer.flop);
  std::string line = quantity_text(answer.flop.value(), dim::kFlop) + " by " + answer.basis;
  if (p.p95 > p.p5)
    line += "; 90% range " + count_text(p.p5, 2) + " to " + count_text(p.p95, 2) +
            "; in Epoch AI's words: " + answer.confidence;
  book.summary.push_back(line);
  for (const Comparison& c : answer.comparisons) {
    if (c.b == "published" && c.a != "operations" && answer.comparisons.size() > 2) continue;
    char ratio[24];
    std::snprintf(ratio, sizeof ratio, "%.2f", c.ratio);
    std::string words = c.a + " / " + c.b + " = " + ratio;
    words += c.b == "published" ? ""
             : c.independent    ? (c.agree ? "; independent, and they agree" : "; independent, and they disagree")
                                : "; not independent: one opinion";
    book.summary.push_back(words);
  }
  for (const Assessment& a : standings) {
    if (a.standing == Standing::not_applicable || !a.in_force || a.standing == Standing::below) continue;
    book.summary.push_back(std::string(a.standing == Standing::above ? "Above " : "May be above ") +
                           count_text(a.threshold, 2) + " FLOP: " + a.rule->consequence + " (" + a.rule->law + ", " +
                           a.rule->provision + "); P(above) " + percent(a.probability));
  }
  book.summary.push_back("Within 30% of this estimate with probability " +
                         percent(within_margin(worlds, answer.flop, 0.3)) +
                         "; to two significant figures: " + two_figures(answer.flop.value()));
}

void check_expected(const AuditRun& run, double found, Book& book) {
  const Amount& a = run.expected->amount;
  constexpr double kRounding = 0.005;  // a bare number is met to its last figure
  const bool range = a.form == Amount::Form::range || a.form == Amount::Form::best_with_range;
  const double low = range ? a.low : a.best * (1 - kRounding), high = range ? a.high : a.best * (1 + kRounding);
  if (found >= low && found <= high) {
    book.summary.push_back("expected " + a.text + ": met");
    return;
  }
  char off[32];
  std::snprintf(off, sizeof off, "%+.2f%%", 100 * (found / a.best - 1));
  book.notes.push_back(warning("expect-not-met", "the answer is " + std::string(off) + " from the expected " + a.text,
                               run.expected->place, "counted: " + shortest(found) + " FLOP"));
  book.yes = false;
}

// What the same count was worth on runs whose compute is published.
void say_how_sure(const AuditFacts& facts, const Methods& methods, Book& book) {
  const auto say = [&](const Card& card) {
    char factor[16];
    std::snprintf(factor, sizeof factor, "%g", card.factor);
    book.summary.push_back("calibration: " + card.method + " was within a factor " + factor + " for " +
                           std::to_string(card.inside) + " of " + std::to_string(card.rows.size()) +
                           " runs whose compute is published; its 90% range held " + percent(card.coverage_90));
  };
  if (methods.find("operations")) say(operations_card(facts.published, facts.assumptions));
  if (const CountingMethod* hardware = methods.find("hardware"))
    say(hardware_card(facts.published, facts.assumptions, !hardware->assumed_utilization));
}

Table methods_table(const Methods& methods, const Reconciled& answer, Evaluations& worlds) {
  Table table{"methods",
              "Methods",
              {{"method", "Method"},
               {"flop", "FLOP", true},
               {"ratio", "Of the answer", true},
               {"formula", "Formula"},
               {"note", "Note"}},
              {},
              {}};
  for (const CountingMethod& m : methods.methods) {
    const Figure f = ranged(worlds, m.flop);
    char ratio[24];
    std::snprintf(ratio, sizeof ratio, "%.2f", m.flop.value() / answer.flop.value());
    std::string note = m.note;
    for (const std::string& other : m.independent_of) note += (note.empty() ? "independent of " : ", ") + other;
    table.rows.push_back({m.name, f, std::string(ratio), m.formula, note});
  }
  return table;
}

Table law_table(const std::vector<Assessment>& standings, Evaluations& worlds, const Date& on) {
  Table table{
      "thresholds",
      "Thresholds of law on " + on.to_string(),
      {{"rule", "Rule"},
       {"threshold", "Threshold", true},
       {"flop", "As it counts", true},
       {"factor", "Distance", true},
       {"probability", "P(above)", true},
       {"standing", "Standing"},
       {"since", "In force"}},
      {},
      "Probabilities of lying above, given the facts stated; no legal advice. Distance: compute over threshold."};
  for (const Assessment& a : standings) {
    char factor[24];
    const double ratio = a.flop.value() / a.threshold;
    std::snprintf(factor, sizeof factor, ratio < 0.01 ? "%.2gx" : ratio >= 100 ? "%.3gx" : "%.2fx", ratio);
    static constexpr const char* kWords[] = {"does not apply", "below", "may be above", "above"};
    std::string words = kWords[static_cast<std::size_t>(a.standing)];
    if (!a.why_not.empty()) words += " (" + a.why_not + ")";
    const bool applies = a.standing != Standing::not_applicable;
    table.rows.push_back({a.rule->law + (a.rule->provision.empty() ? "" : ", " + a.rule->provision),
                          figure(a.threshold, dim::kFlop), applies ? Value(ranged(worlds, a.flop)) : Value(),
                          applies ? Value(std::string(factor)) : Value(),
                          applies ? Value(percent(a.probability)) : Value(), words,
                          a.rule->in_force.known() ? a.rule->in_force.to_string() : std::string()});
  }
  return table;
}

Table law_sources(const std::vector<Assessment>& standings) {
  Table table{"law_sources",
              "Sources of the thresholds",
              {{"rule", "Rule"}, {"source", "Source"}, {"date", "Date"}, {"note", "Note"}},
              {},
              {}};
  for (const Assessment& a : standings) {
    if (a.standing == Standing::not_applicable) continue;
    const std::string row = "data/law/rules.csv:" + std::to_string(a.rule->row);
    table.rows.push_back(
        {a.rule->id, a.rule->source + " (" + row + ")", a.rule->source_date.to_string(), a.rule->note});
  }
  return table;
}

Table accounts_table(const std::vector<Assessment>& standings) {
  Table table{"accounts",
              "What each rule counts",
              {{"rule", "Rule"},
               {"counted", "Counted"},
               {"left_out", "Given, not counted"},
               {"not_given", "Would count, not given"}},
              {},
              {}};
  const auto joined = [](const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
    return text;
  };
  for (const Assessment& a : standings) {
    if (a.standing != Standing::not_applicable)
      table.rows.push_back({a.rule->id, joined(a.counted), joined(a.left_out), joined(a.not_given)});
  }
  return table;
}

Table sensitivity_table(const AuditRun& run, const std::vector<Sensitivity>& all) {
  Table table{
      "sensitivity",
      "What the range comes from",
      {{"input", "Fact"}, {"first", "By itself", true}, {"total", "With its interactions", true}},
      {},
      "First-order and total Sobol indices of the logarithm: the first row, if known, narrows the answer most."};
  for (const Sensitivity& each : all) {
    if (each.total > 0.005) table.rows.push_back({each.input, percent(each.first), percent(each.total)});
  }
  if (!run.own_records && !run.checked && all.front().input == kPublishedOverCounted) {
    table.note += std::string(" '") + kPublishedOverCounted +
                  "' is how far published figures lay from such counts; of your own records (`facts: own`) or checked "
                  "facts (`facts: checked`) the range is narrower.";
  }
  return table;
}

}  // namespace

std::string two_figures(double value) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1e", value);
  std::string out(text);
  const std::size_t e = out.find("e+");
  if (e != std::string::npos) out.erase(e + 1, 1);
  return out;
}

Result<Book> audit_run(const AuditRun& run, const AuditFacts& facts, const AuditOptions& options) {
  Ledger ledger("audit");
  Trace& trace = ledger.trace();
  Result<Methods> counted = count_methods(run, facts.catalogue, facts.assumptions, trace);
  if (!counted) return counted.take_problems();
  const Methods& methods = *counted;
  // Spreads, for weights and agreement, are known well enough from fewer worlds.
  Reconciled answer = reconcile(run, methods, facts.assumptions, trace, std::min(options.worlds, 1u << 12));
  Evaluations worlds(trace, options.worlds);
  const std::vector<Assessment> standings = assess(run, methods, answer.flop, facts.laws, options.on, trace, worlds);
  ledger.headline("flop_training", "Training compute", answer.flop);
  ledger.influences("flop_training");
  if (methods.components.size() > 1) {
    Entry entry{.name = "components"};
    for (const CountedPart& c : methods.components)
      entry.children.push_back({.name = c.name, .cells = {{"flop", c.flop}}, .note = c.component, .place = c.place});
    ledger.add(std::move(entry));
  }
  Book& book = ledger.book();
  {
    sentences(ledger, run, answer, standings, worlds);
    book.tables.push_back(methods_table(methods, answer, worlds));
    book.tables.push_back(law_table(standings, worlds, options.on));
    book.tables.push_back(accounts_table(standings));
    if (const std::vector<Sensitivity> all = sobol_indices(trace, answer.flop.id()); !all.empty())
      book.tables.push_back(sensitivity_table(run, all));
    book.tables.push_back(energy_table(run, facts.catalogue));
    if (book.tables.back().rows.empty()) book.tables.pop_back();
    book.tables.push_back(inputs_table(trace));
    book.tables.push_back(law_sources(standings));
    if (options.sure) say_how_sure(facts, methods, book);
    book.charts = {compute_by_date(facts.published, &run, answer.flop.value(), facts.laws),
                   quantile_dots(worlds, answer.flop)};
    book.json_answer = json_lists(methods, standings, worlds);
  }
  book.words.emplace_back("confidence", answer.confidence);
  book.words.emplace_back("basis", answer.basis);
  book.notes = methods.findings;
  book.notes.insert(book.notes.end(), answer.findings.begin(), answer.findings.end());
  for (Diagnostic& odd : odd_bills(run, facts.catalogue)) book.notes.push_back(std::move(odd));
  for (const Assessment& a : standings) {
    if (a.in_force && a.standing == Standing::above) book.yes = false;
  }
  if (run.expected) check_expected(run, answer.flop.value(), book);
  return ledger.finish(options.worlds);
}

namespace {

// Epoch AI's database of notable models, snapshot of 2025: the rows that state a utilization.
constexpr StatedUtilization kEpochSnapshot{
    .rows = 61, .median = 0.380, .mean = 0.392, .geometric_mean = 0.373, .sigma = 0.324};

Table utilization_table(const StatedUtilization& shipped) {
  Table table{"utilization",
              "Stated utilizations",
              {{"set", "Set"},
               {"rows", "Runs", true},
               {"median", "Median", true},
               {"mean", "Mean", true},
               {"geometric", "Geometric mean", true},
               {"sigma", "sd of ln", true}},
              {},
              "The larger snapshot is Epoch AI's of 2025, 61 usable rows."};
  const auto three = [](double v) {
    char text[16];
    std::snprintf(text, sizeof text, "%.3f", v);
    return std::string(text);
  };
  const auto add = [&](const char* set, const StatedUtilization& u) {
    table.rows.push_back({std::string(set), std::to_string(u.rows), three(u.median), three(u.mean),
                          three(u.geometric_mean), three(u.sigma)});
  };
  add("shipped runs", shipped);
  add("larger snapshot", kEpochSnapshot);
  return table;
}

}  // namespace

Book audit_card(const AuditFacts& facts) {
  Book book;
  book.command = "audit";
  book.title = "Published training runs by both methods";
  Table table{"card",
              "Counted against published",
              {{"method", "Method"},
               {"rows", "Runs", true},
               {"within_1_5", "Within 1.5x", true},
               {"within_2", "Within 2x", true},
               {"within_3", "Within 3x", true},
               {"median", "Median ratio", true},
               {"coverage", "90% range holds", true}},
              {},
              "Ratio: published over counted. The range is fitted on the other runs (leave-one-out); with an assumed "
              "utilization it is the fitted prior's."};
  const auto add = [&](const Card& card) {
    if (card.rows.empty()) return;
    char median[24];
    std::snprintf(median, sizeof median, "%.2f", card.median_ratio);
    table.rows.push_back({card.method, std::to_string(card.rows.size()), percent(card.within_1_5),
                          percent(card.within_2), percent(card.within_3), std::string(median),
                          percent(card.coverage_90)});
    char factor[24];
    std::snprintf(factor, sizeof factor, "%g", card.factor);
    book.summary.push_back(card.method + ": within a factor " + factor + " for " + std::to_string(card.inside) +
                           " of " + std::to_string(card.rows.size()) + " runs with published compute");
  };
  add(operations_card(facts.published, facts.assumptions));
  add(hardware_card(facts.published, facts.assumptions, true));
  add(hardware_card(facts.published, facts.assumptions, false));
  book.tables.push_back(std::move(table));
  book.tables.push_back(wall_clock_table(facts.published));
  book.tables.push_back(utilization_table(stated_utilization(facts.published)));
  book.charts = {compute_by_date(facts.published, nullptr, 0, facts.laws)};
  return book;
}

}  // namespace floptally
