#include "audit/methods.h"

#include <algorithm>
#include <cmath>

#include "audit/method_parts.h"
#include "book/leaf.h"

namespace floptally {
namespace {

// Whether the utilization was worked out from the operation count: then the two methods are one.
bool is_derived(const AuditRun& run, const Methods& out) {
  for (const Period& p : run.hardware) {
    if (p.derived) return true;
    if (!p.utilization || p.hardware_flop) continue;
    if (run.hardware.size() > 1) continue;
    const std::optional<double> time = device_seconds(run), peak = peak_of(p);
    if (!time || !peak) continue;
    constexpr double kSame = 0.015;  // two opinions come this close by chance once in twenty times
    const double counted =
        *time * *peak * p.utilization->amount.best + (run.base_flop ? run.base_flop->amount.best : 0);
    if (run.published && std::fabs(std::log(counted / run.published->amount.best)) < kSame) return true;
    if (const CountingMethod* operations = out.find("operations");
        operations && std::fabs(std::log(counted / operations->flop.value())) < kSame)
      return true;
  }
  return false;
}

// The compute as published; where the developers did not state it themselves, within the factor of Epoch AI's word for
// it.
void add_published(const AuditRun& run, const Assumptions& assumptions, Trace& trace, Methods& out) {
  const double factor = [&] {
    for (const ConfidenceWord& word : assumptions.words) {
      if (word.word == run.confidence) return word.factor;
    }
    return 3.0;
  }();
  Leaf published = leaf_of("published compute", run.published->amount, run.published->place, run.published->mark);
  published.dim = dim::kFlop;
  published.source = run.published->source;
  if (published.distribution.shape == Distribution::Shape::point && run.published_from != "developer") {
    published.distribution = Distribution::range(run.published->amount.best, run.published->amount.best / factor,
                                                 run.published->amount.best * factor);
  }
  out.methods.push_back({"published",
                         run.published_from.empty() ? "as stated" : "as stated (" + run.published_from + ")",
                         trace.leaf(std::move(published)),
                         {},
                         {},
                         false});
}

// Whether operations and hardware are two opinions or one.
void state_independence(const AuditRun& run, bool derived, Methods& out) {
  const auto by_time = std::find_if(out.methods.begin(), out.methods.end(), [](const CountingMethod& m) {
    return m.name == "hardware" || m.name == "energy" || m.name == "cost";
  });
  const auto operations = std::find_if(out.methods.begin(), out.methods.end(),
                                       [](const CountingMethod& m) { return m.name == "operations"; });
  if (by_time == out.methods.end() || operations == out.methods.end()) return;
  if (by_time->name == "hardware" && derived) {
    by_time->note = "not independent: its utilization was worked out from the operation count";
    out.findings.push_back(warning(
        "not-independent",
        "the utilization was worked out from the operation count: operations and hardware are one opinion, not two",
        run.hardware.front().utilization ? run.hardware.front().utilization->place : Span{},
        "a utilization measured from step times would be a second opinion"));
  } else {
    by_time->independent_of.emplace_back("operations");
    operations->independent_of.push_back(by_time->name);
  }
}

// What each method lacks of whose facts some are stated: "operations lack the tokens seen".
std::vector<std::string> lacking(const AuditRun& run) {
  std::vector<std::string> out;
  const auto lack = [&](bool lacks, const char* words) {
    if (lacks) out.emplace_back(words);
  };
  if (!run.phases.empty()) {
    const Phase& p = run.phases.front();
    const bool size = p.parameters || p.active, data = p.tokens || p.words;
    lack(size && !data && !p.examples, "operations lack the tokens seen (train.tokens)");
    lack(data && !size, "operations lack the parameters (model.parameters)");
    lack(p.examples && !p.connections && !data,
         "operations lack the multiply-adds of one example (model.connections): parameters alone do not say how often "
         "each is used");
    lack(p.connections && !p.examples, "operations lack the examples seen (train.examples)");
  }
  for (const Period& p : run.hardware) {
    const bool time = p.device_seconds || (p.devices && p.seconds) || p.joules || p.usd;
    lack(!time && p.devices && !p.seconds, "the hardware lacks its time (hardware.days)");
    lack(!time && p.seconds && !p.devices, "the hardware lacks the number of devices (hardware.devices)");
    lack(!time && p.device && !p.seconds && !p.devices, "the hardware lacks number and time (hardware.device_hours)");
    lack(time && !p.device && !p.peak && !p.rate, "the hardware lacks its device (hardware.device)");
  }
  return out;
}

Diagnostic missing(const std::vector<std::string>& lacks) {
  std::string message;
  for (const std::string& each : lacks) message += (message.empty() ? "" : "; ") + each;
  return error("missing-fact", message.empty() ? "nothing that compute can be counted from is stated" : message, {},
               "cheapest first: train.tokens with model.parameters (model.active_parameters for a mixture of experts); "
               "hardware.device_hours with hardware.device; hardware.devices, days and device; hardware.energy or cost "
               "with device; published.flop");
}

}  // namespace

Traced fact_leaf(Trace& trace, const std::string& name, const Fact& fact) {
  Leaf leaf = leaf_of(name, fact.amount, fact.place, fact.mark);
  leaf.dim = fact.amount.dim == dim::kFlopPerSecond ? kRatePerDevice : fact.amount.dim;
  if (!fact.source.empty()) leaf.source = fact.source;
  return trace.leaf(std::move(leaf));
}

Traced assumed_leaf(Trace& trace, const std::string& name, Distribution distribution, Dim dim, std::string source,
                    Mark mark) {
  Leaf leaf;
  leaf.name = name;
  leaf.distribution = std::move(distribution);
  leaf.dim = dim;
  leaf.mark = mark;
  leaf.source = std::move(source);
  return trace.leaf(std::move(leaf));
}

const CountingMethod* Methods::find(std::string_view name) const {
  const auto found =
      std::find_if(methods.begin(), methods.end(), [&](const CountingMethod& m) { return m.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

std::optional<double> peak_of(const Period& period) {
  if (period.peak) return period.peak->amount.best;
  if (!period.device) return std::nullopt;
  const std::optional<Arithmetic> format = period.format ? period.format : period.device->training_arithmetic();
  return format ? period.device->peak_of(*format) : std::nullopt;
}

std::optional<double> device_seconds(const AuditRun& run) {
  double total = 0;
  for (const Period& p : run.hardware) {
    if (p.device_seconds)
      total += p.device_seconds->amount.best;
    else if (p.devices && p.seconds)
      total += p.devices->amount.best * p.seconds->amount.best;
    else
      return std::nullopt;
  }
  return total > 0 ? std::optional(total) : std::nullopt;
}

std::optional<double> operations_flop(const AuditRun& run) {
  if (run.phases.empty()) return std::nullopt;
  const Phase& p = run.phases.front();
  if (p.connections && p.examples)
    return 6 * p.connections->amount.best * p.examples->amount.best * (p.passes ? p.passes->amount.best : 1);
  const MaybeFact& n = p.active ? p.active : run.architecture == "moe" ? p.active : p.parameters;
  if (!n || !p.tokens || !by_passes_of_tokens(run.architecture)) return std::nullopt;
  return flop_per_parameter(run.architecture) * n->amount.best * p.tokens->amount.best *
             (p.passes ? p.passes->amount.best : 1) +
         (run.base_flop ? run.base_flop->amount.best : 0);
}

Result<Methods> count_methods(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions,
                              Trace& trace) {
  Methods out;
  if (!run.phases.empty()) count_operations(run, assumptions, trace, out);
  if (!out.components.empty()) {
    std::vector<Traced> parts;
    for (const CountedPart& c : out.components) parts.push_back(c.flop);
    const bool moe = run.architecture == "moe";
    const bool exact = run.exact && run.exact->rules;
    out.methods.push_back({"operations",
                           exact                                   ? "exact count x " + run.exact->unit + "s"
                           : moe                                   ? std::string("6 x active parameters x tokens")
                           : run.architecture == "encoder-decoder" ? "3 x parameters x tokens"
                                                                   : "6 x parameters x tokens",
                           trace.sum(parts),
                           {},
                           {},
                           false});
    count_further(run, trace, out);
  }
  std::optional<double> counted = operations_flop(run);
  if (const CountingMethod* operations = out.find("operations"); operations && !counted)
    counted = operations->flop.value();
  const bool derived = is_derived(run, out);
  count_hardware(run, catalogue, assumptions, trace,
                 counted         ? *counted
                 : run.published ? run.published->amount.best
                                 : 1e23,
                 derived, out);
  if (run.published) add_published(run, assumptions, trace, out);
  const std::vector<std::string> lacks = lacking(run);
  if (out.methods.empty()) return missing(lacks);
  for (const std::string& each : lacks)
    if (!run.exact) out.findings.push_back(note("missing-fact", each));
  state_independence(run, derived, out);
  if (out.components.empty()) {
    // Hardware, energy or money stand before what was published.
    out.components.push_back({"all work", "pretraining", out.methods.front().flop, {}});
  }
  return out;
}

}  // namespace floptally