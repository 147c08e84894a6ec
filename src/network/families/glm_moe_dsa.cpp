#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glm_moe_dsa", "glm4_moe_lite"};
constexpr std::string_view kArchitectures[] = {"GlmMoeDsaForCausalLM", "Glm4MoeLiteForCausalLM"};

void describe_glm_moe_dsa(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  AttentionPart attention;
  attention.width = s.width;
  attention.heads = s.heads;
  read_latent(f, attention);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  MoePart moe = read_deepseek_experts(f, s.width);

  const bool selects = c.has("index_topk");
  Indexer indexer;
  AttentionPart selected = attention;
  if (selects) {
    indexer.heads = c.size("index_n_heads");
    indexer.head_dim = c.size("index_head_dim");
    indexer.kept = c.size("index_topk");
    indexer.query_width = attention.q_rank > 0 ? attention.q_rank : s.width;
    selected.mask = AttentionMask::causal_selection;
    selected.span = indexer.kept;
  }
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
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
    if ((kind & 2U) != 0) describe_indexer(g, indexer, s.width);
    describe(g, {.attention = &selected, .mlp = &mlp, .moe = (kind & 1U) != 0 ? &moe : nullptr});
    if ((kind & 1U) != 0) describe_correction_buffer(g, moe.experts);
  };
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind); });
  if (extra > 0 && !extra_described) remark_extra_heads(f, extra);
  if (extra > 0 && extra_described)
    describe_extra_heads(f, extra, s.width, s.vocabulary,
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
