#include "book/trace.h"
#include "network/operator.h"
#include "network/ops.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers in each of gate and up", 0, Axis::tokens},
    {"kind", "see Activation in ops.h", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0], kind = a[1];
  const N flop = activation_flop(kind) + N(1);
  c.forward.other = flop * elements;
  c.backward_input.other = (flop + N(2)) * elements;
  c.input = N(2) * elements;
  c.output = elements;
  c.keep_input(N(2) * elements, false);
}

}  // namespace

extern const OperatorDef k_gated_activation;
const OperatorDef k_gated_activation = {"gated_activation",
                                        "act(gate) * up: the middle of a gated feed-forward layer",
                                        "Shazeer 2002.05202 (GLU variants)",
                                        kAttributes,
                                        2,
                                        {"SwiGLU's middle, 10 numbers (SiLU 5 + 1)", {10, 2}, 0, 0, 60, 0, 0},
                                        cost<Integer>,
                                        cost<double>,
                                        cost<Traced>};

}  // namespace floptally::operators
