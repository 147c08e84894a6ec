#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "tokens", 0, Axis::tokens},
    {"experts", "experts scored", 1},
    {"active", "experts per token", 1},
    {"width", "features of the summed outputs", 0, Axis::channels},
    {"bias", "1 with a learned or adjusted bias per expert", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], experts = a[1], active = a[2], width = a[3], bias = a[4];
  c.parameters = bias * experts;
  c.forward.other = tokens * (N(flop_per_element::softmax) * experts + N(2) * active * width);
  c.backward_input.other = tokens * (N(flop_per_element::softmax_backward) * experts + N(3) * active * width);
  c.input = tokens * (experts + active * width);
  c.output = tokens * width;
  c.keep(tokens * experts, Keep::fp32);
  c.keep(tokens * active, Keep::index);
  c.keep(tokens * active * width, Keep::activation);
}

}  // namespace

extern const OperatorDef k_routing;
const OperatorDef k_routing = {"routing",
                               "choice of experts from router scores, and the weighted sum of their outputs",
                               "Switch 2101.03961, DeepSeek-V3 2412.19437 eq. 13-16",
                               kAttributes,
                               5,
                               {"3 tokens, 2 of 4 experts, width 5", {3, 4, 2, 5, 0}, 0, 0, 120, 0, 0},
                               cost<Integer>,
                               cost<double>,
                               cost<Traced>};

}  // namespace floptally::operators
