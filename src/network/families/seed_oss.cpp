#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"seed_oss"};
constexpr std::string_view kArchitectures[] = {"SeedOssForCausalLM"};

void describe_seed_oss(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.flag("attention_bias", true), c.flag("attention_out_bias", false));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true,
                             c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"residual_dropout"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_seed_oss;
const FamilyDef k_seed_oss = {"seed_oss",
                              "Seed-OSS: Llama layers with biases on query, key and value",
                              "huggingface/transformers models/seed_oss/modeling_seed_oss.py",
                              kTypes,
                              kArchitectures,
                              build<describe_seed_oss>};

}  // namespace floptally::families
