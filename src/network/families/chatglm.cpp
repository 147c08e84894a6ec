#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"chatglm"};
constexpr std::string_view kArchitectures[] = {"ChatGLMModel", "ChatGLMForConditionalGeneration"};

void describe_chatglm(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_layers");
  s.heads = c.size("num_attention_heads");
  s.head_dim = c.size("kv_channels");
  s.vocabulary = c.size("padded_vocab_size", "vocab_size");
  const bool grouped = c.flag("multi_query_attention", false);
  s.kv_heads = grouped ? c.size("multi_query_group_num") : s.heads;
  c.understood({"multi_query_group_num", "vocab_size"});
  c.divides("multi_query_group_num", s.kv_heads, "num_attention_heads", s.heads);
  f.sequence(c.size_or("seq_length", 4096));
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  const bool bias = c.flag("add_bias_linear", false);
  set_bias(attention, bias || c.flag("add_qkv_bias", false), bias);
  attention.rotary_dim = s.head_dim / 2;
  const NormKind norm_kind = c.flag("rmsnorm", true) ? NormKind::rms : NormKind::layer;
  MlpPart mlp = mlp_of(s.width, c.size("ffn_hidden_size"), Activation::silu, true, bias);
  mlp.joined = true;
  const bool tied = read_tied(f, false);
  c.understood({"post_layer_norm", "layernorm_epsilon", "apply_query_key_layer_scaling", "fp32_residual_connection",
                "original_rope", "pre_seq_len", "prefix_projection", "quantization_bit", "rope_ratio",
                "bias_dropout_fusion"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = norm_kind}, tied);
}

}  // namespace

extern const FamilyDef k_chatglm;
const FamilyDef k_chatglm = {
    "chatglm",
    "ChatGLM 2-3 and GLM-4 (own code): few key and value groups, biases on query, key and value",
    "THUDM/glm-4-9b modeling_chatglm.py",
    kTypes,
    kArchitectures,
    build<describe_chatglm>};

}  // namespace floptally::families
