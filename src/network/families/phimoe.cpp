#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"phimoe"};
constexpr std::string_view kArchitectures[] = {"PhiMoEForCausalLM", "PhimoeForCausalLM"};

void describe_phimoe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  set_window(attention, c.count_or("sliding_window", 0));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  const bool tied = read_tied(f, false), head_bias = c.flag("lm_head_bias", false);
  c.understood({"original_max_position_embeddings", "input_jitter_noise", "sliding_window"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .moe = &moe, .norm = NormKind::layer}, tied, head_bias);
}

}  // namespace

extern const FamilyDef k_phimoe;
const FamilyDef k_phimoe = {"phimoe",
                            "Phi-3.5-MoE: layer norms, biased attention, 2 of 16 experts",
                            "huggingface/transformers models/phimoe/modeling_phimoe.py",
                            kTypes,
                            kArchitectures,
                            build<describe_phimoe>};

}  // namespace floptally::families
