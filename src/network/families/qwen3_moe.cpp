#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3_moe", "qwen3_vl_moe_text", "qwen3_omni_moe_text", "mellum"};
constexpr std::string_view kArchitectures[] = {"Qwen3MoeForCausalLM", "MellumForCausalLM"};

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
  // Mellum 2 lists its windows and its routed layers.
  const bool listed = c.text_or("model_type", "qwen3_moe") == "mellum";
  AttentionPart windowed = attention;
  if (listed) set_window(windowed, c.assume("sliding_window", 1024));
  std::vector<std::uint8_t> kinds =
      listed ? kinds_named(f, s.layers, "mlp_layer_types", "sparse", [](std::int64_t) { return true; })
             : kinds_sparse(f, s.layers);
  if (listed) {
    const std::vector<std::uint8_t> sliding =
        kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t) { return false; });
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = static_cast<std::uint8_t>(kinds[i] | sliding[i] << 1U);
  }
  const bool tied = read_tied(f, false);
  c.understood({"use_sliding_window", "sliding_window", "max_window_layers", "norm_topk_prob", "use_qk_norm",
                "shared_expert_intermediate_size"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f, {.attention = (kind & 2U) != 0 ? &windowed : &attention,
                 .mlp = &mlp,
                 .moe = (kind & 1U) != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_qwen3_moe;
const FamilyDef k_qwen3_moe = {
    "qwen3_moe",
    "Qwen 3 mixture of experts: Qwen 3 attention, routed experts without shared ones; Mellum 2: with windows",
    "huggingface/transformers models/qwen3_moe/modeling_qwen3_moe.py, models/mellum",
    kTypes,
    kArchitectures,
    build<describe_qwen3_moe>};

}  // namespace floptally::families
