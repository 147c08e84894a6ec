#include "book/trace.h"
#include "network/operator.h"
#include "network/ops.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers", 0, Axis::tokens},
    {"kind", "see Activation in ops.h", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0], kind = a[1];
  const N flop = activation_flop(kind);
  c.forward.other = flop * elements;
  c.backward_input.other = (flop + N(1)) * elements;
  c.input = elements;
  c.output = elements;
  c.keep_input(elements, false);
}

}  // namespace

extern const OperatorDef k_activation;
const OperatorDef k_activation = {
    "activation",
    "activation function, element by element",
    "counts per element: ELECTRA's flops_computation.py (GELU 8); a sigmoid is 4, a hyperbolic tangent 5",
    kAttributes,
    2,
    {"GELU of 10 numbers", {10, 1}, 0, 0, 80, 0, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
