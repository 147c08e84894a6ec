#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"heads", "heads", 1, Axis::channels},
    {"entries", "table rows per head", 1},
    {"pairs", "query-key pairs that get one", 0, Axis::tokens},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N heads = a[0], entries = a[1], pairs = a[2];
  c.parameters = heads * entries;
  c.forward.other = heads * pairs;
  c.backward_weight.other = heads * pairs;
  c.input = heads * pairs;
  c.output = heads * pairs;
}

}  // namespace

extern const OperatorDef k_relative_bias;
const OperatorDef k_relative_bias = {"relative_bias",
                                     "learned bias per head and relative position, added to scores",
                                     "T5 1910.10683 (buckets); Swin 2103.14030 (2w-1 by 2w-1 table)",
                                     kAttributes,
                                     3,
                                     {"2 heads, 32 buckets, 3x3 pairs", {2, 32, 9}, 64, 0, 18, 0, 0},
                                     cost<Integer>,
                                     cost<double>,
                                     cost<Traced>};

}  // namespace floptally::operators
