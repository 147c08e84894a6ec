#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions", 0, Axis::tokens},   {"heads", "heads", 1, Axis::channels},
    {"head_dim", "channels per head", 1},       {"state", "state numbers per channel", 1},
    {"groups", "groups that share B and C", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], heads = a[1], head_dim = a[2], state = a[3], groups = a[4];
  const N channels = heads * head_dim, cells = tokens * channels * state;
  c.parameters = N(3) * heads;  // A, the skip D, the step bias
  c.forward.matmul = N(flop_per_element::scan_step) * cells;
  c.backward_input.matmul = N(2 * flop_per_element::scan_step) * cells;
  c.input = tokens * (channels + N(2) * groups * state + heads);
  c.output = tokens * channels;
  c.keep_input(tokens * (channels + N(2) * groups * state), false);
  c.keep(tokens * heads, Keep::fp32);
}

}  // namespace

extern const OperatorDef k_state_space;
const OperatorDef k_state_space = {
    "state_space",
    "Mamba-2's recurrence, a scalar decay per head (state space duality)",
    "Dao and Gu 2405.21060; model FLOP 7 d n per token as Megatron-LM counts, whatever the chunking of the kernel",
    kAttributes,
    5,
    {"2 tokens, 3 heads of 4, state 5", {2, 3, 4, 5, 1}, 9, 840, 0, 1680, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
