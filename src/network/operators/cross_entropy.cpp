#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "predictions", 0, Axis::tokens},
    {"classes", "classes or vocabulary", 1, Axis::channels},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], classes = a[1];
  const N elements = rows * classes;
  c.forward.other = N(flop_per_element::cross_entropy) * elements;
  c.backward_input.other = N(2) * elements;
  c.input = elements;
  c.output = N(1);
  c.keep(elements, Keep::fp32);
  c.keep(rows, Keep::index);
}

}  // namespace

extern const OperatorDef k_cross_entropy;
const OperatorDef k_cross_entropy = {
    "cross_entropy",
    "softmax cross-entropy over logits and its fp32 buffer",
    "PyTorch torch.nn.functional.cross_entropy: log-probabilities are kept in fp32 for the backward pass",
    kAttributes,
    2,
    {"2 predictions over 5 classes", {2, 5}, 0, 0, 60, 0, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
