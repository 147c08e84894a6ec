#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "vectors normalized", 0, Axis::tokens},
    {"width", "numbers per vector", 1, Axis::channels},
    {"scale", "1 with a learned scale", 0},
    {"shift", "1 with a learned shift", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], width = a[1], scale = a[2], shift = a[3], elements = rows * width;
  c.parameters = (scale + shift) * width;
  c.forward.other = N(flop_per_element::layer_norm) * elements;
  c.backward_input.other = N(flop_per_element::norm_backward) * elements;
  c.backward_weight.other = (N(2) * scale + shift) * elements;
  c.input = elements;
  c.output = elements;
  c.keep_input(elements, false);
  c.keep(N(2) * rows, Keep::fp32);
}

}  // namespace

extern const OperatorDef k_layer_norm;
const OperatorDef k_layer_norm = {"layer_norm",
                                  "layer norm over the last dimension",
                                  "Ba et al. 1607.06450; 5 FLOP per element as in ELECTRA's flops_computation.py; "
                                  "saved: the input, mean and inverse deviation",
                                  kAttributes,
                                  4,
                                  {"3 rows of 4 with scale and shift", {3, 4, 1, 1}, 8, 0, 60, 0, 0},
                                  cost<Integer>,
                                  cost<double>,
                                  cost<Traced>};

}  // namespace floptally::operators
