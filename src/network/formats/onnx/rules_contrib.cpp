// Attention and the fused operators of ONNX Runtime (com.microsoft) and of opset 23.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {

using graph::Kind;

namespace {
std::int64_t elements_of(std::int64_t a, std::int64_t b, std::int64_t c) {
  return std::max<std::int64_t>(size_times(size_times(a, b), c), 0);
}
}  // namespace

void attend(Eval& e, int query, int key, int value, std::int64_t batch_heads, std::int64_t queries, std::int64_t keys,
            std::int64_t key_dim, std::int64_t value_dim) {
  // Its kernels keep queries, keys, values, their output and a number a row; what is not seen they made themselves.
  std::int64_t first = 0, second = 0;
  const bool seen = query != key;
  if (e.gradient(query) || e.gradient(key) || e.gradient(value)) {
    first = seen ? e.hold_input(query) : elements_of(batch_heads, queries, key_dim);
    graph::add_elements(first, seen ? e.hold_input(key) : elements_of(batch_heads, keys, key_dim));
    second = seen ? e.hold_input(value) : elements_of(batch_heads, keys, value_dim);
    graph::add_elements(second, e.hold_output());
    graph::add_elements(second, elements_of(batch_heads, queries, 1));
  }
  e.product(Kind::attention, query, key, batch_heads, queries, keys, key_dim, 0, 1, false, first);
  e.product(Kind::attention, e.gradient(query) ? query : key, value, batch_heads, queries, value_dim, keys, 0, 1, false,
            second);
}

