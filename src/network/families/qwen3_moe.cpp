#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3_moe", "qwen3_vl_moe_text", "qwen3_omni_moe_text"};
constexpr std::string_view kArchitectures[] = {"Qwen3MoeForCausalLM"};

void describe_qwen3_moe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", c.flag("qkv_bias", false));
  set_bias(attention, bias, bias);
  attention.qk_norm = QkNorm::per_head;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts", "num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  const std::vector<std::uint8_t> sparse = kinds_sparse(f, s.layers);
  const bool tied = read_tied(f, false);
  c.understood({"use_sliding_window", "sliding_window", "max_window_layers", "norm_topk_prob", "use_qk_norm",
                "shared_expert_intermediate_size"});
  if (!f.ok()) return;
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) {
    describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_qwen3_moe;
const FamilyDef k_qwen3_moe = {"qwen3_moe",
                               "Qwen 3 mixture of experts: Qwen 3 attention, routed experts without shared ones",
                               "huggingface/transformers models/qwen3_moe/modeling_qwen3_moe.py",
                               kTypes,
                               kArchitectures,
                               build<describe_qwen3_moe>};

}  // namespace floptally::families
