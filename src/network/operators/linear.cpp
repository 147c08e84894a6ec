#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_product.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "vectors that go through (tokens, or positions)", 0, Axis::tokens},
    {"in", "input features", 1, Axis::channels},
    {"out", "output features", 1, Axis::channels},
    {"bias", "1 with a bias", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], in = a[1], out = a[2], bias = a[3];
  const N product = N(2) * rows * in * out;
  c.parameters = in * out + bias * out;
  add_product(c, product, bias * rows * out, rows * in, rows * out);
}

}  // namespace

extern const OperatorDef k_linear;
const OperatorDef k_linear = {
    "linear",
    "fully connected layer y = x W^T + b",
    "Epoch, Estimating Training Compute, layer table: N M parameters, 2 N M FLOP; PyTorch torch.nn.Linear",
    kAttributes,
    4,
    {"4 tokens from 3 to 5 features with a bias", {4, 3, 5, 1}, 20, 120, 20, 120, 120},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
