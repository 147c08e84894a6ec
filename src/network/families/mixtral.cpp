#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mixtral"};
constexpr std::string_view kArchitectures[] = {"MixtralForCausalLM"};

void describe_mixtral(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_window(attention, c.count_or("sliding_window", 0));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .moe = &moe}, tied);
}

}  // namespace

extern const FamilyDef k_mixtral;
const FamilyDef k_mixtral = {"mixtral",
                             "Mixtral: Mistral layers with a mixture of experts in place of the feed-forward layer",
                             "huggingface/transformers models/mixtral/modeling_mixtral.py; Jiang et al. 2401.04088",
                             kTypes,
                             kArchitectures,
                             build<describe_mixtral>};

}  // namespace floptally::families
