#include "audit/methods.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "book/leaf.h"

namespace floptally {
namespace {

constexpr const char* kSixNd = "Kaplan et al. 2020, section 2.1: 2 FLOP per parameter and token forward, 4 backward";
constexpr const char* kThreeNd =
    "Brown et al. 2020, table D.1: a token of an encoder-decoder passes half of the parameters";
constexpr const char* kConnections = "Sevilla et al. 2022, method 1: 2 x connections x 3 x examples x passes";
constexpr const char* kTime = "Sevilla et al. 2022, method 2: time x devices x peak x utilization";

// A rate that was stated of one device.
constexpr Dim kRate = dim::kFlopPerSecond / dim::kDevice;

Traced leaf(Trace& trace, const std::string& name, const Fact& fact) {
  Leaf leaf = leaf_of(name, fact.amount, fact.place, fact.mark);
  leaf.dim = fact.amount.dim == dim::kFlopPerSecond ? kRate : fact.amount.dim;
  if (!fact.source.empty()) leaf.source = fact.source;
  return trace.leaf(std::move(leaf));
}

Traced assumed(Trace& trace, const std::string& name, Distribution distribution, Dim dim, std::string source,
               Mark mark = Mark::assumed) {
  Leaf leaf;
  leaf.name = name;
  leaf.distribution = std::move(distribution);
  leaf.dim = dim;
  leaf.mark = mark;
  leaf.source = std::move(source);
  return trace.leaf(std::move(leaf));
}

bool by_passes_of_tokens(const std::string& architecture) {
  return architecture == "dense" || architecture == "moe" || architecture == "encoder-decoder" ||
         architecture == "recurrent";
}

int flop_per_parameter(const std::string& architecture) { return architecture == "encoder-decoder" ? 3 : 6; }

// The row of data/audit/residuals.csv that says how far such a count lies from published compute.
std::string_view residual_class(const AuditRun& run) {
  if (run.checked) return "operations-checked";
  if (!run.from_table) return "operations";
  if (run.domain == "multimodal") return "multimodal";
  if (run.domain != "language") return "other-domains";
  return !run.phases.empty() && run.phases.front().passes ? "table-passes" : "table";
}

std::string prefix(const AuditRun& run, const Phase& phase) {
  return run.phases.size() > 1 ? phase.name + ": " : std::string();
}

// The network's own operators times what it saw; nothing where that is not known.
std::optional<Traced> exactly(const AuditRun& run, const Phase& phase, Trace& trace) {
  const bool tokens = run.exact->unit == "token";
  const MaybeFact& seen = tokens ? phase.tokens : phase.examples;
  if (!seen) return std::nullopt;
  const Dim per = dim::kFlop / (tokens ? dim::kToken : dim::kSample);
  const Traced each =
      trace.name("FLOP per " + run.exact->unit, trace.constant(run.exact->flop, per) / Traced(run.exact->units),
                 "counted from the network of " + run.exact->name);
  Traced flop = each * leaf(trace, prefix(run, phase) + (tokens ? "tokens" : "examples"), *seen);
  if (phase.passes) flop = flop * leaf(trace, prefix(run, phase) + "passes", *phase.passes);
  return flop;
}

// The counting of operations, phase by phase.
class Operations {
 public:
  Operations(const AuditRun& run, const Assumptions& assumptions, Trace& trace)
      : run_(run), assumptions_(assumptions), trace_(trace) {
    if (run.own_records) {
      residual_ = assumed(trace, "what 6ND leaves out", Distribution::range(1, 0.93, 1.1), dim::kNone,
                          "attention, embeddings and rounding: configs from 100M parameters on, sequences to 8,192");
    } else {
      residual_ = assumed(trace, "published over counted",
                          assumptions.residual(residual_class(run), operations_flop(run).value_or(1e23)), dim::kNone,
                          "data/audit/residuals.csv, fitted on published runs");
    }
  }

