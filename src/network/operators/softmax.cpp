#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "vectors", 0, Axis::tokens},
    {"width", "numbers per vector", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], width = a[1];
  const N elements = rows * width;
  c.forward.other = N(flop_per_element::softmax) * elements;
  c.backward_input.other = N(flop_per_element::softmax_backward) * elements;
  c.input = elements;
  c.output = elements;
  c.keep(elements, Keep::activation);
}

}  // namespace

extern const OperatorDef k_softmax;
const OperatorDef k_softmax = {"softmax",
                               "softmax over the last dimension",
                               "ELECTRA's flops_computation.py: 5 per element; saved: the output",
                               kAttributes,
                               2,
                               {"2 rows of 5", {2, 5}, 0, 0, 50, 0, 0},
                               cost<Integer>,
                               cost<double>,
                               cost<Traced>};

}  // namespace floptally::operators
