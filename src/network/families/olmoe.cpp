#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"olmoe"};
constexpr std::string_view kArchitectures[] = {"OlmoeForCausalLM"};

void describe_olmoe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.qk_norm = QkNorm::whole;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const bool tied = read_tied(f, false);
  c.understood({"clip_qkv", "norm_topk_prob"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .moe = &moe}, tied);
}

}  // namespace

extern const FamilyDef k_olmoe;
const FamilyDef k_olmoe = {"olmoe",
                           "OLMoE: 8 of 64 small experts, query and key normed over all heads",
                           "huggingface/transformers models/olmoe/modeling_olmoe.py; 2409.02060",
                           kTypes,
                           kArchitectures,
                           build<describe_olmoe>};

}  // namespace floptally::families
