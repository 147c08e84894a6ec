#include "audit/reconcile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace floptally {
namespace {

constexpr double kZ95 = 1.6448536269514722;
constexpr double kWorthNaming = 0.18;  // ln 1.2: nearer than that is rounding and attention

// Half the width of the 90% range of ln(x), in standard deviations of a normal.
double log_sigma(const Worlds& worlds, const Traced& x) {
  if (!x.trace() || !x.trace()->node(x.id()).uncertain) return 0;
  const std::vector<Percentiles> p = worlds.percentiles({x.id()});
  return p[0].p5 > 0 ? std::log(p[0].p95 / p[0].p5) / (2 * kZ95) : 10;
}

bool needed(const AuditRun& run, const Cause& cause, bool guessed) {
  if (cause.needs.empty()) return true;
  if (cause.needs == "moe") return run.architecture == "moe" || run.phases.empty() || !run.phases.front().active;
  if (cause.needs == "language") return run.domain == "language" || run.domain == "multimodal";
  if (cause.needs == "finetuned") return run.base_flop.has_value() || !run.base.empty();
  if (cause.needs == "assumed-utilization") return guessed;
  if (cause.needs == "tpu")
    return std::any_of(run.hardware.begin(), run.hardware.end(),
                       [](const Period& p) { return p.device && p.device->kind == "tpu"; });
  return true;
}

std::string side_of(const std::string& method) {
  return method.starts_with("operations") ? "operations" : method == "published" ? "published" : "hardware";
}

Comparison compare(const AuditRun& run, const Assumptions& assumptions, const Worlds& worlds, const CountingMethod& a,
                   const CountingMethod& b) {
  Comparison c{a.name, b.name, a.flop.value() / b.flop.value(), 0, true, true, {}};
  c.independent = std::find(a.independent_of.begin(), a.independent_of.end(), b.name) != a.independent_of.end();
  c.sigma = std::hypot(log_sigma(worlds, a.flop), log_sigma(worlds, b.flop));
  c.agree = std::fabs(std::log(c.ratio)) <= std::max(kZ95 * c.sigma, 0.02);
  if (!c.agree || std::fabs(std::log(c.ratio)) > kWorthNaming)
    c.causes = rank_causes(run, assumptions, a.name, b.name, c.ratio, a.assumed_utilization || b.assumed_utilization);
  return c;
}

std::string times(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", ratio);
  return text;
}

std::string sentence(const Comparison& c) {
  std::string text;
  for (const RankedCause& each : c.causes) {
    char share[16];
    std::snprintf(share, sizeof share, " (%.0f%%)", 100 * each.share);
    text += (text.empty() ? "" : "; ") + each.cause->explanation + share;
  }
  return text;
}

// One of two estimates, either as likely as the other: a choice in every world, the first at the best guess.
Traced either(Trace& trace, const Traced& a, const Traced& b) {
  Leaf choice;
  choice.name = "which method is right";
  choice.distribution = Distribution::either({0, 1});
  choice.mark = Mark::assumed;
  choice.source = "they disagree beyond their ranges";
  const Traced k = trace.leaf(std::move(choice));
  return a * (Traced(1.0) - k) + b * k;
}

}  // namespace

std::vector<RankedCause> rank_causes(const AuditRun& run, const Assumptions& assumptions, const std::string& a,
                                     const std::string& b, double ratio, bool guessed) {
  std::vector<RankedCause> ranked;
  double total = 0;
  const double seen = std::log(ratio);
  for (const Cause& cause : assumptions.causes) {
    if (!needed(run, cause, guessed)) continue;
    double sign = 0;
    if (cause.side == side_of(a)) sign = 1;
    if (cause.side == side_of(b) || side_of(b) == "published")
      sign = -1;  // what was published may rest on either method
    if (side_of(b) == "published" && cause.side == side_of(a) && seen * std::log(cause.factor) > 0) sign = 1;
    if (sign == 0) continue;
    constexpr double kSlack = 0.12;  // what else the two differ by
    const double spread = std::hypot(cause.spread, kSlack);
    const double z = (seen - sign * std::log(cause.factor)) / spread;
    const double belief = cause.weight * std::exp(-0.5 * z * z) / spread;
    total += belief;
    ranked.push_back({&cause, belief});
  }
  if (!(total > 0)) return {};
  for (RankedCause& each : ranked) each.share /= total;
  std::sort(ranked.begin(), ranked.end(), [](const RankedCause& x, const RankedCause& y) { return x.share > y.share; });
  constexpr std::size_t kShown = 3;
  constexpr double kWorthSaying = 0.05;
  std::vector<RankedCause> kept;
  for (const RankedCause& each : ranked) {
    if (kept.size() < kShown && each.share > kWorthSaying) kept.push_back(each);
  }
  return kept;
}

