#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_product.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "rows over all experts: tokens x experts per token, or experts x capacity", 0, Axis::tokens},
    {"in", "input features", 1, Axis::channels},
    {"out", "output features", 1, Axis::channels},
    {"bias", "1 with a bias", 0},
    {"experts", "experts", 1, Axis::experts},
    {"active", "experts that one token uses", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], in = a[1], out = a[2], bias = a[3], experts = a[4], active = a[5];
  const N each = in * out + bias * out;
  const N product = N(2) * rows * in * out;
  c.parameters = experts * each;
  c.inactive = (experts - smaller(active, experts)) * each;
  add_product(c, product, bias * rows * out, rows * in, rows * out);
}

}  // namespace

extern const OperatorDef k_grouped_linear;
const OperatorDef k_grouped_linear = {
    "grouped_linear",
    "one linear layer per expert, each on the rows routed to it",
    "Shazeer et al. 1701.06538; Switch 2101.03961 (capacity); MegaBlocks 2211.15841 (no padding)",
    kAttributes,
    6,
    {"6 tokens, 2 of 8 experts each, 3 to 5 features", {12, 3, 5, 0, 8, 2}, 120, 360, 0, 360, 360},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
