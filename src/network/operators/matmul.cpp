#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"batch", "independent products", 0, Axis::tokens},
    {"rows", "rows of the left matrix", 0},
    {"inner", "columns of the left, rows of the right matrix", 0},
    {"columns", "columns of the right matrix", 0},
    {"gradients", "how many of the two sides need a gradient when the op takes part in the backward pass", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N batch = a[0], rows = a[1], inner = a[2], columns = a[3], sides = a[4];
  const N product = N(2) * batch * rows * inner * columns;
  c.forward = {product, N(0)};
  c.backward_input = {sides * product, N(0)};
  c.input = batch * inner * (rows + columns);
  c.output = batch * rows * columns;
  c.keep_input(batch * rows * inner, false);
  if (N(1) < sides) c.keep(batch * inner * columns, Keep::activation);
}

}  // namespace

extern const OperatorDef k_matmul;
const OperatorDef k_matmul = {"matmul",
                              "batched product of two activations (no parameters)",
                              "PyTorch torch.bmm; 2 m k n FLOP, and one such product per gradient",
                              kAttributes,
                              5,
                              {"2 heads, 3x4 times 4x5", {2, 3, 4, 5, 2}, 0, 240, 0, 480, 0},
                              cost<Integer>,
                              cost<double>,
                              cost<Traced>};

}  // namespace floptally::operators
