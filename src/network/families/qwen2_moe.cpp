#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen2_moe"};
constexpr std::string_view kArchitectures[] = {"Qwen2MoeForCausalLM"};

void describe_qwen2_moe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.flag("qkv_bias", true), false);
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.count_or("shared_expert_intermediate_size", 0);
  moe.shared_gate = moe.shared_ffn > 0;
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  const std::vector<std::uint8_t> sparse = kinds_sparse(f, s.layers);
  const bool tied = read_tied(f, false);
  c.understood({"use_sliding_window", "sliding_window", "max_window_layers", "norm_topk_prob"});
  if (!f.ok()) return;
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) {
    describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_qwen2_moe;
const FamilyDef k_qwen2_moe = {"qwen2_moe",
                               "Qwen1.5-MoE and Qwen2-57B: Qwen 2 layers, routed experts beside a gated shared expert",
                               "huggingface/transformers models/qwen2_moe/modeling_qwen2_moe.py",
                               kTypes,
                               kArchitectures,
                               build<describe_qwen2_moe>};

}  // namespace floptally::families
