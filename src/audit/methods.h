// The ways to count a run's training compute from what is known of it: operations, hardware x time, energy, money.
//
// Sevilla et al. 2022, "Estimating Training Compute of Deep Learning Models": method 1 counts operations (2 FLOP per
// connection forward, twice that backward, per example and pass; 6 N D for a dense transformer), method 2 multiplies
// devices x time x peak x utilization. Every factor is a named uncertain input; equal names are one draw.
#pragma once

#include <string>
#include <vector>

#include "audit/account.h"
#include "audit/assumptions.h"
#include "book/trace.h"

namespace floptally {

// Compute of one component of the laws' accounts.
struct CountedPart {
  std::string name;
  std::string component;  // a row of data/law/inclusions.csv
  Traced flop;
  Span place;
};

struct CountingMethod {
  std::string name;     // "operations", "hardware", "energy", "cost", "published"
  std::string formula;  // in words
  Traced flop;
  std::vector<std::string> independent_of;  // methods whose facts have another source
  std::string note;
  bool assumed_utilization = false;
};

struct Methods {
  std::vector<CountedPart> components;  // by operations; else one of hardware
  std::vector<CountingMethod> methods;
  Diagnostics findings;  // not-independent ...
  [[nodiscard]] const CountingMethod* find(std::string_view name) const;
};

// What the uncertainty of published facts is called.
inline constexpr const char* kPublishedOverCounted = "published over counted";

// Everything the facts allow. Errors: missing-fact (what is needed, cheapest first), when no method can be had.
Result<Methods> count_methods(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions,
                              Trace& trace);

// Method 1 at the best guesses, without its uncertainty; nothing where its facts are missing. For scores over many
// runs.
std::optional<double> operations_flop(const AuditRun& run);
// Device-seconds of all periods together.
std::optional<double> device_seconds(const AuditRun& run);
// The dense peak a period's time is counted against.
std::optional<double> peak_of(const Period& period);

}  // namespace floptally
