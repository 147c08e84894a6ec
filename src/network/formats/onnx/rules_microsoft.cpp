// Further fused operators of ONNX Runtime (com.microsoft): experts, channels-last convolutions, quantized products,
// packed and cached attention. Schemas: onnxruntime/docs/ContribOperators.md.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {
namespace {

using graph::Kind;

std::int64_t divide(std::int64_t size, std::int64_t by) { return size < 0 || by <= 0 ? kUnknown : size / by; }

std::int64_t rows_of(const Type& x) {
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank; ++i) rows = size_times(rows, x.dims[i] < 0 ? kUnknown : x.dims[i]);
  return x.ranked() ? rows : kUnknown;
}

// An initializer whose bytes hold several numbers each has as many times more elements, until something owns them.
void unpack(Eval& e, const Type& packed, std::int64_t numbers) {
  if (packed.origin == 0 || e.model().initializers[packed.origin - 1].owned) return;
  std::int64_t& elements = e.model().initializers[packed.origin - 1].elements;
  if (const std::int64_t all = size_times(elements, numbers); all >= 0) elements = all;
}

// MoE: (rows [.., H], router [rows, E], W1 [E, ..], b1, W2, b2, W3, b3): each row meets k experts. QMoE puts scales
// after each weight, which holds 8 / expert_weight_bits numbers in a byte.
bool experts(Eval& e) {
  const Type x = e.in(0);
  e.shape_like(0, x.elem, x);
  const bool packed = e.rule().choice == 1;
  const std::int64_t k = e.integer("k", 1), numbers = packed ? divide(8, e.integer("expert_weight_bits", 4)) : 1;
  const std::int64_t pairs = size_times(rows_of(x), k);
  for (int i = 2; i < e.inputs(); i += packed ? 3 : 2) {
    const Type w = e.in(i);
    if (!e.has(i)) continue;
    const std::int64_t one = w.ranked() && w.rank == 3 && w.dims[0] > 0 ? size_times(w.dims[1], w.dims[2]) : kUnknown;
    if (packed) unpack(e, w, numbers);
    std::uint32_t weights = std::uint32_t{packed ? 7u : 3u} << i;
    if (i == 2) weights |= 3;
    e.product(Kind::product, 0, i, 1, pairs, size_times(one, numbers), 1, weights);
  }
  return true;
}

// [N, H, W, C] by [M, C / group, kH, kW]
bool nhwc_conv(Eval& e) { return convolve(e, 0, 1, e.in(0).elem, true); }

// A, a_scale, a_zero, B, b_scale, b_zero, C, y_scale, y_zero
bool quantized_gemm(Eval& e) {
  const Type a = e.in(0), b = e.in(3);
  const std::uint8_t elem = e.has(8) ? e.in(8).elem : std::uint8_t{kFloat};
  if (!a.ranked() || !b.ranked() || a.rank != 2 || b.rank != 2) {
    e.unranked(0, elem);
    e.product(Kind::product, 0, 3, kUnknown, 1, 1, 1);
    return true;
  }
  const bool ta = e.integer("transA", 0) != 0, tb = e.integer("transB", 0) != 0;
  Dims dims;
  dims.push(a.dims[ta ? 1 : 0]);
  dims.push(b.dims[tb ? 0 : 1]);
  e.shape(0, elem, dims);
  e.product(Kind::product, 0, 3, 1, dims.v[0], dims.v[1], a.dims[ta ? 0 : 1]);
  return true;
}

// cond, X, x_scale, x_zero, Y, y_scale, y_zero, z_scale, z_zero
bool quantized_where(Eval& e) {
  const Type cond = e.in(0), x = e.in(1), y = e.in(4);
  if (!cond.ranked() || !x.ranked() || !y.ranked()) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims both, dims;
  if (!e.broadcast(x, y, both)) return false;
  Type joined;
  joined.dims = both.v;
  joined.rank = static_cast<std::uint8_t>(both.n);
  if (!e.broadcast(cond, joined, dims)) return false;
  e.shape(0, x.elem, dims);
  return true;
}

// X [.., K] by W [K, N], a bias, GELU
bool gemm_gelu(Eval& e) {
  MatmulSizes s;
  if (!matmul_shape(e, e.in(0), e.in(1), e.in(0).elem, s)) return false;
  e.product(Kind::product, 0, 1, s.batch, s.rows, s.columns, s.inner);
  return true;
}

