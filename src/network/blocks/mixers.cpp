#include "network/blocks/mixers.h"

namespace floptally {
namespace {

constexpr Component kRecurrent = Component::recurrent;

Op short_convolution(std::string_view name, std::int64_t tokens, std::int64_t channels, std::int64_t kernel,
                     bool bias) {
  return convolution(name, channels, channels, channels, kernel, tokens, tokens, bias)
      .part_of(kRecurrent)
      .split({0, 1, 2});  // a channel each
}

}  // namespace

void describe_mamba(const MambaPart& p, std::int64_t tokens, Sink& sink) {
  const Scope scope(sink, "mixer");
  sink.add(column_linear("in_proj", tokens, p.width, 2 * p.inner, p.bias, kRecurrent));
  sink.add(short_convolution("conv1d", tokens, p.inner, p.kernel, p.convolution_bias));
  sink.add(activation("act", tokens * p.inner, Activation::silu));
  sink.add(row_linear("x_proj", tokens, p.inner, p.step_rank + 2 * p.state, false, kRecurrent));
  if (p.inner_norms) {
    sink.add(rms_norm("dt_layernorm", tokens, p.step_rank));
    sink.add(rms_norm("b_layernorm", tokens, p.state));
    sink.add(rms_norm("c_layernorm", tokens, p.state));
  }
  sink.add(column_linear("dt_proj", tokens, p.step_rank, p.inner, true, kRecurrent));
  sink.add(activation("softplus", tokens * p.inner, Activation::softplus));
  sink.add(selective_scan("scan", tokens, p.inner, p.state));
  sink.add(gated_activation("gate", tokens * p.inner, Activation::silu));
  sink.add(row_linear("out_proj", tokens, p.inner, p.width, p.bias, kRecurrent));
}

void describe_mamba2(const Mamba2Part& p, std::int64_t tokens, Sink& sink) {
  const std::int64_t inner = p.heads * p.head_dim, convolved = inner + 2 * p.groups * p.state;
  const Scope scope(sink, "mixer");
  sink.add(column_linear("in_proj", tokens, p.width, inner + convolved + p.heads, p.bias, kRecurrent));
  sink.add(short_convolution("conv1d", tokens, convolved, p.kernel, p.convolution_bias));
  sink.add(activation("act", tokens * convolved, Activation::silu));
  sink.add(state_space("scan", tokens, p.heads, p.head_dim, p.state, p.groups));
  sink.add(gated_activation("gate", tokens * inner, Activation::silu));
  if (p.gated_norm) sink.add(rms_norm("norm", tokens, inner).split({1}));
  sink.add(row_linear("out_proj", tokens, inner, p.width, p.bias, kRecurrent));
}

void describe_delta_net(const DeltaNetPart& p, std::int64_t tokens, Sink& sink) {
  const std::int64_t keys = p.key_heads * p.key_dim, values = p.heads * p.value_dim;
  const Scope scope(sink, "linear_attn");
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    {
      const Scope qkv(sink, {});
      sink.add(column_linear("in_proj_qkv", tokens, p.width, 2 * keys + values, false, kRecurrent));
      sink.add(short_convolution("conv1d", tokens, 2 * keys + values, p.kernel, false));
      sink.add(activation("act", tokens * (2 * keys + values), Activation::silu));
    }
    sink.add(column_linear("in_proj_z", tokens, p.width, values, false, kRecurrent).with(op_flags::shared_input));
    sink.add(column_linear("in_proj_ba", tokens, p.width, 2 * p.heads, false, kRecurrent).with(op_flags::shared_input));
  }
  sink.add(delta_rule("delta_rule", tokens, p.heads, p.key_heads, p.key_dim, p.value_dim, 2));
  sink.add(rms_norm("norm", tokens * p.heads, p.value_dim));
  sink.add(gated_activation("gate", tokens * values, Activation::silu));
  sink.add(row_linear("out_proj", tokens, values, p.width, false, kRecurrent));
}

void describe_kimi_delta(const KimiDeltaPart& p, std::int64_t tokens, Sink& sink) {
  const std::int64_t inner = p.heads * p.head_dim;
  const Scope scope(sink, "self_attn");
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    struct Stream {
      std::string_view projection, convolution;
    };
    for (const Stream s : {Stream{"q_proj", "q_conv1d"}, Stream{"k_proj", "k_conv1d"}, Stream{"v_proj", "v_conv1d"}}) {
      const Scope stream(sink, {});
      sink.add(column_linear(s.projection, tokens, p.width, inner, false, kRecurrent));
      sink.add(short_convolution(s.convolution, tokens, inner, p.kernel, false));
      sink.add(activation("act", tokens * inner, Activation::silu));
    }
    {
      const Scope decay(sink, {});
      sink.add(linear("f_a_proj", tokens, p.width, p.head_dim, false, kRecurrent).with(op_flags::shared_input));
      sink.add(column_linear("f_b_proj", tokens, p.head_dim, inner, false, kRecurrent));
    }
    sink.add(column_linear("b_proj", tokens, p.width, p.heads, false, kRecurrent).with(op_flags::shared_input));
    const Scope gate(sink, {});
    if (p.full_rank_gate) {
      sink.add(column_linear("g_proj", tokens, p.width, inner, false, kRecurrent).with(op_flags::shared_input));
    } else {
      sink.add(linear("g_a_proj", tokens, p.width, p.head_dim, false, kRecurrent).with(op_flags::shared_input));
      sink.add(column_linear("g_b_proj", tokens, p.head_dim, inner, false, kRecurrent));
    }
  }
  sink.add(parameter("dt_bias", inner, tokens * inner, kRecurrent));
  sink.add(delta_rule("delta_rule", tokens, p.heads, p.heads, p.head_dim, p.head_dim, 1));
  sink.add(rms_norm("o_norm", tokens * p.heads, p.head_dim));
  sink.add(gated_activation("gate", tokens * inner, Activation::sigmoid));
  sink.add(row_linear("o_proj", tokens, inner, p.width, false, kRecurrent));
}

void describe_lightning(const LightningPart& p, std::int64_t tokens, Sink& sink) {
  const std::int64_t inner = p.heads * p.head_dim;
  const Scope scope(sink, "self_attn");
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    sink.add(column_linear("qkv_proj", tokens, p.width, 3 * inner, false, kRecurrent));
    sink.add(column_linear("output_gate", tokens, p.width, inner, false, kRecurrent).with(op_flags::shared_input));
  }
  sink.add(activation("act", tokens * 3 * inner, Activation::silu));
  sink.add(linear_attention("attention", tokens, p.heads, p.head_dim, p.head_dim));
  sink.add(rms_norm("norm", tokens, inner));
  sink.add(gated_activation("gate", tokens * inner, Activation::sigmoid));
  sink.add(row_linear("out_proj", tokens, inner, p.width, false, kRecurrent));
}

}  // namespace floptally
