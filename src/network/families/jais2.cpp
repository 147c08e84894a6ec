#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"jais2"};
constexpr std::string_view kArchitectures[] = {"Jais2ForCausalLM"};

void describe_jais2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", true);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::relu_squared), false,
                             c.flag("mlp_bias", true));
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

}  // namespace

extern const FamilyDef k_jais2;
const FamilyDef k_jais2 = {"jais2",
                           "Jais 2: layer norms, biases, squared ReLU without a gate, rotary positions",
                           "huggingface/transformers models/jais2/modeling_jais2.py",
                           kTypes,
                           kArchitectures,
                           build<describe_jais2>};

}  // namespace floptally::families
