#include "book/trace.h"
#include "network/operators/_norm.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  norm_cost(flop_per_element::layer_norm, 2, a, c);
}

}  // namespace

extern const OperatorDef k_layer_norm;
const OperatorDef k_layer_norm = {"layer_norm",
                                  "layer norm over the last dimension",
                                  "Ba et al. 1607.06450; 5 FLOP per element as in ELECTRA's flops_computation.py; "
                                  "saved: the input, mean and inverse deviation",
                                  kNormAttributes,
                                  4,
                                  {"3 rows of 4 with scale and shift", {3, 4, 1, 1}, 8, 0, 60, 0, 0},
                                  cost<Integer>,
                                  cost<double>,
                                  cost<Traced>};

}  // namespace floptally::operators