  void count(Methods& out) {
    for (const Phase& phase : run_.phases) {
      const std::string architecture = phase.architecture.empty() ? run_.architecture : phase.architecture;
      if (phase.flop) {
        add(out, phase.name, phase.component, leaf(trace_, prefix(run_, phase) + "FLOP", *phase.flop), phase.place);
        continue;
      }
      updates(out, phase, architecture);
      if (!phase.generated && !phase.scored) continue;
      const std::optional<Traced> n = weights(out, phase, architecture);
      if (n && phase.generated)
        forward(out, phase, *n, *phase.generated, "generated", phase.public_data ? "public-synthetic" : "generation");
      if (n && phase.scored) forward(out, phase, *n, *phase.scored, "scored", "scoring");
    }
    if (run_.base_flop && !out.components.empty()) {
      out.components.push_back({run_.base.empty() ? "base model" : run_.base, "base",
                                leaf(trace_, "base model", *run_.base_flop), run_.base_flop->place});
    }
  }

 private:
  // The parameters a token passes through. A mixture of experts that does not state its active ones is given the share
  // that is usual at its size, and the answer says so.
  std::optional<Traced> weights(Methods& out, const Phase& phase, const std::string& architecture) {
    const Phase& first = run_.phases.front();
    const bool own = phase.active || phase.parameters;
    const MaybeFact& active = own ? phase.active : first.active;
    const MaybeFact& all = own ? phase.parameters : first.parameters;
    const std::string at = prefix(run_, own ? phase : first);
    // Nobody has published a dense model so large: one that does not say is taken for a mixture.
    const bool unsaid =
        architecture == "dense" && !run_.architecture_stated && all && all->amount.best > assumptions_.dense_limit;
    const bool moe = architecture == "moe" || unsaid;
    if (active) return leaf(trace_, at + (moe ? "active parameters" : "parameters"), *active);
    if (!all) return std::nullopt;
    const Traced parameters = leaf(trace_, at + "parameters", *all);
    if (!moe) return parameters;
    const Distribution share = assumptions_.active_share(all->amount.best);
    char said[64];
    std::snprintf(said, sizeof said, "%.2g (%.1g to %.2g) of all", share.best, share.low, share.high);
    out.findings.push_back(warning("active-assumed",
                                   "the active parameters of this mixture of experts are not stated: " +
                                       std::string(said) + " are assumed, as is usual at its size",
                                   all->place, "state model.active_parameters"));
    return parameters * assumed(trace_, at + "active share of the parameters", share, dim::kNone,
                                "data/audit/active_share.csv, fitted on mixtures of experts that state both");
  }

  void updates(Methods& out, const Phase& phase, const std::string& architecture) {
    const std::string at = prefix(run_, phase);
    if (phase.connections && phase.examples) {
      const Traced each =
          trace_.constant(Integer(6), dim::kFlop / dim::kSample) * leaf(trace_, at + "connections", *phase.connections);
      Traced seen = leaf(trace_, at + "examples", *phase.examples);
      if (phase.passes) seen = seen * leaf(trace_, at + "passes", *phase.passes);
      add(out, phase.name, phase.component,
          trace_.name(at + "operations counted", each * seen, kConnections) * residual_, phase.place);
      return;
    }
    if (&phase == &run_.phases.front() && run_.exact && run_.exact->rules) {
      if (const std::optional<Traced> counted = exactly(run_, phase, trace_)) {
        add(out, phase.name, phase.component,
            trace_.name(at + "operations counted", *counted, "counted operator by operator: " + run_.exact->name) *
                residual_,
            phase.place);
        return;
      }
    }
    if (!phase.tokens || !by_passes_of_tokens(architecture)) return;
    const std::optional<Traced> n = weights(out, phase, architecture);
    if (!n) return;
    const Traced per =
        trace_.constant(Integer(flop_per_parameter(architecture)), dim::kFlop / (dim::kParameter * dim::kToken));
    Traced seen = leaf(trace_, at + "tokens", *phase.tokens);
    if (phase.passes) seen = seen * leaf(trace_, at + "passes", *phase.passes);
    const Traced counted = per * *n * seen;
    add(out, phase.name, phase.component,
        trace_.name(at + "operations counted", counted, architecture == "encoder-decoder" ? kThreeNd : kSixNd) *
            residual_,
        phase.place);
  }

