#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_product.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"in_channels", "input channels", 1, Axis::channels},
    {"out_channels", "filters", 1, Axis::channels},
    {"groups", "groups; equal to the channels in a depthwise convolution", 1},
    {"kernel", "kernel elements, all dimensions multiplied (9 for 3x3)", 1},
    {"in_positions", "input positions, all dimensions multiplied", 0, Axis::tokens},
    {"out_positions", "output positions; see convolved() in shapes.h", 0, Axis::tokens},
    {"bias", "1 with a bias", 0},
    {"dense", "1: count it as if every output saw every input (Epoch's article does; no kernel does)", 0},
};

// Padding is multiplied like any input: that is what kernels do and what every counter counts.
template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N in = a[0], out = a[1], groups = a[2], kernel = a[3], from = a[4], to = a[5], bias = a[6], dense = a[7];
  const N weights = out * floor_div(in, groups) * kernel;
  const N product = N(2) * to * (N(0) < dense ? out * in * from : weights);
  c.parameters = weights + bias * out;
  add_product(c, product, bias * to * out, from * in, to * out);
}

}  // namespace

extern const OperatorDef k_convolution;
const OperatorDef k_convolution = {
    "convolution",
    "convolution in 1, 2 or 3 dimensions, with groups, stride, padding and dilation",
    "PyTorch torch.nn.Conv2d; FLOP 2 H' W' D (C/g) K^2 (Epoch's layer table has the fully connected form for images)",
    kAttributes,
    8,
    {"ResNet's stem: 3 to 64 channels, 7x7, stride 2, padding 3, on 224x224",
     {3, 64, 1, 49, 50176, 12544, 0, 0},
     9408,
     236027904,
     0,
     236027904,
     236027904},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
