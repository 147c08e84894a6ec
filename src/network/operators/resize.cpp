#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"elements", "numbers produced", 0, Axis::tokens},
    {"from", "numbers read", 0, Axis::tokens},
    {"neighbours", "inputs per output: 1 nearest, 4 bilinear, 8 trilinear, 16 bicubic", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N elements = a[0], from = a[1], neighbours = a[2];
  const N flop = N(2) * neighbours - N(2);  // nearest: a copy
  c.forward.other = flop * elements;
  c.backward_input.other = neighbours * elements;
  c.input = from;
  c.output = elements;
}

}  // namespace

extern const OperatorDef k_resize;
const OperatorDef k_resize = {"resize",
                              "upsampling and other interpolation",
                              "PyTorch torch.nn.Upsample: nearest copies, linear in d dimensions reads 2^d neighbours",
                              kAttributes,
                              3,
                              {"bilinear 2x2 to 4x4", {16, 4, 4}, 0, 0, 96, 0, 0},
                              cost<Integer>,
                              cost<double>,
                              cost<Traced>};

}  // namespace floptally::operators