namespace {

std::int64_t divide(std::int64_t size, std::int64_t by) { return size < 0 || by <= 0 ? kUnknown : size / by; }

bool give_up(Eval& e) {
  for (int i = 0; i < e.outputs(); ++i) e.unranked(i, e.in(0).elem);
  e.product(Kind::attention, 0, -1, kUnknown, 1, 1, 1, 0);
  return true;
}

// Attention: (input, weights [H, 3H], bias, mask, past [2, B, heads, P, d])
bool attention(Eval& e) {
  const Type x = e.in(0), w = e.in(1);
  const std::int64_t heads = e.integer("num_heads", 0);
  if (!x.ranked() || x.rank != 3 || !w.ranked() || w.rank != 2 || heads <= 0) return give_up(e);
  Integers sizes;
  e.integers("qkv_hidden_sizes", sizes);
  const std::int64_t batch = x.dims[0], sequence = x.dims[1], width = x.dims[2];
  const std::int64_t query = sizes.n == 3 ? sizes.v[0] : divide(w.dims[1], 3),
                     value = sizes.n == 3 ? sizes.v[2] : divide(w.dims[1], 3);
  const int past_at = e.rule().choice == 1 ? 8 : 4;  // QAttention puts scales and zero points before it
  const Type& past = e.in(past_at);
  const std::int64_t before = past.ranked() && past.rank == 5 ? past.dims[3] : 0;
  const std::int64_t keys = size_plus(sequence, before);
  Dims dims, present;
  for (std::int64_t size : {batch, sequence, value}) dims.push(size);
  for (std::int64_t size : {std::int64_t{2}, batch, heads, keys, divide(query, heads)}) present.push(size);
  e.shape(0, x.elem, dims);
  e.shape(1, x.elem, present);
  e.product(Kind::product, 0, 1, 1, size_times(batch, sequence), w.dims[1], width);
  const int made_from = e.gradient(1) ? 1 : 0;
  attend(e, made_from, made_from, made_from, size_times(batch, heads), sequence, keys, divide(query, heads),
         divide(value, heads));
  return true;
}

// MultiHeadAttention: (query, key, value, bias, mask, attention bias, past_key, past_value)
bool multi_head_attention(Eval& e) {
  const Type q = e.in(0), k = e.in(1), v = e.in(2);
  const std::int64_t heads = e.integer("num_heads", 0);
  if (!q.ranked() || heads <= 0 || q.rank < 3) return give_up(e);
  std::int64_t batch = q.dims[0], sequence = q.dims[1], keys = sequence, key_dim = 0, value_dim = 0;
  if (q.rank == 5) {  // packed [B, L, heads, 3, d]
    key_dim = value_dim = q.dims[4];
  } else {
    key_dim = value_dim = divide(q.dims[2], heads);
    if (k.ranked() && k.rank == 3) keys = k.dims[1];
    if (k.ranked() && k.rank == 4) keys = k.dims[2];
    if (k.ranked() && k.rank == 5) keys = k.dims[1];
    if (v.ranked() && v.rank == 3) value_dim = divide(v.dims[2], heads);
    if (v.ranked() && v.rank == 4) value_dim = v.dims[3];
  }
  if (e.in(6).ranked() && e.in(6).rank == 4) keys = size_plus(keys, e.in(6).dims[2]);
  Dims dims, present;
  for (std::int64_t size : {batch, sequence, size_times(heads, value_dim)}) dims.push(size);
  for (std::int64_t size : {batch, heads, keys, key_dim}) present.push(size);
  e.shape(0, q.elem, dims);
  e.shape(1, q.elem, present);
  e.shape(2, q.elem, present);
  const int key = e.has(1) ? 1 : 0;  // packed with the queries, or values packed with the keys
  attend(e, 0, key, e.has(2) ? 2 : key, size_times(batch, heads), sequence, keys, key_dim, value_dim);
  return true;
}

// GroupQueryAttention: (query, key, value, past_key, past_value, seqlens_k, total_sequence_length, cos, sin)
bool group_query_attention(Eval& e) {
  const Type q = e.in(0), k = e.in(1), past = e.in(3);
  const std::int64_t heads = e.integer("num_heads", 0), kv_heads = e.integer("kv_num_heads", 0);
  if (!q.ranked() || q.rank != 3 || heads <= 0 || kv_heads <= 0) return give_up(e);
  const bool packed = !e.has(1) || !k.ranked();
  const std::int64_t dim = packed ? divide(q.dims[2], heads + 2 * kv_heads) : divide(q.dims[2], heads);
  std::int64_t keys = size_plus(past.ranked() && past.rank == 4 ? past.dims[2] : 0, q.dims[1]);
  std::int64_t total = 0;
  if (Eval::scalar(e.in(6), total) && total > 0) keys = total;
  Dims dims, present;
  for (std::int64_t size : {q.dims[0], q.dims[1], size_times(heads, dim)}) dims.push(size);
  for (std::int64_t size : {q.dims[0], kv_heads, keys, dim}) present.push(size);
  e.shape(0, q.elem, dims);
  e.shape(1, q.elem, present);
  e.shape(2, q.elem, present);
  attend(e, 0, packed ? 0 : 1, packed ? 0 : 2, size_times(q.dims[0], heads), q.dims[1], keys, dim, dim);
  return true;
}

// ai.onnx Attention (opset 23): (Q, K, V, mask, past_key, past_value), three or four dimensions each
bool standard_attention(Eval& e) {
  const Type q = e.in(0), k = e.in(1), v = e.in(2), past = e.in(4);
  if (!q.ranked() || !k.ranked() || !v.ranked() || q.rank != k.rank || k.rank != v.rank || q.rank < 3 || q.rank > 4)
    return give_up(e);
  const bool split = q.rank == 4;
  const std::int64_t heads = split ? q.dims[1] : e.integer("q_num_heads", 0),
                     kv = split ? k.dims[1] : e.integer("kv_num_heads", 0);
  if (heads == 0 || kv == 0) return give_up(e);
  const std::int64_t queries = q.dims[split ? 2 : 1], dim = split ? q.dims[3] : divide(q.dims[2], heads);
  const std::int64_t value_dim = split ? v.dims[3] : divide(v.dims[2], kv);
  const std::int64_t keys = size_plus(k.dims[split ? 2 : 1], past.ranked() && past.rank == 4 ? past.dims[2] : 0);
  Dims dims, present_key, present_value, scores;
  if (split)
    for (std::int64_t size : {q.dims[0], heads, queries, value_dim}) dims.push(size);
  else
    for (std::int64_t size : {q.dims[0], queries, size_times(heads, value_dim)}) dims.push(size);
  for (std::int64_t size : {q.dims[0], kv, keys, dim}) present_key.push(size);
  for (std::int64_t size : {q.dims[0], kv, keys, value_dim}) present_value.push(size);
  for (std::int64_t size : {q.dims[0], heads, queries, keys}) scores.push(size);
  e.shape(0, q.elem, dims);
  e.shape(1, q.elem, present_key);
  e.shape(2, q.elem, present_value);
  e.shape(3, q.elem, scores);
  attend(e, 0, 1, 2, size_times(q.dims[0], heads), queries, keys, dim, value_dim);
  return true;
}

// A normalization of `x`.
bool normalized(Eval& e, const Type& x) {
  graph::Step s = e.step(Kind::normalization);
  s.flop_per_element = e.rule().flop;
  s.written = s.read = std::max<std::int64_t>(Eval::elements(x), 0);
  s.left_gradient = e.useful() && e.out(0).has(kGradient);
  s.kept = s.left_gradient ? e.hold_input(0) : 0;
  e.record(s);
  return true;
}

// Input plus skip (and bias), then a normalization over the last axis; output 3 is the sum.
bool skip_normalization(Eval& e) {
  const Type x = e.in(0);
  e.shape_like(0, x.elem, x);
  e.shape_like(3, x.elem, x);
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(i + 1 < x.rank ? x.dims[i] : 1);
  if (x.ranked()) {
    e.shape(1, kFloat, dims);
    e.shape(2, kFloat, dims);
  }
  return normalized(e, x);
}

// SkipGroupNorm: the sum with a skip, which is also output 1, then statistics over groups of channels.
bool skip_group_normalization(Eval& e) {
  const Type x = e.in(0);
  e.shape_like(0, x.elem, x);
  e.shape_like(1, x.elem, x);
  return normalized(e, x);
}

// Word, position and segment embeddings, then layer norm: (ids, segment ids, word, position, segment, gamma, beta,
// mask)
bool embed_normalization(Eval& e) {
  const Type ids = e.in(0), words = e.in(2);
  if (!ids.ranked() || ids.rank != 2 || !words.ranked() || words.rank != 2) return give_up(e);
  Dims dims, mask;
  for (std::int64_t size : {ids.dims[0], ids.dims[1], words.dims[1]}) dims.push(size);
  mask.push(ids.dims[0]);
  e.shape(0, words.elem, dims);
  e.shape(1, kInt32, mask);
  e.shape(2, words.elem, dims);
  graph::Step s = e.step(Kind::lookup);
  s.flop_per_element = 9;
  s.written = std::max<std::int64_t>(Eval::elements(e.out(0)), 0);
  s.right_gradient = e.gradient(2);
  e.record(s);
  return true;
}

bool like_first(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  e.elementwise(e.rule().flop);
  return true;
}

// BiasSplitGelu: half of the last axis gates the other half.
bool split_gelu(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked() || x.rank == 0) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(i + 1 < x.rank ? x.dims[i] : divide(x.dims[i], 2));
  e.shape(0, x.elem, dims);
  e.elementwise(9);
  return true;
}

}  // namespace

