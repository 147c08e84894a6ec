// Quantized operators: integer kernels, and the quantize/dequantize pairs around float ones.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {
namespace {

using graph::Kind;

bool quantize(Eval& e) {
  const Type& x = e.in(0);
  const std::int64_t wanted = e.integer("output_dtype", 0);
  e.shape_like(0,
               wanted > 0 && wanted < 64 ? static_cast<std::uint8_t>(wanted)
               : e.has(2)                ? e.in(2).elem
                                         : std::uint8_t{kUint8},
               x);
  return true;
}

// The numbers are the same learned ones in another format.
bool dequantize(Eval& e) {
  const Type x = e.in(0);
  e.shape_like(0, e.in(1).elem == kNone ? std::uint8_t{kFloat} : e.in(1).elem, x);
  Type& y = e.out(0);
  y.origin = x.origin;
  y.flags = static_cast<std::uint16_t>(y.flags | (x.flags & kWeight));
  return true;
}

bool dynamic_quantize(Eval& e) {
  e.shape_like(0, kUint8, e.in(0));
  e.shape(1, kFloat, Dims{});
  e.shape(2, kUint8, Dims{});
  return true;
}

bool qlinear_conv(Eval& e) {
  return convolve(e, 0, 3, e.has(7) ? e.in(7).elem : e.in(0).elem, e.integer("channels_last", 0) != 0);
}

bool qlinear_matmul(Eval& e) {
  MatmulSizes s;
  if (!matmul_shape(e, e.in(0), e.in(3), e.has(7) ? e.in(7).elem : e.in(0).elem, s)) return false;
  e.product(e.in(3).has(kWeight) ? Kind::product : Kind::attention, 0, 3, s.batch, s.rows, s.columns, s.inner);
  return true;
}

// com.microsoft: a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero
bool qlinear_binary(Eval& e) {
  const Type a = e.in(0), b = e.in(3);
  Dims dims;
  if (!a.ranked() || !b.ranked()) {
    e.unranked(0, a.elem);
    return true;
  }
  if (!e.broadcast(a, b, dims)) return false;
  e.shape(0, a.elem, dims);
  e.elementwise(0);
  return true;
}

bool qlinear_unary(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  return true;
}

bool qlinear_pool(Eval& e) {
  const Type x = e.in(0);
  const bool last = e.integer("channels_last", 0) != 0;
  if (!x.ranked() || x.rank < 3 || (last && e.rule().choice == 0)) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  if (e.rule().choice == 1) {
    for (int i = 0; i < x.rank; ++i) dims.push(i == 0 || i == (last ? x.rank - 1 : 1) ? x.dims[i] : 1);
  } else {
    dims.push(x.dims[0]);
    dims.push(x.dims[1]);
    if (!window_sizes(e, x, nullptr, dims)) return false;
  }
  e.shape(0, x.elem, dims);
  return true;
}

// scale, zero, then (tensor, scale, zero) for each piece
bool qlinear_concat(Eval& e) {
  const Type first = e.in(2);
  if (!first.ranked()) {
    e.unranked(0, first.elem);
    return true;
  }
  int axis = 0;
  if (!e.to_axis(e.integer("axis", 0), first.rank, axis)) return false;
  Dims dims;
  for (int i = 0; i < first.rank; ++i) dims.push(first.dims[i]);
  for (int i = 5; i < e.inputs(); i += 3)
    dims.v[axis] =
        e.in(i).ranked() && e.in(i).rank == first.rank ? size_plus(dims.v[axis], e.in(i).dims[axis]) : kUnknown;
  e.shape(0, first.elem, dims);
  return true;
}

bool matmul_integer_to_float(Eval& e) {
  MatmulSizes s;
  if (!matmul_shape(e, e.in(0), e.in(1), kFloat, s)) return false;
  e.product(Kind::product, 0, 1, s.batch, s.rows, s.columns, s.inner);
  return true;
}

// Weights packed in blocks of 2, 3, 4 or 8 bits: attributes K and N say what they unpack to.
bool matmul_bits(Eval& e) {
  const Type x = e.in(0);
  const std::int64_t inner = e.integer("K", 0), columns = e.integer("N", 0);
  if (!x.ranked() || x.rank == 0 || inner <= 0 || columns <= 0) {
    e.unranked(0, x.elem);
    e.product(Kind::product, 0, -1, kUnknown, 1, 1, 1, 0);
    return true;
  }
  Dims dims;
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank; ++i) {
    dims.push(x.dims[i]);
    rows = size_times(rows, x.dims[i]);
  }
  dims.push(columns);
  e.shape(0, x.elem, dims);
  graph::Step s = e.step(Kind::product);
  s.batch = 1;
  s.rows = rows;
  s.columns = columns;
  s.inner = inner;
  s.right_weight = true;
  s.left_gradient = e.gradient(0);
  s.read = std::max<std::int64_t>(Eval::elements(x), 0);
  s.written = std::max<std::int64_t>(Eval::elements(e.out(0)), 0);
  const Type& packed = e.in(1);
  if (packed.origin != 0 && !e.model().initializers[packed.origin - 1].owned) {
    s.parameters = s.frozen = size_times(inner, columns);
    if (e.owner().mute == nullptr) e.model().initializers[packed.origin - 1].owned = true;
  }
  if (rows < 0) {
    s.kind = Kind::unknown;
    e.owner().note_unknown_size(e.describe());
  }
  e.record(s, ~std::uint32_t{2});
  return true;
}

}  // namespace

#define MS 0, false, "com.microsoft"
const Rule kQuantizedRules[] = {
    {"QuantizeLinear", quantize, 6, 1},
    {"DequantizeLinear", dequantize, 6, 1},
    {"DynamicQuantizeLinear", dynamic_quantize, 0, 0, 0},
    {"QLinearConv", qlinear_conv, 246, 0, 0},
    {"QLinearMatMul", qlinear_matmul, 246, 0, 0},
    {"QuantizeLinear", quantize, 6, 1, kAll, 0, MS},
    {"DequantizeLinear", dequantize, 6, 1, kAll, 0, MS},
    {"QLinearConv", qlinear_conv, 246, 0, 0, 0, MS},
    {"QLinearAdd", qlinear_binary, 246, 0, 0, 0, MS},
    {"QLinearMul", qlinear_binary, 246, 0, 0, 0, MS},
    {"QLinearSigmoid", qlinear_unary, 30, 0, 0, 0, MS},
    {"QLinearLeakyRelu", qlinear_unary, 30, 0, 0, 0, MS},
    {"QLinearSoftmax", qlinear_unary, 30, 0, 0, 0, MS},
    {"QLinearAveragePool", qlinear_pool, 30, 0, 0, 0, MS},
    {"QLinearGlobalAveragePool", qlinear_pool, 30, 0, 0, 0, 1, false, "com.microsoft"},
    {"QLinearConcat", qlinear_concat, 3, 0, 0, 0, MS},
    {"MatMulIntegerToFloat", matmul_integer_to_float, 60, 0, 0, 0, MS},
    {"DynamicQuantizeMatMul", matmul_integer_to_float, 12, 0, 0, 0, MS},
    {"MatMulNBits", matmul_bits, 12, 1, kAll, 0, MS},
    {"MatMulBnb4", matmul_bits, 4, 1, kAll, 0, MS},
    {"", nullptr},
};
#undef MS

}  // namespace floptally::onnx