  void forward(Methods& out, const Phase& phase, const Traced& n, const Fact& tokens, const std::string& what,
               const std::string& component) {
    const Traced per = trace_.constant(Integer(2), dim::kFlop / (dim::kParameter * dim::kToken));
    const std::string at = prefix(run_, phase);
    const Traced flop = per * n * leaf(trace_, at + what + " tokens", tokens);
    add(out, phase.name + ", " + what, component,
        trace_.name(at + what, flop, "2 FLOP per parameter and token of a forward pass") * residual_, phase.place);
  }

  static void add(Methods& out, std::string name, std::string component, const Traced& flop, Span place) {
    out.components.push_back({std::move(name), std::move(component), flop, place});
  }

  const AuditRun& run_;
  const Assumptions& assumptions_;
  Trace& trace_;
  Traced residual_;
};

// Devices, time and rate, period by period; and what energy or money say of device-time.
class Hardware {
 public:
  // `derived`: the utilization was worked out from the operation count, so that nothing was lost of it.
  Hardware(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions, Trace& trace,
           double flop_hint, bool derived)
      : run_(run),
        catalogue_(catalogue),
        assumptions_(assumptions),
        trace_(trace),
        hint_(flop_hint),
        derived_(derived) {}

  void count(Methods& out) {
    std::vector<Traced> by_time, by_energy, by_cost;
    bool guessed = false;
    for (const Period& period : run_.hardware) {
      bool guess = false;
      const std::optional<Traced> rate = achieved(period, guess);
      if (!rate) continue;
      if (const std::optional<Traced> time = device_time(period)) {
        by_time.push_back(
            trace_.name(at(period) + "work of the hardware", *time * *rate * stated_residual(period, guess), kTime));
        guessed = guessed || guess;
        continue;  // device-time is stated: energy and money say less of it
      }
      if (const std::optional<Traced> time = time_from_energy(period)) by_energy.push_back(*time * *rate);
      if (const std::optional<Traced> time = time_from_cost(period)) by_cost.push_back(*time * *rate);
    }
    add(out, "hardware", "devices x time x peak x utilization", by_time, guessed);
    add(out, "energy", "energy / power of a device x peak x utilization", by_energy, true);
    add(out, "cost", "money / price of a device-hour x peak x utilization", by_cost, true);
  }

 private:
  [[nodiscard]] std::string at(const Period& period) const {
    if (run_.hardware.size() < 2) return {};
    return (period.name.empty() ? "period " + std::to_string(&period - run_.hardware.data() + 1) : period.name) + ": ";
  }

  void add(Methods& out, std::string name, std::string formula, const std::vector<Traced>& parts, bool guessed) {
    if (parts.empty()) return;
    Traced total = trace_.sum(parts);
    if (run_.base_flop) total = total + leaf(trace_, "base model", *run_.base_flop);
    out.methods.push_back({std::move(name), std::move(formula), total, {}, {}, guessed});
  }

  std::optional<Traced> device_time(const Period& p) {
    if (p.device_seconds) return leaf(trace_, at(p) + "device-hours", *p.device_seconds);
    if (p.devices && p.seconds)
      return leaf(trace_, at(p) + "devices", *p.devices) * leaf(trace_, at(p) + "time", *p.seconds);
    return std::nullopt;
  }

