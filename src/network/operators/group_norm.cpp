#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"channels", "channels", 1, Axis::channels},
    {"positions", "positions per sample", 0, Axis::tokens},
    {"groups", "groups normalized together; equal to the channels: instance norm", 1},
    {"affine", "1 with a learned scale and shift per channel", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N channels = a[0], positions = a[1], groups = a[2], affine = a[3], elements = channels * positions;
  c.parameters = N(2) * affine * channels;
  c.forward.other = N(flop_per_element::layer_norm) * elements;
  c.backward_input.other = N(flop_per_element::norm_backward) * elements;
  c.backward_weight.other = N(3) * affine * elements;
  c.input = elements;
  c.output = elements;
  c.keep_input(elements, false);
  c.keep(N(2) * groups, Keep::fp32);
}

}  // namespace

extern const OperatorDef k_group_norm;
const OperatorDef k_group_norm = {"group_norm",
                                  "group norm; instance norm where groups equal channels",
                                  "Wu and He 1803.08494; PyTorch torch.nn.GroupNorm",
                                  kAttributes,
                                  4,
                                  {"8 channels of 2x2 in 2 groups", {8, 4, 2, 1}, 16, 0, 160, 0, 0},
                                  cost<Integer>,
                                  cost<double>,
                                  cost<Traced>};

}  // namespace floptally::operators
