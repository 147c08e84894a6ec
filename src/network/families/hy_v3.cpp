#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"hy_v3"};
constexpr std::string_view kArchitectures[] = {"HYV3ForCausalLM"};

void describe_hy_v3(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.qk_norm = QkNorm::per_head;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts", "num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.assume_count("num_shared_experts", 1) * moe.expert_ffn;
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation, true, c.flag("mlp_bias", false));
  const std::int64_t dense = c.size_or("first_k_dense_replace", 1), extra = c.count_or("num_nextn_predict_layers", 0);
  const std::vector<std::uint8_t> sparse =
      kinds_named(f, s.layers, "mlp_layer_types", "sparse", [&](std::int64_t i) { return i >= dense; });
  const bool tied = read_tied(f, false);
  c.understood({"router_scaling_factor", "enable_moe_fp32_combine", "output_router_logits"});
  if (mlp.up_bias) c.problem("unknown-variant", "mlp_bias", "biases in the feed-forward layers are not known here");
  if (!f.ok()) return;
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) {
    describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed != 0 ? &moe : nullptr});
    if (routed != 0) describe_correction_buffer(f, moe.experts);
  });
  if (extra > 0) remark_extra_heads(f, extra);
}

}  // namespace

extern const FamilyDef k_hy_v3;
const FamilyDef k_hy_v3 = {
    "hy_v3",
    "Hunyuan 3: grouped attention with normed heads, one shared and many routed experts, sigmoid "
    "router with a balancing buffer",
    "huggingface/transformers models/hy_v3/modeling_hy_v3.py",
    kTypes,
    kArchitectures,
    build<describe_hy_v3>};

}  // namespace floptally::families
