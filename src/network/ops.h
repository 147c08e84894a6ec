// Makers of ops, so that builders read like the model they describe. Components default to the usual place of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "network/op.h"

namespace floptally {

enum class AttentionMask : std::int64_t {
  none = 0,  // every query sees every key (encoders, cross-attention)
  causal = 1,
  causal_window = 2,     // the last `span` positions, itself included
  causal_chunks = 3,     // causal inside chunks of `span`
  causal_selection = 4,  // at most `span` earlier positions, chosen by an indexer or a block mask
  causal_documents = 5,  // packed documents, causal inside each (sum of squares)
  documents = 6,         // packed documents, no mask inside each
  window_both = 7,       // |i - j| <= span
};

enum class Activation : std::int64_t {
  relu = 0,
  gelu = 1,
  silu = 2,
  sigmoid = 3,
  tanh = 4,
  relu_squared = 5,
  leaky_relu = 6,
  elu = 7,
  hard_swish = 8,
  hard_sigmoid = 9,
  softplus = 10,
  mish = 11,
  identity = 12,
  relu6 = 13,
};
// By the names that PyTorch and Hugging Face use ("gelu_new", "swish", "hardswish").
std::optional<Activation> find_activation(std::string_view name);

// Whether the backward pass needs what the function gave, not what it read (PyTorch derivatives.yaml: threshold,
// sigmoid and tanh backward take the result). It is then the tensor that the next operator reads.
constexpr bool keeps_output(Activation kind) {
  return kind == Activation::relu || kind == Activation::sigmoid || kind == Activation::tanh;
}

// FLOP per element; see flop_per_element.h for what such counts mean.
inline constexpr std::int64_t kActivationFlop[] = {1, 8, 5, 4, 5, 2, 2, 3, 4, 3, 4, 10, 0, 1};
template <class N>
N activation_flop(const N& kind) {
  for (int i = 0; i < 14; ++i)
    if (kind == N(i)) return N(static_cast<long>(kActivationFlop[i]));
  return N(1);
}

namespace operators {
extern const OperatorDef k_linear, k_convolution, k_convolution_transposed, k_matmul, k_embedding, k_position_table,
    k_attention, k_rotary, k_rms_norm, k_layer_norm, k_batch_norm, k_group_norm, k_activation, k_gated_activation,
    k_softmax, k_dropout, k_elementwise, k_pool, k_resize, k_rnn, k_gru, k_lstm, k_grouped_linear, k_routing,
    k_selective_scan, k_state_space, k_delta_rule, k_linear_attention, k_cross_entropy, k_parameter, k_move,
    k_sparse_linear, k_relative_bias, k_unknown;
}  // namespace operators

// Any operator with its attributes in order.
template <class... Values>
Op make_op(const OperatorDef& def, std::string_view name, Component component, Values... values) {
  static_assert(sizeof...(values) <= kMaxAttributes);
  Op op;
  op.def = &def;
  op.name = name;
  op.component = component;
  int i = 0;
  ((op.attributes[i++] = static_cast<std::int64_t>(values)), ...);
  return op;
}

inline Op linear(std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out, bool bias = false,
                 Component component = Component::mlp) {
  return make_op(operators::k_linear, name, component, rows, in, out, bias);
}
// Tensor parallelism cuts the outputs (its input is whole) or the inputs (its output is summed).
inline Op column_linear(std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out, bool bias = false,
                        Component component = Component::mlp) {
  return linear(name, rows, in, out, bias, component).split({2});
}
inline Op row_linear(std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out, bool bias = false,
                     Component component = Component::mlp) {
  return linear(name, rows, in, out, bias, component).split({1});
}
inline Op grouped_linear(std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out, bool bias,
                         std::int64_t experts, std::int64_t active) {
  return make_op(operators::k_grouped_linear, name, Component::mlp, rows, in, out, bias, experts, active);
}
inline Op routing(std::string_view name, std::int64_t tokens, std::int64_t experts, std::int64_t active,
                  std::int64_t width, bool bias = false) {
  return make_op(operators::k_routing, name, Component::router, tokens, experts, active, width, bias);
}
inline Op convolution(std::string_view name, std::int64_t in, std::int64_t out, std::int64_t groups,
                      std::int64_t kernel, std::int64_t in_positions, std::int64_t out_positions, bool bias) {
  return make_op(operators::k_convolution, name, Component::convolution, in, out, groups, kernel, in_positions,
                 out_positions, bias);
}
inline Op convolution_transposed(std::string_view name, std::int64_t in, std::int64_t out, std::int64_t groups,
                                 std::int64_t kernel, std::int64_t in_positions, std::int64_t out_positions,
                                 bool bias) {
  return make_op(operators::k_convolution_transposed, name, Component::convolution, in, out, groups, kernel,
                 in_positions, out_positions, bias);
}
inline Op matmul(std::string_view name, std::int64_t batch, std::int64_t rows, std::int64_t inner, std::int64_t columns,
                 std::int64_t gradients = 2, Component component = Component::attention) {
  return make_op(operators::k_matmul, name, component, batch, rows, inner, columns, gradients);
}
inline Op embedding(std::string_view name, std::int64_t tokens, std::int64_t vocabulary, std::int64_t width,
                    Component component = Component::embed) {
  return make_op(operators::k_embedding, name, component, tokens, vocabulary, width)
      .split({1})
      .with(op_flags::input_no_gradient);
}
inline Op position_table(std::string_view name, std::int64_t tokens, std::int64_t positions, std::int64_t width) {
  return make_op(operators::k_position_table, name, Component::position, tokens, positions, width);
}
struct AttentionShape {
  std::int64_t queries = 1, keys = 1, heads = 1, kv_heads = 1, key_dim = 1, value_dim = 1;
  AttentionMask mask = AttentionMask::causal;
  std::int64_t span = 0, squares = 0;
  bool fused = true, dropout = false;
};
inline Op attention(std::string_view name, const AttentionShape& s) {
  return make_op(operators::k_attention, name, Component::attention, s.queries, s.keys, s.heads, s.kv_heads, s.key_dim,
                 s.value_dim, static_cast<std::int64_t>(s.mask), s.span, s.squares, s.fused, s.dropout)
      .split({2, 3});
}
inline Op rotary(std::string_view name, std::int64_t tokens, std::int64_t heads, std::int64_t dim) {
  return make_op(operators::k_rotary, name, Component::position, tokens, heads, dim).split({1});
}
inline Op relative_bias(std::string_view name, std::int64_t heads, std::int64_t entries, std::int64_t pairs) {
  return make_op(operators::k_relative_bias, name, Component::position, heads, entries, pairs).split({0});
}
inline Op rms_norm(std::string_view name, std::int64_t rows, std::int64_t width, bool scale = true) {
  return make_op(operators::k_rms_norm, name, Component::norm, rows, width, scale, 0);
}
inline Op layer_norm(std::string_view name, std::int64_t rows, std::int64_t width, bool scale = true,
                     bool shift = true) {
  return make_op(operators::k_layer_norm, name, Component::norm, rows, width, scale, shift);
}
inline Op batch_norm(std::string_view name, std::int64_t channels, std::int64_t positions) {
  return make_op(operators::k_batch_norm, name, Component::norm, channels, positions, 1, 1);
}
inline Op group_norm(std::string_view name, std::int64_t channels, std::int64_t positions, std::int64_t groups) {
  return make_op(operators::k_group_norm, name, Component::norm, channels, positions, groups, 1);
}
inline Op activation(std::string_view name, std::int64_t elements, Activation kind) {
  return make_op(operators::k_activation, name, Component::activation, elements, static_cast<std::int64_t>(kind))
      .split({0});
}
inline Op gated_activation(std::string_view name, std::int64_t elements, Activation kind) {
  return make_op(operators::k_gated_activation, name, Component::activation, elements, static_cast<std::int64_t>(kind))
      .split({0});
}
inline Op softmax(std::string_view name, std::int64_t rows, std::int64_t width) {
  return make_op(operators::k_softmax, name, Component::activation, rows, width);
}
inline Op dropout(std::string_view name, std::int64_t elements) {
  return make_op(operators::k_dropout, name, Component::activation, elements);
}
inline Op elementwise(std::string_view name, std::int64_t elements, std::int64_t inputs = 2, std::int64_t flop = 1,
                      std::int64_t kept = 0) {
  return make_op(operators::k_elementwise, name, Component::other, elements, inputs, flop, kept);
}
// The residual addition.
inline Op residual(std::int64_t elements) { return elementwise("residual", elements); }
inline Op pool(std::string_view name, std::int64_t channels, std::int64_t in_positions, std::int64_t out_positions,
               std::int64_t kernel, bool maximum) {
  return make_op(operators::k_pool, name, Component::other, channels, in_positions, out_positions, kernel, maximum);
}
inline Op resize(std::string_view name, std::int64_t elements, std::int64_t from, std::int64_t neighbours) {
  return make_op(operators::k_resize, name, Component::other, elements, from, neighbours);
}
inline Op lstm(std::string_view name, std::int64_t steps, std::int64_t input, std::int64_t hidden,
               std::int64_t directions = 1, std::int64_t biases = 2, std::int64_t projected = 0) {
  return make_op(operators::k_lstm, name, Component::recurrent, steps, input, hidden, directions, biases, projected);
}
inline Op gru(std::string_view name, std::int64_t steps, std::int64_t input, std::int64_t hidden,
              std::int64_t directions = 1, std::int64_t biases = 2) {
  return make_op(operators::k_gru, name, Component::recurrent, steps, input, hidden, directions, biases);
}
inline Op rnn(std::string_view name, std::int64_t steps, std::int64_t input, std::int64_t hidden,
              std::int64_t directions = 1, std::int64_t biases = 2) {
  return make_op(operators::k_rnn, name, Component::recurrent, steps, input, hidden, directions, biases);
}
inline Op selective_scan(std::string_view name, std::int64_t tokens, std::int64_t channels, std::int64_t state) {
  return make_op(operators::k_selective_scan, name, Component::recurrent, tokens, channels, state).split({1});
}
inline Op state_space(std::string_view name, std::int64_t tokens, std::int64_t heads, std::int64_t head_dim,
                      std::int64_t state, std::int64_t groups) {
  return make_op(operators::k_state_space, name, Component::recurrent, tokens, heads, head_dim, state, groups)
      .split({1});
}
inline Op delta_rule(std::string_view name, std::int64_t tokens, std::int64_t heads, std::int64_t key_heads,
                     std::int64_t key_dim, std::int64_t value_dim, std::int64_t scalars = 2) {
  return make_op(operators::k_delta_rule, name, Component::recurrent, tokens, heads, key_heads, key_dim, value_dim,
                 scalars)
      .split({1, 2});
}
inline Op linear_attention(std::string_view name, std::int64_t tokens, std::int64_t heads, std::int64_t key_dim,
                           std::int64_t value_dim) {
  return make_op(operators::k_linear_attention, name, Component::recurrent, tokens, heads, key_dim, value_dim)
      .split({1});
}
inline Op cross_entropy(std::string_view name, std::int64_t rows, std::int64_t classes) {
  return make_op(operators::k_cross_entropy, name, Component::loss, rows, classes)
      .split({1})
      .with(op_flags::training_only);
}
// `parameters` learned numbers that meet `elements` activation numbers.
inline Op parameter(std::string_view name, std::int64_t parameters, std::int64_t elements,
                    Component component = Component::other) {
  return make_op(operators::k_parameter, name, component, parameters, elements);
}
// `parameters` learned factors of `elements` activation numbers, which are kept for the factors' gradient.
inline Op learned_scale(std::string_view name, std::int64_t parameters, std::int64_t elements,
                        Component component = Component::other) {
  return make_op(operators::k_parameter, name, component, parameters, elements, 1);
}
// `kept`: numbers that stay because what follows keeps a view into them.
inline Op move(std::string_view name, std::int64_t elements, std::int64_t buffers = 0, std::int64_t kept = 0) {
  return make_op(operators::k_move, name, Component::other, elements, buffers, kept);
}
inline Op sparse_linear(std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out, bool bias,
                        std::int64_t kept, std::int64_t of, bool dense_gradient) {
  return make_op(operators::k_sparse_linear, name, Component::mlp, rows, in, out, bias, kept, of, dense_gradient);
}
// An operator without a count; `name` says which.
inline Op unknown(std::string_view name) { return make_op(operators::k_unknown, name, Component::other); }

}  // namespace floptally
