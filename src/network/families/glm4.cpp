#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glm", "glm4", "glm4v_text"};
constexpr std::string_view kArchitectures[] = {"GlmForCausalLM", "Glm4ForCausalLM"};

void describe_glm4(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.text_or("model_type", "glm4") == "glm4v_text" || c.flag("attention_bias", false), false);
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  mlp.joined = true;
  const Residuals residuals = c.text_or("model_type", "glm4") == "glm" ? Residuals::pre_norm : Residuals::sandwich;
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .residuals = residuals}, tied);
}

}  // namespace

extern const FamilyDef k_glm4;
const FamilyDef k_glm4 = {"glm4",
                          "GLM-4 (transformers): biases on query, key and value; four norms a layer since 0414",
                          "huggingface/transformers models/glm/modeling_glm.py, models/glm4/modeling_glm4.py",
                          kTypes,
                          kArchitectures,
                          build<describe_glm4>};

}  // namespace floptally::families
