// Operators that carry a state along a sequence (opset 27 and com.microsoft): linear attention, causal convolution.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {
namespace {

using graph::Kind;

std::int64_t divide(std::int64_t size, std::int64_t by) { return size < 0 || by <= 0 ? kUnknown : size / by; }

// LinearAttention: (query [B, T, Hq dk], key [B, T, Hkv dk], value [B, T, Hkv dv], past state, decay, beta). By the
// recurrence that defines it: each token adds k v^T to the state of its head and reads it with q; the delta rules read
// it with k as well.
bool linear_attention(Eval& e) {
  const Type q = e.in(0), k = e.in(1), v = e.in(2), past = e.in(3);
  const std::int64_t heads = e.integer("q_num_heads", 0), kv = e.integer("kv_num_heads", 0);
  if (!q.ranked() || !k.ranked() || !v.ranked() || q.rank != 3 || k.rank != 3 || v.rank != 3 || heads <= 0 || kv <= 0) {
    e.unranked(0, q.elem);
    e.product(Kind::attention, 0, 1, kUnknown, 1, 1, 1, 0);
    return true;
  }
  const std::int64_t key_dim = divide(k.dims[2], kv), value_dim = divide(v.dims[2], kv);
  Dims dims, state;
  for (std::int64_t size : {q.dims[0], q.dims[1], size_times(heads, value_dim)}) dims.push(size);
  for (std::int64_t size : {q.dims[0], kv, key_dim, value_dim}) state.push(size);
  e.shape(0, q.elem, dims);
  e.shape(1, past.ranked() ? past.elem : q.elem, state);
  const std::int64_t tokens = size_times(q.dims[0], q.dims[1]);
  const bool delta = e.text("update_rule", "gated_delta").find("delta") != std::string_view::npos;
  e.product(Kind::attention, 1, 2, size_times(tokens, kv), key_dim, value_dim, 1, 0);
  if (delta) e.product(Kind::attention, 1, 2, size_times(tokens, kv), 1, value_dim, key_dim, 0);
  e.product(Kind::attention, 0, 1, size_times(tokens, heads), 1, value_dim, key_dim, 0);
  return true;
}

// CausalConvWithState: (x [B, C, T], weight [C, 1, k], bias, past [B, C, k - 1]): one kernel a channel.
bool causal_convolution(Eval& e) {
  const Type x = e.in(0), w = e.in(1);
  e.shape_like(0, x.elem, x);
  if (!x.ranked() || !w.ranked() || x.rank != 3 || w.rank != 3) {
    e.product(Kind::convolution, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  Dims state;
  for (std::int64_t size : {x.dims[0], x.dims[1], w.dims[2] > 0 ? w.dims[2] - 1 : kUnknown}) state.push(size);
  e.shape(1, x.elem, state);
  e.product(Kind::convolution, 0, 1, w.dims[0], size_times(x.dims[0], x.dims[2]), 1, w.dims[2], kAll, w.dims[2]);
  return true;
}

bool gate(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  e.elementwise(6);
  return true;
}

// Text to numbers and back: no arithmetic. choice: the rank that it adds; -1 where the sizes depend on the text.
bool text(Eval& e) {
  const Type x = e.in(0);
  const std::uint8_t elem = e.rule().flop == 0 ? x.elem : static_cast<std::uint8_t>(e.rule().flop);
  if (e.rule().choice < 0 || !x.ranked()) {
    e.unranked(0, elem);
    return true;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  if (e.rule().choice == 2) {
    if (!e.in(1).ranked()) return true;
    dims = Dims{};
    if (!e.broadcast(x, e.in(1), dims)) return false;
  }
  if (e.rule().choice == 1) {
    e.shape(1, kInt64, dims);
    dims.push(e.new_size(0, dims.n));
  }
  e.shape(0, elem, dims);
  return true;
}

bool mel_weights(Eval& e) {
  std::int64_t bins = kUnknown, length = kUnknown;
  Eval::scalar(e.in(0), bins);
  Eval::scalar(e.in(1), length);
  Dims dims;
  dims.push(length < 0 ? kUnknown : length / 2 + 1);
  dims.push(bins);
  e.shape(0, static_cast<std::uint8_t>(e.integer("output_datatype", kFloat) & 0x3f), dims);
  return true;
}

}  // namespace

const Rule kStateRules[] = {
    {"LinearAttention", linear_attention, 8, 55},
    {"LinearAttention", linear_attention, 8, 55, kAll, 0, 0, false, "com.microsoft"},
    {"CausalConvWithState", causal_convolution, 8, 7, 1},
    {"CausalConvWithState", causal_convolution, 8, 7, 1, 0, 0, false, "com.microsoft"},
    {"SwiGLU", gate},
    {"BitCast", text, 0, 0, 0, 0, 0},
    {"StringConcat", text, 0, 0, 0, kString, 2},
    {"StringSplit", text, 0, 0, 0, kString, 1},
    {"RegexFullMatch", text, 0, 0, 0, kBool, 0},
    {"StringNormalizer", text, 0, 0, 0, kString, -1},
    {"TfIdfVectorizer", text, 0, 0, 0, kFloat, -1},
    {"ImageDecoder", text, 0, 0, 0, kUint8, -1},
    {"MelWeightMatrix", mel_weights, 31, 0, 0},
    {"", nullptr},
};

}  // namespace floptally::onnx
