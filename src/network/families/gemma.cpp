#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gemma"};
constexpr std::string_view kArchitectures[] = {"GemmaForCausalLM"};

void describe_gemma(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), Activation::gelu);
  const bool tied = read_tied(f, true);
  c.understood({"hidden_act", "hidden_activation"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_gemma;
const FamilyDef k_gemma = {"gemma",
                           "Gemma 1: wide heads, GeGLU, tied embedding",
                           "huggingface/transformers models/gemma/modeling_gemma.py",
                           kTypes,
                           kArchitectures,
                           build<describe_gemma>};

}  // namespace floptally::families
