#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"xglm"};
constexpr std::string_view kArchitectures[] = {"XGLMForCausalLM"};

void describe_xglm(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("d_model");
  s.layers = c.size("num_layers");
  s.heads = s.kv_heads = c.size("attention_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("attention_heads", s.heads, "d_model", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  f.sequence(c.size("max_position_embeddings"));
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp =
      mlp_of(s.width, c.size("ffn_dim"), read_activation(f, Activation::gelu, "activation_function"), false, true);
  const bool tied = read_tied(f, true);
  c.understood({"scale_embedding"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

}  // namespace

extern const FamilyDef k_xglm;
const FamilyDef k_xglm = {"xglm",
                          "XGLM: layer norms, biases, sinusoidal positions, tied embedding",
                          "huggingface/transformers models/xglm/modeling_xglm.py; 2112.10668",
                          kTypes,
                          kArchitectures,
                          build<describe_xglm>};

}  // namespace floptally::families
