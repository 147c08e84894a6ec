#include "audit/law.h"

#include <algorithm>

#include "audit/fact_csv.h"
#include "base/split.h"

namespace floptally {
namespace {

void read_rules(const Source& source, Laws& out, Diagnostics& problems) {
  FactCsv table(source, problems);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    ThresholdRule rule;
    rule.id = table.text(row, "id");
    rule.law = table.text(row, "law");
    rule.provision = table.text(row, "provision");
    rule.consequence = table.text(row, "consequence");
    rule.flop = table.number(row, "flop").value_or(0);
    rule.base_share = table.number(row, "base_share").value_or(0);
    rule.counts = table.text(row, "counts");
    for (const std::string_view modality : split(table.text(row, "modality"), ';'))
      rule.modalities.emplace_back(modality);
    rule.domain = table.text(row, "domain");
    rule.in_force = Date::parse(table.text(row, "in_force")).value_or(Date{});
    rule.until = Date::parse(table.text(row, "until")).value_or(Date{});
    rule.status = table.text(row, "status");
    rule.binding = table.text(row, "binding") != "no";
    rule.source = table.text(row, "source");
    rule.source_date = Date::parse(table.text(row, "source_date")).value_or(Date{});
    rule.note = table.text(row, "note");
    rule.row = static_cast<std::int64_t>(locate(table.place(row, "id")).line);
    if (rule.flop <= 0)
      problems.push_back(error("bad-number", "a threshold is greater than 0", table.place(row, "flop")));
    out.rules.push_back(std::move(rule));
  }
}

void read_inclusions(const Source& source, Laws& out, Diagnostics& problems) {
  FactCsv table(source, problems);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Inclusion inclusion;
    inclusion.component = table.text(row, "component");
    inclusion.explanation = table.text(row, "explanation");
    for (const char* account : {"eu-updates", "eu-cumulative", "sb53", "fmf", "database", "meter"})
      inclusion.by_account.emplace_back(account, table.text(row, account));
    out.inclusions.push_back(std::move(inclusion));
  }
}

// Whether the rule speaks of such a model at all; why not otherwise.
std::string inapplicable(const AuditRun& run, const ThresholdRule& rule) {
  if (!rule.domain.empty() && run.domain != rule.domain) return "only for models trained on " + rule.domain;
  if (rule.base_share > 0 && !run.base_flop && run.base.empty()) return "only where another model was modified";
  if (rule.modalities.empty()) return {};
  const bool any = std::any_of(rule.modalities.begin(), rule.modalities.end(), [&](const std::string& m) {
    return std::find(run.modalities.begin(), run.modalities.end(), m) != run.modalities.end();
  });
  const bool said = !run.modalities.empty();
  if (any || (!said && (run.domain == "language" || run.domain == "multimodal"))) return {};
  return said ? "only for models that generate text, speech, images or video from text"
              : "what the model generates is not stated";
}

std::string out_of_force(const ThresholdRule& rule, const Date& on) {
  if (rule.status == "vetoed") return "vetoed";
  if (rule.status == "passed") return "passed, signature not known on " + rule.source_date.to_string();
  if (rule.in_force.known() && on.days() < rule.in_force.days())
    return "not in force before " + rule.in_force.to_string();
  if (rule.until.known() && on.days() >= rule.until.days()) return rule.status + " since " + rule.until.to_string();
  return {};
}

}  // namespace

std::string Inclusion::in(std::string_view account) const {
  for (const auto& [name, word] : by_account) {
    if (name == account) return word;
  }
  return "unstated";
}

Result<Laws> Laws::read(const std::vector<const Source*>& tables) {
  Laws out;
  Diagnostics problems;
  std::vector<Source> kept;
  kept.reserve(2);
  read_rules(table_or_embedded(tables, "law/rules.csv", kept), out, problems);
  read_inclusions(table_or_embedded(tables, "law/inclusions.csv", kept), out, problems);
  if (!problems.empty()) return problems;
  return out;
}

const Laws& Laws::embedded() {
  static const Laws* const kLaws = [] {
    Result<Laws> read = Laws::read({});
    return new Laws(read ? std::move(*read) : Laws());
  }();
  return *kLaws;
}

std::vector<Assessment> assess(const AuditRun& run, const Methods& methods, const Traced& reconciled, const Laws& laws,
                               const Date& on, Trace& trace, Evaluations& evaluations) {
  const CountingMethod* operations = methods.find("operations");
  // The components were counted by operations; where the answer is another estimate of their sum, each is scaled with
  // it.
  const bool rescale = operations != nullptr && !evaluations.same(reconciled, operations->flop);
  std::vector<Assessment> out;
  for (const ThresholdRule& rule : laws.rules) {
    Assessment a;
    a.rule = &rule;
    a.threshold = rule.base_share > 0 && run.base_flop ? rule.base_share * run.base_flop->amount.best : rule.flop;
    std::vector<Traced> parts;
    std::vector<std::string> present;
    for (const CountedPart& c : methods.components) {
      const auto inclusion = std::find_if(laws.inclusions.begin(), laws.inclusions.end(),
                                          [&](const Inclusion& i) { return i.component == c.component; });
      const std::string word = inclusion == laws.inclusions.end() ? "unstated" : inclusion->in(rule.counts);
      present.push_back(c.component);
      if (word == "yes" || word == "partly") {
        parts.push_back(c.flop);
        a.counted.push_back(c.name + (word == "partly" ? " (in part)" : ""));
      } else {
        a.left_out.push_back(c.name + (word == "unstated" ? " (the rule does not say)" : ""));
      }
    }
    for (const Inclusion& inclusion : laws.inclusions) {
      const std::string word = inclusion.in(rule.counts);
      if ((word == "yes" || word == "partly") &&
          std::find(present.begin(), present.end(), inclusion.component) == present.end())
        a.not_given.push_back(inclusion.component);
    }
    const bool all = parts.size() == methods.components.size();
    a.flop = rescale && all ? reconciled : trace.sum(parts, dim::kFlop);
    if (rescale && !all && !parts.empty()) a.flop = a.flop * (reconciled / operations->flop);
    a.flop = trace.name("compute as " + rule.id + " counts it", a.flop, rule.source);
    a.why_not = inapplicable(run, rule);
    if (!a.why_not.empty()) a.standing = Standing::not_applicable;
    const std::string force = out_of_force(rule, on);
    a.in_force = force.empty();
    if (!force.empty() && a.why_not.empty()) a.why_not = force;
    out.push_back(std::move(a));
  }
  for (Assessment& a : out) {
    a.probability = evaluations.probability_above(a.flop, a.threshold);
    if (a.standing == Standing::not_applicable) continue;
    const double guess = a.flop.value();
    a.standing = guess > a.threshold ? Standing::above : a.probability > 0.05 ? Standing::near : Standing::below;
  }
  return out;
}

}  // namespace floptally
