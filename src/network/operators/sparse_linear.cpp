#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"rows", "vectors", 0, Axis::tokens},
    {"in", "input features", 1, Axis::channels},
    {"out", "output features", 1, Axis::channels},
    {"bias", "1 with a bias", 0},
    {"kept", "weights kept out of every `of`", 0},
    {"of", "size of a pattern", 1},
    {"dense_gradient", "1: the weight gradient is computed densely, as with 2:4 masks", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N rows = a[0], in = a[1], out = a[2], bias = a[3], kept = a[4], of = a[5], dense = a[6];
  const N weights = floor_div(in * out * kept, of);
  const N product = N(2) * rows * weights, whole = N(2) * rows * in * out;
  c.parameters = weights + bias * out;
  c.forward = {product, bias * rows * out};
  c.backward_input = {product, N(0)};
  c.backward_weight = {dense * whole + (N(1) - dense) * product, bias * rows * out};
  c.input = rows * in;
  c.output = rows * out;
  c.keep_input(rows * in, true);
}

}  // namespace

extern const OperatorDef k_sparse_linear;
const OperatorDef k_sparse_linear = {"sparse_linear",
                                     "linear layer with structured zeros: block-sparse, or 2 of 4",
                                     "Gray et al. 2017 (block-sparse); Mishra et al. 2104.08378 (2:4)",
                                     kAttributes,
                                     7,
                                     {"2:4, 3 rows, 8 to 4 features", {3, 8, 4, 0, 2, 4, 1}, 16, 96, 0, 96, 192},
                                     cost<Integer>,
                                     cost<double>,
                                     cost<Traced>};

}  // namespace floptally::operators
