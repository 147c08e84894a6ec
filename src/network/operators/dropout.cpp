#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers", 0, Axis::tokens},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0];
  c.forward.other = N(flop_per_element::dropout) * elements;
  c.backward_input.other = elements;
  c.input = elements;
  c.output = elements;
  c.keep(elements, Keep::mask);
}

}  // namespace

extern const OperatorDef k_dropout;
const OperatorDef k_dropout = {"dropout",
                               "dropout; dense kernels still run, so it saves nothing",
                               "Srivastava et al. 2014; saved: one mask byte per element",
                               kAttributes,
                               1,
                               {"10 numbers", {10}, 0, 0, 20, 0, 0},
                               cost<Integer>,
                               cost<double>,
                               cost<Traced>};

}  // namespace floptally::operators
