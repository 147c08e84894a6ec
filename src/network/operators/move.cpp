#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers copied", 0, Axis::tokens},
    {"buffers", "constants held by the network", 0},
    {"kept", "numbers that stay because what follows keeps a view into them", 0, Axis::tokens},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0], buffers = a[1];
  c.buffers = buffers;
  c.input = elements;
  c.output = elements;
  if (N(0) < a[2]) c.keep(a[2], Keep::activation);
}

}  // namespace

extern const OperatorDef k_move;
const OperatorDef k_move = {"move",
                            "copies without arithmetic (concatenate, transpose, pad, gather)",
                            "no FLOP; bytes moved",
                            kAttributes,
                            3,
                            {"a transpose of 10 numbers", {10, 0, 0}, 0, 0, 0, 0, 0},
                            cost<Integer>,
                            cost<double>,
                            cost<Traced>};

}  // namespace floptally::operators