  std::optional<Traced> achieved(const Period& p, bool& guessed) {
    if (p.rate) return leaf(trace_, at(p) + "rate", *p.rate);
    std::optional<Traced> peak;
    if (p.peak) {
      peak = leaf(trace_, at(p) + "peak", *p.peak);
    } else if (const std::optional<double> value = peak_of(p)) {
      const std::string format(name_of(p.format ? *p.format : *p.device->training_arithmetic()));
      std::vector<double> peaks;
      for (const Device* variant : p.variants) {
        Period other = p;
        other.device = variant;
        if (const std::optional<double> each = peak_of(other)) peaks.push_back(*each);
      }
      const bool several = peaks.size() > 1 && *std::max_element(peaks.begin(), peaks.end()) >
                                                   1.001 * *std::min_element(peaks.begin(), peaks.end());
      peak = assumed(trace_,
                     at(p) + "dense " + format + " peak of " + p.device->name + (several ? " or its variants" : ""),
                     several ? Distribution::either(std::move(peaks)) : Distribution::point(*value), kRate,
                     "data/hardware/devices.csv:" + std::to_string(p.device->row) + ", " + p.device->source,
                     several ? Mark::assumed : Mark::catalogue);
    }
    if (!peak) return std::nullopt;
    Traced utilization;
    if (p.utilization) {
      utilization = leaf(trace_, at(p) + "utilization", *p.utilization);
    } else {
      guessed = true;
      utilization = guessed_utilization(p);
    }
    if (p.hardware_flop) {
      utilization =
          utilization * assumed(trace_, "model FLOP in hardware FLOP", Distribution::range(0.8, 0.74, 0.99, true),
                                dim::kNone, "6 of 8 FLOP with all activations recomputed, 6 of 6 with none");
    }
    return *peak * utilization;
  }

  Traced guessed_utilization(const Period& p) {
    const bool language = run_.domain == "language" || run_.domain == "multimodal";
    if (run_.utilization_option == "article") {
      const double value = language ? assumptions_.article_language : assumptions_.article_other;
      return assumed(trace_, at(p) + "utilization",
                     Distribution::range(value, value / 2, std::min(2 * value, 0.97), true), dim::kNone,
                     "Sevilla et al. 2022: 30% for language models, 40% for others; within a factor of 2");
    }
    return assumed(trace_, at(p) + "utilization", assumptions_.utilization(hint_, run_, p.device), dim::kNone,
                   "data/audit/utilization.csv, fitted on published runs");
  }

  // A utilization of good steps times the hours of the whole run is too much work: restarts, stalls, smaller phases.
  Traced stated_residual(const Period& p, bool guessed) {
    if (guessed || p.rate) return Traced(1.0);
    Distribution kept = assumptions_.residual("hardware-stated", hint_);
    if (p.of_steps && !derived_) {
      kept.best = kept.quantile(0.5);
      return assumed(trace_, "kept of the utilization over the whole time", std::move(kept), dim::kNone,
                     "data/audit/residuals.csv: published runs that report both");
    }
    if (run_.own_records) return Traced(1.0);
    const double half = kept.quantile(0.95) / kept.quantile(0.5);
    return assumed(trace_, "published over hardware count", Distribution::range(1, 1 / half, half), dim::kNone,
                   "data/audit/residuals.csv");
  }

  Traced overhead(const Period& p, const char* quantity, double low, double high) {
    const Overhead* row = p.device ? catalogue_.overhead(quantity, *p.device) : catalogue_.overhead(quantity, "any");
    const double value = row ? row->value : 1;
    return assumed(
        trace_, quantity,
        Distribution::range(value, row && row->low ? *row->low : value * low,
                            row && row->high ? *row->high : value * high),
        dim::kNone,
        row ? "data/hardware/overheads.csv:" + std::to_string(row->row) + ", " + row->source : std::string());
  }

  std::optional<Traced> time_from_energy(const Period& p) {
    if (!p.joules || !p.device || !p.device->watts) return std::nullopt;
    const Traced watts = assumed(trace_, at(p) + "power of " + p.device->name, Distribution::point(*p.device->watts),
                                 dim::kWatt / dim::kDevice,
                                 "data/hardware/devices.csv:" + std::to_string(p.device->row), Mark::catalogue);
    const Traced power = watts * overhead(p, "server-power-ratio", 0.8, 1.2) * overhead(p, "load-fraction", 0.8, 1.25) *
                         overhead(p, "pue", 0.9, 1.3);
    return leaf(trace_, at(p) + "energy", *p.joules) / power;
  }

