#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"afmoe"};
constexpr std::string_view kArchitectures[] = {"AfmoeForCausalLM"};

void describe_afmoe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  full.qk_norm = QkNorm::per_head;
  full.output_gate = true;
  set_bias(full, bias, bias);
  AttentionPart windowed = full;
  full.rotary_dim = 0;
  set_window(windowed, c.assume("sliding_window", 1024));
  const std::int64_t every = std::max<std::int64_t>(1, c.assume("global_attn_every_n_layers", 4));
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [&](std::int64_t i) { return (i + 1) % every != 0; });
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.assume_count("num_shared_experts", 0) * moe.expert_ffn;
  moe.correction_bias = true;
  moe.activation = mlp.activation;
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const std::int64_t dense = c.assume_count("num_dense_layers", 1);
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (static_cast<std::int64_t>(i) >= dense) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  const bool tied = read_tied(f, false);
  c.understood({"mup_enabled", "route_scale", "route_norm", "score_func", "n_group", "topk_group", "load_balance_coeff",
                "use_grouped_mm", "num_expert_groups", "num_limited_groups"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f, {.attention = (kind & 1U) != 0 ? &windowed : &full,
                 .mlp = &mlp,
                 .moe = (kind & 2U) != 0 ? &moe : nullptr,
                 .residuals = Residuals::sandwich});
  });
}

}  // namespace

extern const FamilyDef k_afmoe;
const FamilyDef k_afmoe = {"afmoe",
                           "Arcee Trinity (AFMoE): gated attention with normed heads, windows without positions in "
                           "every fourth layer, shared and routed experts",
                           "huggingface/transformers models/afmoe/modeling_afmoe.py",
                           kTypes,
                           kArchitectures,
                           build<describe_afmoe>};

}  // namespace floptally::families
