#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions", 0, Axis::tokens},
    {"heads", "heads rotated (query and key heads together)", 1, Axis::channels},
    {"dim", "rotated numbers per head", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], heads = a[1], dim = a[2];
  const N elements = tokens * heads * dim;
  c.forward.other = N(flop_per_element::rotary) * elements;
  c.backward_input.other = N(flop_per_element::rotary) * elements;
  c.input = elements;
  c.output = elements;
}

}  // namespace

extern const OperatorDef k_rotary;
const OperatorDef k_rotary = {"rotary",
                              "rotary position embedding of queries or keys",
                              "Su et al. 2104.09864; tables of sines and cosines are shared and not parameters",
                              kAttributes,
                              3,
                              {"4 tokens, 2 heads of 6", {4, 2, 6}, 0, 0, 144, 0, 0},
                              cost<Integer>,
                              cost<double>,
                              cost<Traced>};

}  // namespace floptally::operators
