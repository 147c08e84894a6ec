// Reconciliation: whether the methods agree, what they say together, and what may have gone wrong where they do not.
//
// Independent estimates that agree are combined by inverse variance of their logarithms (the best linear combination of
// unbiased estimates); others never are. Where independent estimates disagree beyond their ranges, either may be right:
// the answer then draws one of them in every world.
#pragma once

#include <string>
#include <vector>

#include "audit/methods.h"
#include "book/worlds.h"

namespace floptally {

// A cause of a disagreement and its share of the belief, given the ratio seen.
struct RankedCause {
  const Cause* cause = nullptr;
  double share = 0;
};

struct Comparison {
  std::string a, b;   // methods
  double ratio = 1;   // a over b at the best guesses
  double sigma = 0;   // of ln(ratio), from the worlds
  bool agree = true;  // |ln ratio| <= 1.645 sigma
  bool independent = true;
  std::vector<RankedCause> causes;  // likeliest first, when they disagree
};

struct Reconciled {
  Traced flop;
  std::string basis;  // "operations and hardware, combined" ...
  double weight_of_operations = 1;
  std::vector<Comparison> comparisons;
  Diagnostics findings;
  // Narrowest of Epoch AI's words whose factor holds the 90% range; "Unknown" past them.
  std::string confidence;
};

Reconciled reconcile(const AuditRun& run, const Methods& methods, const Assumptions& assumptions, Trace& trace,
                     std::uint32_t worlds);

// Which causes may explain that method `a` says `ratio` times what `b` says.
std::vector<RankedCause> rank_causes(const AuditRun& run, const Assumptions& assumptions, const std::string& a,
                                     const std::string& b, double ratio, bool guessed);

}  // namespace floptally
