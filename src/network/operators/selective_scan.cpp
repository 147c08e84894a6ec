#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions", 0, Axis::tokens},
    {"channels", "inner channels", 1, Axis::channels},
    {"state", "state numbers per channel", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], channels = a[1], state = a[2];
  const N cells = tokens * channels * state;
  c.parameters = channels * state + channels;  // A and the skip D
  c.forward.other = N(flop_per_element::scan_step) * cells;
  c.backward_input.other = N(2 * flop_per_element::scan_step) * cells;
  c.backward_weight.other = cells;
  c.input = tokens * (N(2) * channels + N(2) * state);
  c.output = tokens * channels;
  c.keep_input(tokens * channels, false);
  c.keep(tokens * (channels + N(2) * state), Keep::activation);  // step sizes, B and C
}

}  // namespace

extern const OperatorDef k_selective_scan;
const OperatorDef k_selective_scan = {"selective_scan",
                                      "Mamba's recurrence over a diagonal state, element by element",
                                      "Gu and Dao 2312.00752; 7 FLOP per state element and token as Megatron-LM counts",
                                      kAttributes,
                                      3,
                                      {"2 tokens, 3 channels, state 4", {2, 3, 4}, 15, 0, 168, 0, 0},
                                      cost<Integer>,
                                      cost<double>,
                                      cost<Traced>};

}  // namespace floptally::operators
