// Reductions over axes.
#include <algorithm>
#include <cmath>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

enum Function : std::int16_t { kOther, kSum, kProd, kMin, kMax, kMean };

// All elements of a small constant to one.
void fold_all(Eval& e, const Type& x, Function f) {
  const Data* from = x.known();
  if (from == nullptr || from->count == 0 || f == kOther) return;
  if (Eval::elements(e.out(0)) != 1) return;
  double real = from->real ? from->reals()[0] : 0;
  std::int64_t whole = from->real ? 0 : from->integers()[0];
  bool known = from->real || is_known(whole);
  for (std::uint32_t i = 1; i < from->count && known; ++i) {
    if (from->real) {
      const double v = from->reals()[i];
      real = f == kProd ? real * v : f == kMin ? std::min(real, v) : f == kMax ? std::max(real, v) : real + v;
      continue;
    }
    const std::int64_t v = from->integers()[i];
    known = is_known(v);
    if (f == kProd)
      known = known && !__builtin_mul_overflow(whole, v, &whole);
    else if (f == kMin)
      whole = std::min(whole, v);
    else if (f == kMax)
      whole = std::max(whole, v);
    else
      known = known && !__builtin_add_overflow(whole, v, &whole);
  }
  Data* to = e.data(0, 1, from->real);
  if (from->real)
    to->reals()[0] = f == kMean ? real / from->count : real;
  else
    to->integers()[0] = known ? (f == kMean ? whole / static_cast<std::int64_t>(from->count) : whole) : kDataUnknown;
}

bool reduce(Eval& e) {
  const Type x = e.in(0);
  Integers axes;
  e.list(1, "axes", axes);
  const bool keep = e.integer("keepdims", 1) != 0;
  const bool none = e.integer("noop_with_empty_axes", 0) != 0 && (!axes.present || (axes.known && axes.n == 0));
  if (!x.ranked() || (axes.present && !axes.known && axes.n == 0)) {
    e.unranked(0, x.elem);
    return true;
  }
  std::uint64_t over = 0;
  const bool all = !axes.present || (axes.known && axes.n == 0);
  for (std::uint32_t i = 0; i < axes.n && axes.known; ++i) {
    int axis = 0;
    if (!e.to_axis(axes.v[i], x.rank, axis)) return false;
    over |= std::uint64_t{1} << axis;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) {
    const bool reduced = !none && (all || (over >> i & 1) != 0);
    if (!reduced)
      dims.push(x.dims[i]);
    else if (keep)
      dims.push(1);
  }
  e.shape(0, x.elem, dims);
  if (none)
    e.out(0).data = x.known();
  else
    fold_all(e, x, static_cast<Function>(e.rule().choice));
  const std::int64_t from = Eval::elements(x), to = Eval::elements(e.out(0));
  e.elementwise(from > 0 && to > 0 ? (from + to - 1) / to : 0);
  return true;
}

bool arg_reduce(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) {
    e.unranked(0, kInt64);
    return true;
  }
  int axis = 0;
  if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
  Dims dims;
  for (int i = 0; i < x.rank; ++i) {
    if (i != axis)
      dims.push(x.dims[i]);
    else if (e.integer("keepdims", 1) != 0)
      dims.push(1);
  }
  e.shape(0, kInt64, dims);
  return true;
}

// Losses: one number, or one for each element.
bool loss(Eval& e) {
  const Type x = e.in(0), target = e.in(1);
  if (e.text("reduction", "mean") == "none")
    e.shape_like(0, x.elem, target);
  else
    e.shape(0, x.elem, Dims{});
  e.shape_like(1, x.elem, x);
  e.elementwise(5);
  return true;
}

}  // namespace

const Rule kReductionRules[] = {
    {"ReduceSum", reduce, 2, 1, kAll, 1, kSum},
    {"ReduceMean", reduce, 2, 1, kAll, 1, kMean},
    {"ReduceMax", reduce, 2, 1, kAll, 1, kMax},
    {"ReduceMin", reduce, 2, 1, kAll, 1, kMin},
    {"ReduceProd", reduce, 2, 1, kAll, 1, kProd},
    {"ReduceL1", reduce, 2, 1, kAll, 1},
    {"ReduceL2", reduce, 2, 1, kAll, 1},
    {"ReduceLogSum", reduce, 2, 1, kAll, 1},
    {"ReduceLogSumExp", reduce, 2, 1, kAll, 1},
    {"ReduceSumSquare", reduce, 2, 1, kAll, 1},
    {"ArgMax", arg_reduce, 0, 0, 0},
    {"ArgMin", arg_reduce, 0, 0, 0},
    {"SoftmaxCrossEntropyLoss", loss, 6, 1},
    {"NegativeLogLikelihoodLoss", loss, 6, 1},
    {"", nullptr},
};

}  // namespace floptally::onnx
