#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions", 0, Axis::tokens},
    {"heads", "heads", 1, Axis::channels},
    {"key_dim", "size of a key head", 1},
    {"value_dim", "size of a value head", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], heads = a[1], key = a[2], value = a[3];
  const N product = N(2) * tokens * heads * key * value * N(2);
  c.forward.matmul = product;
  c.backward_input.matmul = N(2) * product;
  c.input = tokens * heads * (N(2) * key + value);
  c.output = tokens * heads * value;
  c.keep_input(tokens * heads * (N(2) * key + value), false);
}

}  // namespace

extern const OperatorDef k_linear_attention;
const OperatorDef k_linear_attention = {
    "linear_attention",
    "attention without softmax: a matrix state per head",
    "Katharopoulos et al. 2006.16236; Lightning Attention 2401.04658: one write and one read of the state per token",
    kAttributes,
    4,
    {"2 tokens, 3 heads, keys of 4, values of 5", {2, 3, 4, 5}, 0, 480, 0, 960, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
