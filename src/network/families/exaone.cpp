#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"exaone4", "exaone_moe"};
constexpr std::string_view kArchitectures[] = {"Exaone4ForCausalLM", "ExaoneMoEForCausalLM", "ExaoneMoeForCausalLM"};

void describe_exaone(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  full.qk_norm = QkNorm::per_head;
  AttentionPart windowed = full;
  const std::int64_t window = c.count_or("sliding_window", 0);
  set_window(windowed, window);
  if (window > 0) full.rotary_dim = 0;  // full layers of the hybrid carry no positions
  const std::string_view pattern = c.text_or("sliding_window_pattern", "LLLG");
  const auto slides = [&](std::int64_t i) {
    return window > 0 && !pattern.empty() && pattern[static_cast<std::size_t>(i) % pattern.size()] == 'L';
  };
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", slides);  // bit 0 a window, bit 1 experts
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  MoePart moe;
  const bool routed = c.has("num_experts") || c.has("n_routed_experts");
  if (routed) {
    moe.width = s.width;
    moe.experts = c.size("num_experts", "n_routed_experts");
    moe.top_k = c.size("num_experts_per_tok");
    moe.expert_ffn = c.size("moe_intermediate_size");
    moe.shared_ffn = c.count_or("num_shared_experts", 0) * moe.expert_ffn;
    check_experts(f, moe, "num_experts", "num_experts_per_tok");
    const std::vector<std::uint8_t> sparse =
        c.has("is_moe_layer") ? kinds_flagged(f, s.layers, "is_moe_layer", [](std::int64_t) { return true; })
                              : kinds_named(f, s.layers, "mlp_layer_types", "sparse", [&](std::int64_t i) {
                                  return i >= c.count_or("first_k_dense_replace", 1);
                                });
    for (std::size_t i = 0; i < kinds.size() && i < sparse.size(); ++i)
      if (sparse[i] != 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  }
  const bool tied = read_tied(f, false);
  const Residuals residuals = routed ? Residuals::pre_norm : Residuals::post_norm;
  c.understood({"first_k_dense_replace", "n_group", "topk_group", "topk_method", "norm_topk_prob",
                "routed_scaling_factor", "scoring_func", "first_last_k_dense_replace"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    const bool experts = (kind & 2U) != 0;
    describe(f, {.attention = (kind & 1U) != 0 ? &windowed : &full,
                 .mlp = &mlp,
                 .moe = experts ? &moe : nullptr,
                 .residuals = residuals});
    if (experts) describe_correction_buffer(f, moe.experts);
  });
}

}  // namespace

extern const FamilyDef k_exaone;
const FamilyDef k_exaone = {
    "exaone",
    "EXAONE 4 and K-EXAONE: norms after the sublayers, normed query and key heads, windows, experts in K-EXAONE",
    "huggingface/transformers models/exaone4/modeling_exaone4.py, models/exaone_moe",
    kTypes,
    kArchitectures,
    build<describe_exaone>};

}  // namespace floptally::families
