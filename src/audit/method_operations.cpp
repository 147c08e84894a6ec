#include <cstdio>

#include "audit/method_parts.h"

namespace floptally {
namespace {

constexpr const char* kSixNd = "Kaplan et al. 2020, section 2.1: 2 FLOP per parameter and token forward, 4 backward";
constexpr const char* kThreeNd =
    "Brown et al. 2020, table D.1: a token of an encoder-decoder passes half of the parameters";
constexpr const char* kConnections = "Sevilla et al. 2022, method 1: 2 x connections x 3 x examples x passes";

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
  Traced flop = each * fact_leaf(trace, prefix(run, phase) + (tokens ? "tokens" : "examples"), *seen);
  if (phase.passes) flop = flop * fact_leaf(trace, prefix(run, phase) + "passes", *phase.passes);
  return flop;
}

// The counting of operations, phase by phase.
class Operations {
 public:
  Operations(const AuditRun& run, const Assumptions& assumptions, Trace& trace)
      : run_(run), assumptions_(assumptions), trace_(trace) {
    if (counted_alone()) {
      residual_ = Traced(1.0);
    } else if (run.own_records) {
      residual_ =
          assumed_leaf(trace, "what 6ND leaves out", Distribution::range(1, 0.93, 1.1), dim::kNone,
                       "attention, embeddings and rounding: configs from 100M parameters on, sequences to 8,192");
    } else {
      residual_ = assumed_leaf(trace, kPublishedOverCounted,
                               assumptions.residual(residual_class(run), operations_flop(run).value_or(1e23)),
                               dim::kNone, "data/audit/residuals.csv, fitted on published runs");
    }
  }

  void count(Methods& out) {
    for (const Phase& phase : run_.phases) {
      const std::string architecture = phase.architecture.empty() ? run_.architecture : phase.architecture;
      if (phase.flop) {
        add(out, phase.name, phase.component, fact_leaf(trace_, prefix(run_, phase) + "FLOP", *phase.flop),
            phase.place);
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
                                fact_leaf(trace_, "base model", *run_.base_flop), run_.base_flop->place});
    }
  }

 private:
  // Whether the developer's own records are counted operator by operator: 6ND stands for nothing then.
  [[nodiscard]] bool counted_alone() const {
    if (!run_.own_records || !run_.exact || !run_.exact->rules || run_.phases.size() != 1) return false;
    const Phase& only = run_.phases.front();
    const bool seen = run_.exact->unit == "token" ? only.tokens.has_value() : only.examples.has_value();
    return seen && !only.connections && !only.generated && !only.scored && !only.flop;
  }

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
    if (active) return fact_leaf(trace_, at + (moe ? "active parameters" : "parameters"), *active);
    if (!all) return std::nullopt;
    const Traced parameters = fact_leaf(trace_, at + "parameters", *all);
    if (!moe) return parameters;
    const Distribution share = assumptions_.active_share(all->amount.best);
    char said[64];
    std::snprintf(said, sizeof said, "%.2g (%.1g to %.2g) of all", share.best, share.low, share.high);
    out.findings.push_back(warning("active-assumed",
                                   "the active parameters of this mixture of experts are not stated: " +
                                       std::string(said) + " are assumed, as is usual at its size",
                                   all->place, "state model.active_parameters"));
    return parameters * assumed_leaf(trace_, at + "active share of the parameters", share, dim::kNone,
                                     "data/audit/active_share.csv, fitted on mixtures of experts that state both");
  }

  Traced tokens_of(const std::string& at, const Fact& words) {
    const Traced stated = fact_leaf(trace_, at + "words", words);
    return stated * assumed_leaf(trace_, "tokens of a word",
                                 Distribution::range(assumptions_.tokens_per_word, assumptions_.tokens_per_word_low,
                                                     assumptions_.tokens_per_word_high),
                                 dim::kNone, "data/audit/words.csv");
  }

  void updates(Methods& out, const Phase& phase, const std::string& architecture) {
    const std::string at = prefix(run_, phase);
    if (phase.connections && phase.examples) {
      const Traced each = trace_.constant(Integer(6), dim::kFlop / dim::kSample) *
                          fact_leaf(trace_, at + "connections", *phase.connections);
      Traced seen = fact_leaf(trace_, at + "examples", *phase.examples);
      if (phase.passes) seen = seen * fact_leaf(trace_, at + "passes", *phase.passes);
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
    if ((!phase.tokens && !phase.words) || !by_passes_of_tokens(architecture)) return;
    const std::optional<Traced> n = weights(out, phase, architecture);
    if (!n) return;
    const Traced per =
        trace_.constant(Integer(flop_per_parameter(architecture)), dim::kFlop / (dim::kParameter * dim::kToken));
    Traced seen = phase.tokens ? fact_leaf(trace_, at + "tokens", *phase.tokens) : tokens_of(at, *phase.words);
    if (phase.passes) seen = seen * fact_leaf(trace_, at + "passes", *phase.passes);
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
    const Traced flop = per * n * fact_leaf(trace_, at + what + " tokens", tokens);
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

}  // namespace

bool by_passes_of_tokens(const std::string& architecture) {
  return architecture == "dense" || architecture == "moe" || architecture == "encoder-decoder" ||
         architecture == "recurrent";
}

int flop_per_parameter(const std::string& architecture) { return architecture == "encoder-decoder" ? 3 : 6; }

void count_operations(const AuditRun& run, const Assumptions& assumptions, Trace& trace, Methods& out) {
  Operations(run, assumptions, trace).count(out);
}

void count_further(const AuditRun& run, Trace& trace, Methods& out) {
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
  const Traced tokens = fact_leaf(trace, "tokens", *p.tokens);
  const Traced matmul =
      trace.constant(Integer(6), dim::kFlop / (dim::kParameter * dim::kToken)) * fact_leaf(trace, "parameters", *n);
  // One after the other: the order of a compiler's operands would be that of the answer's inputs.
  const Traced layers = fact_leaf(trace, "layers", *p.layers);
  const Traced width = fact_leaf(trace, "width", *p.width);
  const Traced sequence = fact_leaf(trace, "sequence", *p.sequence);
  const Traced scores = trace.constant(Integer(12), dim::kFlop / dim::kToken) * layers * width * sequence;
  Traced flop = tokens * (matmul + scores);
  if (p.passes) flop = flop * fact_leaf(trace, "passes", *p.passes);
  out.methods.push_back(
      {"operations with attention",
       "(6 N + 12 layers x width x sequence) x tokens, full square",
       trace.name("operations with attention", flop, "Chowdhery et al. 2022, appendix B: 6N + 12LHQT per token"),
       {},
       "the same facts, counted further",
       false});
}

}  // namespace floptally
