#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"parameters", "learned numbers", 0, Axis::channels},
    {"elements", "activation numbers they meet", 0, Axis::tokens},
    {"scales", "1: they multiply, so that their gradient needs what they met", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N parameters = a[0], elements = a[1];
  c.parameters = parameters;
  c.forward.other = elements;
  c.backward_input.other = elements;
  c.backward_weight.other = elements;
  c.input = elements;
  c.output = elements;
  if (N(0) < a[2]) c.keep_input(elements, true);
}

}  // namespace

extern const OperatorDef k_parameter;
const OperatorDef k_parameter = {"parameter",
                                 "learned numbers used element by element (class tokens, layer scale, gates)",
                                 "one multiplication or addition per element they meet",
                                 kAttributes,
                                 3,
                                 {"ViT's class token of width 4", {4, 4, 0}, 4, 0, 4, 0, 0},
                                 cost<Integer>,
                                 cost<double>,
                                 cost<Traced>};

}  // namespace floptally::operators
