#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers produced", 0, Axis::tokens},
    {"operations", "arithmetic operations, all numbers together", 0, Axis::tokens},
    {"parameters", "learned numbers among its inputs", 0, Axis::channels},
    {"buffers", "numbers held, not learned", 0},
    {"read", "activation numbers read", 0, Axis::tokens},
    {"kept", "numbers kept for the backward pass", 0, Axis::tokens},
    {"indices", "positions kept for the backward pass, of 8 bytes each", 0, Axis::tokens},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N flop = a[1];
  c.parameters = a[2];
  c.buffers = a[3];
  c.forward.other = flop;
  c.backward_input.other = flop;
  if (N(0) < a[2]) c.backward_weight.other = flop;
  c.input = a[4];
  c.output = a[0];
  if (N(0) < a[5]) c.keep(a[5], Keep::activation);
  if (N(0) < a[6]) c.keep(a[6], Keep::index);
}

}  // namespace

extern const OperatorDef k_pointwise;
const OperatorDef k_pointwise = {"pointwise",
                                 "arithmetic of an imported graph that is no matrix product",
                                 "one FLOP per arithmetic operation and element",
                                 kAttributes,
                                 7,
                                 {"10 numbers plus a learned bias", {10, 10, 10, 0, 10, 0, 0}, 10, 0, 10, 0, 0},
                                 cost<Integer>,
                                 cost<double>,
                                 cost<Traced>};

}  // namespace floptally::operators
