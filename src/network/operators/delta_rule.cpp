#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions", 0, Axis::tokens},
    {"heads", "value heads", 1, Axis::channels},
    {"key_heads", "query and key heads", 1, Axis::channels},
    {"key_dim", "size of a key head", 1},
    {"value_dim", "size of a value head", 1},
    {"scalars", "learned numbers per head (decay, step bias)", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], heads = a[1], key_heads = a[2], key = a[3], value = a[4], scalars = a[5];
  const N product = N(2) * tokens * heads * key * value * N(4);
  c.parameters = scalars * heads;
  c.forward.matmul = product;
  c.backward_input.matmul = N(2) * product;
  c.input = tokens * (N(2) * key_heads * key + heads * value + N(2) * heads);
  c.output = tokens * heads * value;
  c.keep_input(tokens * (N(2) * key_heads * key + heads * value), false);
  c.keep(tokens * N(2) * heads, Keep::fp32);
}

}  // namespace

extern const OperatorDef k_delta_rule;
const OperatorDef k_delta_rule = {
    "delta_rule",
    "gated delta rule: a matrix state per head, erased and written at each token",
    "Yang et al. 2412.06464; 4 products of key by value size per token and head, as Megatron-LM counts",
    kAttributes,
    6,
    {"2 tokens, 3 heads, keys of 4, values of 5", {2, 3, 3, 4, 5, 2}, 6, 960, 0, 1920, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
