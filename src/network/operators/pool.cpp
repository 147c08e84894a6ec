#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"channels", "channels", 1, Axis::channels},
    {"in_positions", "input positions", 0, Axis::tokens},
    {"out_positions", "output positions", 0, Axis::tokens},
    {"kernel", "elements in one window", 1},
    {"maximum", "1 maximum, 0 average", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N channels = a[0], from = a[1], to = a[2], kernel = a[3], maximum = a[4];
  c.forward.other = channels * to * (kernel - maximum);
  c.backward_input.other = maximum * channels * to + (N(1) - maximum) * channels * to * kernel;
  c.input = channels * from;
  c.output = channels * to;
  c.keep_input(channels * from, false);
  if (N(0) < maximum) c.keep(channels * to, Keep::index);
}

}  // namespace

extern const OperatorDef k_pool;
const OperatorDef k_pool = {
    "pool",
    "maximum or average pooling, also global",
    "Epoch's layer table: K^2 - 1 comparisons per output of a maximum; PyTorch torch.nn.MaxPool2d",
    kAttributes,
    5,
    {"2x2 maximum of one 4x4 channel", {1, 16, 4, 4, 1}, 0, 0, 12, 0, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