#define MS false, "com.microsoft"
const Rule kContribRules[] = {
    {"Attention", attention, 40, 19, kAll, 0, 0, MS},
    {"QAttention", attention, 248, 3, kAll, 0, 1, MS},
    {"MultiHeadAttention", multi_head_attention, 16, kAll, kAll, 0, 0, MS},
    {"GroupQueryAttention", group_query_attention, 480, 31, kAll, 0, 0, MS},
    {"Attention", standard_attention, 8},
    {"SkipLayerNormalization", skip_normalization, 0, kAll, kAll, 8, 0, MS},
    {"SkipSimplifiedLayerNormalization", skip_normalization, 0, kAll, kAll, 5, 0, MS},
    {"SkipGroupNorm", skip_group_normalization, 0, kAll, kAll, 8, 0, MS},
    {"EmbedLayerNormalization", embed_normalization, 0, 124, kAll, 0, 0, MS},
    {"BiasGelu", like_first, 0, kAll, kAll, 9, 0, MS},
    {"Gelu", like_first, 0, kAll, kAll, 8, 0, MS},
    {"FastGelu", like_first, 0, kAll, kAll, 8, 0, MS},
    {"QuickGelu", like_first, 0, kAll, kAll, 5, 0, MS},
    {"BiasSplitGelu", split_gelu, 0, kAll, kAll, 9, 0, MS},
    {"BiasSoftmax", like_first, 0, kAll, kAll, 6, 0, MS},
    {"BiasAdd", like_first, 0, kAll, kAll, 2, 0, MS},
    {"RotaryEmbedding", like_first, 14, 1, kAll, 3, 0, MS},
    {"RotaryEmbedding", like_first, 14, 1, kAll, 3},
    {"", nullptr},
};
#undef MS

}  // namespace floptally::onnx
