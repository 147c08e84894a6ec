#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"batch", "independent products", 0, Axis::tokens},
    {"rows", "rows of the left matrix", 0, Axis::tokens},
    {"inner", "columns of the left, rows of the right matrix", 0, Axis::channels},
    {"columns", "columns of the right matrix", 0, Axis::channels},
    {"parameters", "learned numbers it brings (0 where no side is learned)", 0, Axis::channels},
    {"activation_gradients", "how many sides that are not learned need a gradient in training", 0},
    {"weight_gradients", "how many learned sides need one", 0},
    {"read", "activation numbers read", 0, Axis::tokens},
    {"written", "activation numbers written", 0, Axis::tokens},
    {"kept", "numbers kept for the backward pass", 0, Axis::tokens},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N product = N(2) * a[0] * a[1] * a[2] * a[3];
  c.parameters = a[4];
  c.forward = {product, N(0)};
  c.backward_input = {a[5] * product, N(0)};
  c.backward_weight = {a[6] * product, N(0)};
  c.input = a[7];
  c.output = a[8];
  if (N(0) < a[9]) c.keep(a[9], Keep::activation);
}

}  // namespace

extern const OperatorDef k_product;
const OperatorDef k_product = {"product",
                               "a matrix product of an imported graph, either side of which may be learned",
                               "PyTorch torch.bmm; 2 m k n FLOP, and one such product per gradient",
                               kAttributes,
                               10,
                               {"3x4 times a learned 4x5", {1, 3, 4, 5, 20, 1, 1, 12, 15, 12}, 20, 120, 0, 120, 120},
                               cost<Integer>,
                               cost<double>,
                               cost<Traced>};

}  // namespace floptally::operators
