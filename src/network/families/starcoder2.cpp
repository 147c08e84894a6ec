#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"starcoder2"};
constexpr std::string_view kArchitectures[] = {"Starcoder2ForCausalLM"};

void describe_starcoder2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  const bool bias = c.flag("use_bias", true);
  AttentionPart attention = attention_of(s);
  set_bias(attention, bias, bias);
  set_window(attention, c.count_or("sliding_window", 0));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::gelu), false, bias);
  const bool tied = read_tied(f, true);
  c.understood({"mlp_type", "norm_type", "residual_dropout", "embedding_dropout"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

}  // namespace

extern const FamilyDef k_starcoder2;
const FamilyDef k_starcoder2 = {
    "starcoder2",
    "StarCoder 2: grouped attention with rotary positions and windows, plain GELU layers, biases",
    "huggingface/transformers models/starcoder2/modeling_starcoder2.py",
    kTypes,
    kArchitectures,
    build<describe_starcoder2>};

}  // namespace floptally::families