  std::optional<Traced> time_from_cost(const Period& p) {
    if (!p.usd) return std::nullopt;
    if (p.price) return leaf(trace_, at(p) + "cost", *p.usd) / leaf(trace_, at(p) + "price", *p.price);
    if (!p.device) return std::nullopt;
    std::vector<double> near;
    for (const Price* price : catalogue_.prices_of(*p.device)) {
      if (price->kind == PriceKind::purchase || price->kind == PriceKind::spot) continue;
      if (run_.date.known() && std::abs(static_cast<double>(price->date.days() - run_.date.days())) > 550) continue;
      near.push_back(price->usd / 3600);
    }
    if (near.size() < 2) return std::nullopt;
    std::sort(near.begin(), near.end());
    const Traced price =
        assumed(trace_, at(p) + "price of " + p.device->name, Distribution::samples(near), dim::kUsdPerDeviceSecond,
                std::to_string(near.size()) + " rows of data/hardware/prices.csv near the run's date", Mark::catalogue);
    return leaf(trace_, at(p) + "cost", *p.usd) / price;
  }

  const AuditRun& run_;
  const Catalogue& catalogue_;
  const Assumptions& assumptions_;
  Trace& trace_;
  double hint_;
  bool derived_;
};

void attention_row(const AuditRun& run, Trace& trace, Methods& out) {
  if (run.phases.empty() || !out.find("operations")) return;
  if (run.exact && !run.exact->rules && run.phases.size() == 1) {
    if (const std::optional<Traced> flop = exactly(run, run.phases.front(), trace)) {
      out.methods.push_back(
          {"operations, exact count",
           "operator by operator, attention over the causal half",
           trace.name("operations, exact count", *flop, "counted from the network of " + run.exact->name),
           {},
           "the same facts, counted further",
           false});
    }
  }
  const Phase& p = run.phases.front();
  const MaybeFact& n = p.active ? p.active : p.parameters;
  if (!p.layers || !p.width || !p.sequence || !n || !p.tokens || run.architecture == "moe" || run.phases.size() > 1)
    return;
  const Traced tokens = leaf(trace, "tokens", *p.tokens);
  const Traced matmul =
      trace.constant(Integer(6), dim::kFlop / (dim::kParameter * dim::kToken)) * leaf(trace, "parameters", *n);
  const Traced scores = trace.constant(Integer(12), dim::kFlop / dim::kToken) * leaf(trace, "layers", *p.layers) *
                        leaf(trace, "width", *p.width) * leaf(trace, "sequence", *p.sequence);
  Traced flop = tokens * (matmul + scores);
  if (p.passes) flop = flop * leaf(trace, "passes", *p.passes);
  out.methods.push_back(
      {"operations with attention",
       "(6 N + 12 layers x width x sequence) x tokens, full square",
       trace.name("operations with attention", flop, "Chowdhery et al. 2022, appendix B: 6N + 12LHQT per token"),
       {},
       "the same facts, counted further",
       false});
}

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
    by_time->independent_of.push_back("operations");
    operations->independent_of.push_back(by_time->name);
  }
}

Diagnostic missing() {
  std::string help =
      "cheapest first: train.tokens with model.parameters (model.active_parameters for a mixture of experts)";
  help +=
      "; hardware.device_hours with hardware.device; hardware.devices, days and device; hardware.energy or cost with "
      "device; published.flop";
  return error("missing-fact", "nothing that compute can be counted from is stated", {}, help);
}

}  // namespace

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
  if (!run.phases.empty()) Operations(run, assumptions, trace).count(out);
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
    attention_row(run, trace, out);
  }
  std::optional<double> counted = operations_flop(run);
  if (const CountingMethod* operations = out.find("operations"); operations && !counted)
    counted = operations->flop.value();
  const bool derived = is_derived(run, out);
  Hardware(run, catalogue, assumptions, trace,
           counted         ? *counted
           : run.published ? run.published->amount.best
                           : 1e23,
           derived)
      .count(out);
  if (run.published) add_published(run, assumptions, trace, out);
  if (out.methods.empty()) return missing();
  state_independence(run, derived, out);
  if (out.components.empty()) {
    // Hardware, energy or money stand before what was published.
    out.components.push_back({"all work", "pretraining", out.methods.front().flop, {}});
  }
  return out;
}

}  // namespace floptally
