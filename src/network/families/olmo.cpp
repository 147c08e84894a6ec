#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"olmo", "hf_olmo"};
constexpr std::string_view kArchitectures[] = {"OlmoForCausalLM"};

void describe_olmo(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool tied = read_tied(f, false);
  c.understood({"clip_qkv", "pretraining_tp"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer_plain}, tied);
}

}  // namespace

extern const FamilyDef k_olmo;
const FamilyDef k_olmo = {"olmo",
                          "OLMo 1: layer norms without parameters, SwiGLU, no biases",
                          "huggingface/transformers models/olmo/modeling_olmo.py",
                          kTypes,
                          kArchitectures,
                          build<describe_olmo>};

}  // namespace floptally::families
