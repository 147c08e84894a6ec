#include "network/blocks/tower.h"

namespace floptally {

Op patch_embedding(std::string_view name, std::int64_t channels, std::int64_t width, std::int64_t patch,
                   std::int64_t patches, bool bias) {
  return convolution(name, channels, width, 1, patch, patches * patch, patches, bias);
}

void describe_encoder_layer(const EncoderLayerPart& p, std::int64_t tokens, Sink& sink) {
  AttentionPart a;
  a.width = p.width;
  a.heads = a.kv_heads = p.heads;
  a.head_dim = p.head_dim > 0 ? p.head_dim : p.width / p.heads;
  a.q_bias = a.v_bias = p.qkv_bias;
  a.k_bias = p.qkv_bias && p.key_bias;
  a.out_bias = p.out_bias;
  a.rotary_dim = p.rotary_dim;
  a.qk_norm = p.qk_norm;
  a.qk_norm_kind = p.qk_norm_kind;
  a.mask = p.mask;
  a.span = p.span;
  MlpPart m;
  m.width = p.width;
  m.ffn = p.ffn;
  m.gated = p.gated;
  m.up_bias = m.down_bias = p.mlp_bias;
  m.activation = p.activation;
  if (!p.post_norm) sink.add(norm("layernorm_before", p.norm, tokens, p.width));
  describe_attention(a, tokens, sink);
  if (p.layer_scale) sink.add(learned_scale("layer_scale1", p.width, tokens * p.width));
  sink.add(residual(tokens * p.width));
  sink.add(norm(p.post_norm ? "attention_layernorm" : "layernorm_after", p.norm, tokens, p.width));
  describe_mlp(m, tokens, sink);
  if (p.layer_scale) sink.add(learned_scale("layer_scale2", p.width, tokens * p.width));
  sink.add(residual(tokens * p.width));
  if (p.post_norm) sink.add(norm("output_layernorm", p.norm, tokens, p.width));
}

}  // namespace floptally
