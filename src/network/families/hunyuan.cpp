#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"hunyuan_v1_dense", "hunyuan_v1_moe", "hunyuan"};
constexpr std::string_view kArchitectures[] = {"HunYuanDenseV1ForCausalLM", "HunYuanMoEV1ForCausalLM",
                                               "HunYuanForCausalLM"};

void describe_hunyuan(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  if (c.flag("use_qk_norm", true)) attention.qk_norm = QkNorm::per_head;
  const auto first_of = [&](std::string_view key, std::int64_t absent) {  // one number, or one for each layer
    const Node value = c.node(key);
    return value.is_sequence() ? c.element(key, 0) : c.count_or(key, absent);
  };
  MoePart moe;
  moe.width = s.width;
  moe.experts = first_of("num_experts", 1);
  const std::int64_t inner = c.size("intermediate_size");
  const bool routed = moe.experts > 1;
  if (routed) {
    moe.top_k = std::max<std::int64_t>(1, first_of("moe_topk", 1));
    moe.expert_ffn = std::max<std::int64_t>(1, first_of("moe_intermediate_size", inner));
    moe.shared_ffn = first_of("num_shared_expert", 1) * inner;
    check_experts(f, moe, "num_experts", "moe_topk");
  }
  const MlpPart mlp = mlp_of(s.width, inner, read_activation(f, Activation::silu), true, c.flag("mlp_bias", false));
  const bool tied = read_tied(f, true);
  c.understood({"use_cla", "cla_share_factor", "moe_layer_num_skipped", "norm_topk_prob", "org_vocab_size",
                "use_mixed_mlp_moe", "routed_scaling_factor", "moe_drop_tokens", "moe_random_routing_dropped_token",
                "eod_token_id", "im_start_id", "im_end_id"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .moe = routed ? &moe : nullptr}, tied);
}

}  // namespace

extern const FamilyDef k_hunyuan;
const FamilyDef k_hunyuan = {"hunyuan",
                             "Hunyuan dense and A13B: grouped attention with normed heads, shared and routed experts",
                             "huggingface/transformers models/hunyuan_v1_dense, models/hunyuan_v1_moe",
                             kTypes,
                             kArchitectures,
                             build<describe_hunyuan>};

}  // namespace floptally::families