// PackedAttention: rows [tokens, H] without padding; token_offset [B, S] says how long the longest sequence is. Each
// sequence is counted at that length.
bool packed_attention(Eval& e) {
  const Type x = e.in(0), w = e.in(1), places = e.in(3);
  const std::int64_t heads = e.integer("num_heads", 0);
  if (!x.ranked() || x.rank != 2 || !w.ranked() || w.rank != 2 || !places.ranked() || places.rank != 2 || heads <= 0) {
    e.unranked(0, x.elem);
    e.product(Kind::attention, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  Integers sizes;
  e.integers("qkv_hidden_sizes", sizes);
  const std::int64_t query = sizes.n == 3 ? sizes.v[0] : divide(w.dims[1], 3);
  const std::int64_t value = sizes.n == 3 ? sizes.v[2] : divide(w.dims[1], 3);
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(value);
  e.shape(0, x.elem, dims);
  e.product(Kind::product, 0, 1, 1, x.dims[0], w.dims[1], x.dims[1]);
  const int made_from = e.gradient(1) ? 1 : 0;
  attend(e, made_from, made_from, made_from, size_times(places.dims[0], heads), places.dims[1], places.dims[1],
         divide(query, heads), divide(value, heads));
  return true;
}

// One new token against a cache: (query [B, 1, H], key, value, mask, attention bias, past_key [B, h, P, d], past_value,
// ..)
bool cached_attention(Eval& e) {
  const Type q = e.in(0), k = e.in(1), past = e.in(5);
  const std::int64_t heads = e.integer("num_heads", 0);
  if (!q.ranked() || q.rank != 3 || heads <= 0) {
    e.unranked(0, q.elem);
    e.product(Kind::attention, 0, -1, kUnknown, 1, 1, 1, 0);
    return true;
  }
  const std::int64_t dim = divide(q.dims[2], heads);
  std::int64_t keys = k.ranked() && k.rank == 4 ? k.dims[2] : k.ranked() && k.rank == 3 ? k.dims[1] : q.dims[1];
  if (past.ranked() && past.rank == 4) keys = size_plus(keys, past.dims[2]);
  Dims dims, present;
  for (std::int64_t size : {q.dims[0], q.dims[1], q.dims[2]}) dims.push(size);
  for (std::int64_t size : {q.dims[0], heads, keys, dim}) present.push(size);
  e.shape(0, q.elem, dims);
  e.shape(1, q.elem, present);
  e.shape(2, q.elem, present);
  const int key = e.has(1) ? 1 : 0;
  attend(e, 0, key, e.has(2) ? 2 : key, size_times(q.dims[0], heads), q.dims[1], keys, dim, dim);
  return true;
}

// All pairs of rows of A [m, k] and B [n, k]: a subtraction, a square and a sum for each of k numbers.
bool distances(Eval& e) {
  const Type a = e.in(0), b = e.in(1);
  if (!a.ranked() || !b.ranked() || a.rank != 2 || b.rank != 2) {
    e.unranked(0, a.elem);
    return true;
  }
  Dims dims;
  dims.push(a.dims[0]);
  dims.push(b.dims[0]);
  e.shape(0, a.elem, dims);
  e.elementwise(std::max<std::int64_t>(0, size_times(3, a.dims[1])));
  return true;
}

// RelativePositionBias: (table [buckets, heads], query length, key length)
bool position_bias(Eval& e) {
  const Type table = e.in(0);
  std::int64_t queries = kUnknown, keys = kUnknown;
  Eval::scalar(e.in(1), queries);
  Eval::scalar(e.in(2), keys);
  Dims dims;
  dims.push(1);
  dims.push(table.ranked() && table.rank == 2 ? table.dims[1] : kUnknown);
  dims.push(queries);
  dims.push(keys);
  e.shape(0, table.elem, dims);
  e.elementwise(0);
  return true;
}

// Rows of a table kept in blocks of few bits: (data, indices, scales, zero points)
bool gather_blocks(Eval& e) {
  const Type x = e.in(0), index = e.in(1), scales = e.in(2);
  if (!x.ranked() || !index.ranked() || x.rank == 0) {
    e.unranked(0, scales.elem);
    return true;
  }
  int axis = 0;
  if (!e.to_axis(e.integer("gather_axis", 0), x.rank, axis)) return false;
  const std::int64_t numbers = x.elem == kUint8 ? divide(8, e.integer("bits", 4)) : 1;
  Dims dims;
  for (int i = 0; i < axis; ++i) dims.push(x.dims[i]);
  for (int i = 0; i < index.rank; ++i) dims.push(index.dims[i]);
  for (int i = axis + 1; i < x.rank; ++i)
    dims.push(i + 1 == x.rank ? size_times(x.dims[i] < 0 ? kUnknown : x.dims[i], numbers) : x.dims[i]);
  if (dims.overflow) return e.fail("shape-mismatch", "makes more than 32 dimensions");
  e.shape(0, scales.elem, dims);
  unpack(e, x, numbers);
  graph::Step s = e.step(Kind::lookup);
  s.written = std::max<std::int64_t>(Eval::elements(e.out(0)), 0);
  e.record(s, 1);
  return true;
}

bool like_first(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  e.elementwise(e.rule().flop);
  return true;
}

}  // namespace

#define MS false, "com.microsoft"
const Rule kMicrosoftRules[] = {
    {"MoE", experts, 0, kAll, kAll, 0, 0, MS},
    {"QMoE", experts, 0, 3, kAll, 0, 1, MS},
    {"NhwcConv", nhwc_conv, 0, kAll, kAll, 0, 0, MS},
    {"NhwcFusedConv", nhwc_conv, 0, kAll, kAll, 0, 0, MS},
    {"QGemm", quantized_gemm, 438, 0, 0, 0, 0, MS},
    {"QLinearWhere", quantized_where, 492, 0, 0, 0, 0, MS},
    {"GemmFastGelu", gemm_gelu, 0, kAll, kAll, 0, 0, MS},
    {"PackedAttention", packed_attention, 24, 39, kAll, 0, 0, MS},
    {"DecoderMaskedMultiHeadAttention", cached_attention, 8, 119, kAll, 0, 0, MS},
    {"CDist", distances, 0, kAll, kAll, 0, 0, MS},
    {"RelativePositionBias", position_bias, 6, 1, kAll, 0, 0, MS},
    {"GatherBlockQuantized", gather_blocks, 14, 1, kAll, 0, 0, MS},
    {"BiasDropout", like_first, 24, 7, 1, 2, 0, MS},
    {"BitmaskDropout", like_first, 6, 1, 1, 1, 0, MS},
    {"GemmaRotaryEmbedding", like_first, 0, 7, kAll, 3, 0, MS},
    {"", nullptr},
};
#undef MS

}  // namespace floptally::onnx
