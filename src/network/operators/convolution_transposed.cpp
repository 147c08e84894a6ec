#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_product.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"in_channels", "input channels", 1, Axis::channels},
    {"out_channels", "output channels", 1, Axis::channels},
    {"groups", "groups", 1},
    {"kernel", "kernel elements, all dimensions multiplied", 1},
    {"in_positions", "input positions, all dimensions multiplied", 0, Axis::tokens},
    {"out_positions", "output positions; see convolved_transposed() in shapes.h", 0, Axis::tokens},
    {"bias", "1 with a bias", 0},
};

// Every input element meets every weight of its group once, so the count goes by input positions.
template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N in = a[0], out = a[1], groups = a[2], kernel = a[3], from = a[4], to = a[5], bias = a[6];
  const N weights = in * floor_div(out, groups) * kernel;
  const N product = N(2) * from * weights;
  c.parameters = weights + bias * out;
  add_product(c, product, bias * to * out, from * in, to * out);
}

}  // namespace

extern const OperatorDef k_convolution_transposed;
const OperatorDef k_convolution_transposed = {
    "convolution_transposed",
    "transposed convolution in 1, 2 or 3 dimensions",
    "PyTorch torch.nn.ConvTranspose2d; FLOP 2 H W C (D/g) K^2 over input positions",
    kAttributes,
    7,
    {"U-Net's 2x2 up-convolution, 4 to 2 channels, 3x3 to 6x6", {4, 2, 1, 4, 9, 36, 1}, 34, 576, 72, 576, 576},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
