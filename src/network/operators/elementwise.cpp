#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers produced", 0, Axis::tokens},
    {"inputs", "tensors read", 0},
    {"flop", "operations per element", 0},
    {"kept", "input tensors kept for the backward pass (2 for a product of two)", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0], inputs = a[1], flop = a[2], kept = a[3];
  c.forward.other = flop * elements;
  c.backward_input.other = flop * elements;
  c.input = inputs * elements;
  c.output = elements;
  if (N(0) < kept) c.keep_input(kept * elements, false);
}

}  // namespace

extern const OperatorDef k_elementwise;
const OperatorDef k_elementwise = {"elementwise",
                                   "any element-by-element arithmetic (residual additions, masks, comparisons)",
                                   "one FLOP per arithmetic operation and element",
                                   kAttributes,
                                   4,
                                   {"a residual addition of 10 numbers", {10, 2, 1, 0}, 0, 0, 10, 0, 0},
                                   cost<Integer>,
                                   cost<double>,
                                   cost<Traced>};

}  // namespace floptally::operators
