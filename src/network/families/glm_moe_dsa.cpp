#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glm_moe_dsa", "glm4_moe_lite"};
constexpr std::string_view kArchitectures[] = {"GlmMoeDsaForCausalLM", "Glm4MoeLiteForCausalLM"};

void describe_glm_moe_dsa(Family& f) {
  const Keys& c = f.config;
  const DeepSeek d = read_deepseek(f);
  const TextSizes& s = d.sizes;
  const bool selects = c.has("index_topk");
  const Selection selection = selects ? read_selection(f, d.attention) : Selection{{}, d.attention};
  const std::int64_t dense = c.count_or("first_k_dense_replace", 0), extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  // Kinds: bit 0 routed experts, bit 1 an indexer of its own.
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "mlp_layer_types", "sparse", [&](std::int64_t i) { return i >= dense; });
  const std::vector<std::uint8_t> own =
      kinds_named(f, s.layers, "indexer_types", "full", [](std::int64_t) { return true; });
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (selects && i < own.size() && own[i] != 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  c.understood({"moe_layer_freq", "index_share_for_mtp_iteration", "index_skip_topk_offset", "index_topk_freq",
                "index_topk_pattern", "indexer_rope_interleave", "partial_rotary_factor"});
  if (!f.ok()) return;
  const auto layer = [&](Family& g, std::uint8_t kind) {
    if ((kind & 2U) != 0) describe_indexer(g, selection.indexer, s.width);
    describe(g, {.attention = &selection.attention, .mlp = &d.mlp, .moe = (kind & 1U) != 0 ? &d.moe : nullptr});
    if ((kind & 1U) != 0) describe_correction_buffer(g, d.moe.experts);
  };
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind); });
  describe_or_remark_extra_heads(f, extra, extra_described, s,
                                 [&](Family& g) { layer(g, static_cast<std::uint8_t>(selects ? 3 : 1)); });
}

}  // namespace

extern const FamilyDef k_glm_moe_dsa;
const FamilyDef k_glm_moe_dsa = {
    "glm_moe_dsa",
    "GLM-5, 5.1 and 5.2: latent attention with an indexer (shared between layers in 5.2), sigmoid router",
    "huggingface/transformers models/glm_moe_dsa/modeling_glm_moe_dsa.py",
    kTypes,
    kArchitectures,
    build<describe_glm_moe_dsa>};

}  // namespace floptally::families
