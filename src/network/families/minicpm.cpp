#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"minicpm", "minicpm3"};
constexpr std::string_view kArchitectures[] = {"MiniCPMForCausalLM", "MiniCPM3ForCausalLM"};

void describe_minicpm(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  if (c.has("kv_lora_rank")) {
    attention.q_rank = c.count_or("q_lora_rank", 0);
    attention.kv_rank = c.size("kv_lora_rank");
    attention.nope_dim = c.size("qk_nope_head_dim");
    attention.rope_dim = c.size("qk_rope_head_dim");
    attention.value_dim = c.size_or("v_head_dim", std::max<std::int64_t>(1, s.width / s.heads));
    attention.head_dim = attention.nope_dim + attention.rope_dim;
  }
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.count_or("num_experts", 0);
  if (moe.experts > 0) {
    moe.top_k = c.size("num_experts_per_tok");
    moe.expert_ffn = mlp.ffn;
    check_experts(f, moe, "num_experts", "num_experts_per_tok");
  }
  const bool tied = read_tied(f, true);
  c.understood({"scale_emb", "dim_model_base", "scale_depth", "pretraining_tp", "mup_denominator", "sparse_config"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .moe = moe.experts > 0 ? &moe : nullptr}, tied);
}

}  // namespace

extern const FamilyDef k_minicpm;
const FamilyDef k_minicpm = {"minicpm",
                             "MiniCPM 1-4: Llama layers with scaled residuals; latent attention in MiniCPM3",
                             "openbmb/MiniCPM-2B-sft-bf16 modeling_minicpm.py; openbmb/MiniCPM3-4B modeling_minicpm.py",
                             kTypes,
                             kArchitectures,
                             build<describe_minicpm>};

}  // namespace floptally::families
