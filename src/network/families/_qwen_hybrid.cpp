#include "network/families/_qwen_hybrid.h"

namespace floptally::families {

HybridSizes read_hybrid(Family& f) {
  const Keys& c = f.config;
  HybridSizes h;
  h.text = read_text_sizes(f);
  const TextSizes& s = h.text;
  h.attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(h.attention, bias, bias);
  h.attention.qk_norm = QkNorm::per_head;
  h.attention.output_gate = c.flag("attn_output_gate", true);
  h.attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.25) * static_cast<double>(s.head_dim));
  h.delta.width = s.width;
  h.delta.heads = c.size("linear_num_value_heads");
  h.delta.key_heads = c.size("linear_num_key_heads");
  h.delta.key_dim = c.size("linear_key_head_dim");
  h.delta.value_dim = c.size("linear_value_head_dim");
  h.delta.kernel = c.size("linear_conv_kernel_dim");
  c.divides("linear_num_key_heads", h.delta.key_heads, "linear_num_value_heads", h.delta.heads);
  const Activation activation = read_activation(f, Activation::silu);
  h.moe.width = s.width;
  h.moe.experts = c.count_or("num_experts", 0);
  if (h.moe.experts > 0) {
    h.moe.top_k = c.size("num_experts_per_tok");
    h.moe.expert_ffn = c.size("moe_intermediate_size");
    h.moe.shared_ffn = c.size("shared_expert_intermediate_size");
    h.moe.shared_gate = true;
    h.moe.activation = activation;
    check_experts(f, h.moe, "num_experts", "num_experts_per_tok");
  }
  const bool dense_needed =
      h.moe.experts == 0 || (c.node("mlp_only_layers").size() > 0) || c.size_or("decoder_sparse_step", 1) > 1;
  h.mlp = mlp_of(s.width, dense_needed ? c.size("intermediate_size") : c.size_or("intermediate_size", 1), activation);
  const std::int64_t full_every = c.size_or("full_attention_interval", 4),
                     sparse_every = c.size_or("decoder_sparse_step", 1);
  h.kinds = kinds_named(f, s.layers, "layer_types", "full", [&](std::int64_t i) { return (i + 1) % full_every == 0; });
  for (std::uint8_t& kind : h.kinds) kind = static_cast<std::uint8_t>(kind << 1U);
  if (h.moe.experts > 0) {
    for (std::size_t i = 0; i < h.kinds.size(); ++i)
      if ((static_cast<std::int64_t>(i) + 1) % sparse_every == 0)
        h.kinds[i] = static_cast<std::uint8_t>(h.kinds[i] | 1U);
    at_listed(c.node("mlp_only_layers"), h.kinds.size(),
              [&](std::size_t i) { h.kinds[i] &= static_cast<std::uint8_t>(~1U); });
  }
  h.extra_heads = c.count_or("mtp_num_hidden_layers", 0);
  c.understood(
      {"mtp_use_dedicated_embeddings", "norm_topk_prob", "mamba_ssm_dtype", "output_gate_type", "use_sliding_window"});
  return h;
}

void describe_hybrid(Family& f, const HybridSizes& h, bool tied) {
  const TextSizes& s = h.text;
  const auto layer = [&](Family& g, std::uint8_t kind) {
    const MoePart* routed = (kind & 1U) != 0 ? &h.moe : nullptr;
    if ((kind & 2U) != 0) return describe(g, {.attention = &h.attention, .mlp = &h.mlp, .moe = routed});
    g.sink.add(rms_norm("input_layernorm", g.tokens, s.width));
    describe_delta_net(h.delta, g.tokens, g.sink);
    g.sink.add(residual(g.tokens * s.width));
    g.sink.add(rms_norm("post_attention_layernorm", g.tokens, s.width));
    if (routed != nullptr)
      describe_moe(h.moe, g.tokens, g.sink);
    else
      describe_mlp(h.mlp, g.tokens, g.sink);
    g.sink.add(residual(g.tokens * s.width));
  };
  describe_decoder(f, s, h.kinds, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind); });
  if (h.extra_heads > 0 && f.extra_heads(true)) {
    const auto kind = static_cast<std::uint8_t>(h.moe.experts > 0 ? 3 : 2);
    describe_extra_heads(f, h.extra_heads, s.width, s.vocabulary, [&](Family& g) { layer(g, kind); });
  }
}

}  // namespace floptally::families
