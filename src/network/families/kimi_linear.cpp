#include "network/blocks/mixers.h"
#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"kimi_linear"};
constexpr std::string_view kArchitectures[] = {"KimiLinearForCausalLM"};

AttentionPart read_attention(Family& f, const TextSizes& s) {
  AttentionPart latent;
  latent.width = s.width;
  latent.heads = s.heads;
  read_latent(f, latent);
  if (f.config.flag("mla_use_nope", false)) latent.rotary_dim = 0;
  latent.output_gate = f.config.flag("mla_use_output_gate", false);
  return latent;
}

KimiDeltaPart read_delta(const Keys& linear_keys, std::int64_t width) {
  KimiDeltaPart delta;
  delta.width = width;
  delta.heads = linear_keys.size("num_heads");
  delta.head_dim = linear_keys.size("head_dim");
  delta.kernel = linear_keys.size("short_conv_kernel_size");
  delta.full_rank_gate = linear_keys.flag("use_full_rank_gate", false);
  linear_keys.understood({"gate_lower_bound", "full_attn_layers"});
  return delta;
}

MoePart read_experts(const Family& f, std::int64_t width) {
  const Keys& c = f.config;
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("num_experts_per_token", "num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.count_or("num_shared_experts", 0) * moe.expert_ffn;
  moe.latent = c.count_or("routed_expert_hidden_size", 0);
  moe.correction_bias = true;
  check_experts(f, moe, "num_experts", "num_experts_per_token");
  return moe;
}

// Bit 0: routed experts, bit 1: delta attention. kda_layers counts from 1.
std::vector<std::uint8_t> read_kinds(Family& f, const Keys& linear_keys, std::int64_t layers) {
  std::vector<std::uint8_t> kinds = routed_layers(f, layers);
  const Node delta_layers = linear_keys.node("kda_layers");
  if (!delta_layers.is_sequence())
    linear_keys.problem("missing-key", "kda_layers",
                        "the config has no 'linear_attn_config.kda_layers' (which layers use delta attention)");
  for (const Node entry : delta_layers)
    if (const auto i = entry.as_integer();
        i && Integer(0) < *i && *i <= Integer(static_cast<std::int64_t>(kinds.size()))) {
      std::uint8_t& kind = kinds[static_cast<std::size_t>(i->to_int64() - 1)];
      kind = static_cast<std::uint8_t>(kind | 2U);
    }
  return kinds;
}

void describe_kimi_linear(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("model_max_length", 4096));
  const AttentionPart latent = read_attention(f, s);
  const Keys linear_keys = c.child("linear_attn_config");
  const KimiDeltaPart delta = read_delta(linear_keys, s.width);
  const MoePart moe = read_experts(f, s.width);
  const bool latent_norm = moe.latent > 0 && c.flag("latent_moe_use_norm", false);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"));
  const bool banked = c.count_or("attn_res_block_size", 0) > 0, tied = read_tied(f, false);
  const std::vector<std::uint8_t> kinds = read_kinds(f, linear_keys, s.layers);
  c.understood({"hidden_act", "activation_situ_beta", "activation_situ_linear_beta", "moe_renormalize",
                "moe_router_activation_func", "num_expert_group", "routed_scaling_factor", "topk_group", "topk_method",
                "use_grouped_topk", "num_nextn_predict_layers", "model_max_length"});
  if (!f.ok()) return;
  const auto bank = [&](std::string_view name) {  // attention residuals: weights over earlier blocks' outputs
    if (!banked) return;
    const Scope scope(f.sink, name);
    f.sink.add(rms_norm("res_norm", f.tokens, s.width));
    f.sink.add(linear("res_proj", f.tokens, s.width, 1, false, Component::other));
  };
  describe_embedding(f, s.vocabulary, s.width);
  describe_layers(f.sink, kinds, [&](std::uint8_t kind) {
    bank("self_attention_res");
    f.sink.add(rms_norm("input_layernorm", f.tokens, s.width));
    if ((kind & 2U) != 0)
      describe_kimi_delta(delta, f.tokens, f.sink);
    else
      describe_attention(latent, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
    bank("mlp_res");
    f.sink.add(rms_norm("post_attention_layernorm", f.tokens, s.width));
    if ((kind & 1U) == 0)
      describe_mlp(mlp, f.tokens, f.sink);
    else
      describe_moe(moe, f.tokens, f.sink);
    if ((kind & 1U) != 0 && latent_norm) f.sink.add(rms_norm("routed_expert_norm", f.tokens, moe.latent));
    f.sink.add(residual(f.tokens * s.width));
  });
  bank("output_attn_res");
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_kimi_linear;
const FamilyDef k_kimi_linear = {
    "kimi_linear",
    "Kimi Linear and Kimi K3 text: delta attention layers between latent ones, latent experts and residual banks in K3",
    "moonshotai/Kimi-Linear-48B-A3B-Instruct modeling_kimi.py; NVIDIA-NeMo/Megatron-Bridge "
    "models/kimi/kimi_k3_layers.py; 2510.26692",
    kTypes,
    kArchitectures,
    build<describe_kimi_linear>};

}  // namespace floptally::families
