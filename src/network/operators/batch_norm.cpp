#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"channels", "channels normalized", 1, Axis::channels},
    {"positions", "positions per sample", 0, Axis::tokens},
    {"affine", "1 with a learned scale and shift", 0},
    {"tracked", "1 with running mean and variance (buffers, not parameters)", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N channels = a[0], positions = a[1], affine = a[2], tracked = a[3], elements = channels * positions;
  c.parameters = N(2) * affine * channels;
  c.buffers = N(2) * tracked * channels;
  c.forward.other = N(flop_per_element::layer_norm) * elements;
  c.backward_input.other = N(flop_per_element::norm_backward) * elements;
  c.backward_weight.other = N(3) * affine * elements;
  c.input = elements;
  c.output = elements;
  c.keep_input(elements, false);
}

}  // namespace

extern const OperatorDef k_batch_norm;
const OperatorDef k_batch_norm = {
    "batch_norm",
    "batch norm per channel",
    "Ioffe and Szegedy 1502.03167; PyTorch torch.nn.BatchNorm2d: 2 C parameters, 2 C running statistics",
    kAttributes,
    4,
    {"4 channels of 3x3", {4, 9, 1, 1}, 8, 0, 180, 0, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