Reconciled reconcile(const AuditRun& run, const Methods& methods, const Assumptions& assumptions, Trace& trace,
                     std::uint32_t count) {
  Reconciled out;
  const CountingMethod* operations = methods.find("operations");
  const CountingMethod* hardware = methods.find("hardware") ? methods.find("hardware")
                                   : methods.find("energy") ? methods.find("energy")
                                                            : methods.find("cost");
  const CountingMethod* published = methods.find("published");
  {
    const Worlds worlds(trace, count);
    if (operations && hardware) out.comparisons.push_back(compare(run, assumptions, worlds, *operations, *hardware));
    if (published && operations) out.comparisons.push_back(compare(run, assumptions, worlds, *operations, *published));
    if (published && hardware) out.comparisons.push_back(compare(run, assumptions, worlds, *hardware, *published));
    const CountingMethod* only = operations ? operations : hardware ? hardware : published;
    if (only == nullptr) return out;  // count_methods() found one at least
    out.flop = only->flop;
    out.basis = only->name;
    if (operations && hardware) {
      const Comparison& c = out.comparisons.front();
      if (!c.independent) {
        out.basis = "operations (" + hardware->name + " is no second opinion)";
      } else if (c.agree && log_sigma(worlds, operations->flop) == 0) {
        out.basis = "operations, an exact count of the stated facts (" + hardware->name + " agrees)";
      } else if (c.agree) {
        const double s1 = std::max(log_sigma(worlds, operations->flop), 1e-3),
                     s2 = std::max(log_sigma(worlds, hardware->flop), 1e-3);
        const double w = (1 / (s1 * s1)) / (1 / (s1 * s1) + 1 / (s2 * s2));
        out.weight_of_operations = w;
        out.flop = exp(Traced(w) * log(operations->flop) + Traced(1 - w) * log(hardware->flop));
        out.flop = trace.as(out.flop, dim::kFlop);
        out.basis = "operations and " + hardware->name + ", combined by inverse variance";
      } else {
        // The best guess is the method that the likeliest cause does not blame.
        const bool blamed = !c.causes.empty() && c.causes.front().cause->side == "operations";
        out.flop =
            blamed ? either(trace, hardware->flop, operations->flop) : either(trace, operations->flop, hardware->flop);
        out.basis =
            (blamed ? hardware->name + " or operations" : "operations or " + hardware->name) + ": they disagree";
      }
    }
  }
  out.flop = trace.name("training compute", out.flop, out.basis);
  for (const Comparison& c : out.comparisons) {
    if (!c.independent && c.a == "operations" && c.b != "published") continue;  // said already
    if (c.agree && c.causes.empty()) continue;
    if (c.agree && c.a == "hardware" && out.comparisons.size() == 3) continue;  // operations against published says it
    out.findings.push_back((c.agree ? note : warning)(c.agree ? "far-apart" : "methods-disagree",
                                                      c.a + " says " + times(c.ratio) + " times what " +
                                                          (c.b == "published" ? "was published" : c.b + " says") +
                                                          (c.agree ? ", within their ranges" : ", beyond their ranges"),
                                                      {}, sentence(c)));
  }
  const Worlds worlds(trace, count);
  const double sigma = log_sigma(worlds, out.flop);
  out.confidence = "Unknown";
  for (const ConfidenceWord& word : assumptions.words) {
    if (out.confidence == "Unknown" && std::exp(kZ95 * sigma) <= word.factor) out.confidence = word.word;
  }
  return out;
}

}  // namespace floptally
