#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"cohere2_moe"};
constexpr std::string_view kArchitectures[] = {"Cohere2MoeForCausalLM"};

// Bit 0: a window; bit 1: experts.
std::vector<std::uint8_t> read_kinds(Family& f, std::int64_t layers) {
  const Keys& c = f.config;
  const std::int64_t dense = c.count_or("first_k_dense_replace", 0), every = c.size_or("sliding_window_pattern", 4),
                     first = c.size_or("prefix_dense_sliding_window_pattern", 1);
  std::vector<std::uint8_t> kinds = kinds_named(f, layers, "layer_types", "sliding", [&](std::int64_t i) {
    return i < dense ? (i + 1) % first != 0 : (i - dense + 1) % every != 0;
  });
  const std::vector<std::uint8_t> sparse =
      kinds_named(f, layers, "mlp_layer_types", "sparse", [&](std::int64_t i) { return i >= dense; });
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = static_cast<std::uint8_t>(kinds[i] | sparse[i] << 1U);
  return kinds;
}

void describe_cohere2_moe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  AttentionPart windowed = full, first = full;
  set_window(windowed, c.assume("sliding_window", 4096));
  full.rotary_dim = 0;
  if (c.size_or("prefix_dense_sliding_window_pattern", 1) != 1) first.rotary_dim = 0;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.shared_ffn = c.assume_count("num_shared_experts", 0) * moe.expert_ffn;
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const std::vector<std::uint8_t> kinds = read_kinds(f, s.layers);
  const bool any_dense = std::any_of(kinds.begin(), kinds.end(), [](std::uint8_t k) { return (k & 2U) == 0; });
  const MlpPart mlp = mlp_of(
      s.width, any_dense ? c.size("prefix_dense_intermediate_size") : c.size_or("prefix_dense_intermediate_size", 1),
      moe.activation);
  const NormKind norm = c.has("rms_norm_eps") ? NormKind::rms : NormKind::layer_scale_only;
  const bool tied = read_tied(f, true);
  c.understood({"logit_scale", "shared_expert_combination_strategy", "expert_selection_fn", "norm_topk_prob"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, norm, tied, [&](std::uint8_t kind) {
    const bool routed = (kind & 2U) != 0;
    describe(f, {.attention = (kind & 1U) != 0 ? &windowed
                              : routed         ? &full
                                               : &first,
                 .mlp = &mlp,
                 .moe = routed ? &moe : nullptr,
                 .norm = norm,
                 .residuals = Residuals::parallel});
  });
}

}  // namespace

extern const FamilyDef k_cohere2_moe;
const FamilyDef k_cohere2_moe = {
    "cohere2_moe",
    "Command A+: Command A's layers, attention beside routed and shared experts, the first layers dense",
    "huggingface/transformers models/cohere2_moe/modeling_cohere2_moe.py",
    kTypes,
    kArchitectures,
    build<describe_cohere2_moe>};

}  // namespace floptally::families
