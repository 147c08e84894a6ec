// Sensitivity: which fact, if known better, would narrow the answer most. First-order and total Sobol indices of the
// logarithm of a traced number (Saltelli et al. 2010, "Variance based sensitivity analysis of model output", the
// estimators of Jansen), over Latin-hypercube draws seeded by the leaves' names.
#pragma once

#include <string>
#include <vector>

#include "book/trace.h"

namespace floptally {

struct Sensitivity {
  std::string input;
  double first = 0;  // share of the variance that this input explains by itself
  double total = 0;  // share that would remain if all others were known
};

// Largest total first; nothing for a certain number. Logarithms are taken where all values are positive.
std::vector<Sensitivity> sobol_indices(const Trace& trace, NodeId id, std::uint32_t draws = 4096);

}  // namespace floptally
