#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glm4_moe", "glm4v_moe_text", "solar_open"};
constexpr std::string_view kArchitectures[] = {"Glm4MoeForCausalLM", "SolarOpenForCausalLM"};

void describe_glm4_moe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  // Solar Open: every layer routed, whole heads rotated, no norms of queries and keys.
  const bool solar = c.text_or("model_type", "glm4_moe") == "solar_open";
  set_bias(attention, c.flag("attention_bias", false), false);
  if (c.flag("use_qk_norm", false) && !solar) attention.qk_norm = QkNorm::per_head;
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", solar ? 1 : 0.5) * static_cast<double>(s.head_dim));
  const MoePart moe = read_deepseek_experts(f, s.width);
  const MlpPart mlp =
      mlp_of(s.width, solar ? c.size_or("intermediate_size", 1) : c.size("intermediate_size"), moe.activation);
  const std::int64_t first = c.count_or("first_k_dense_replace", 0), dense = solar ? 0 : first,
                     extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  std::vector<std::uint8_t> sparse = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < sparse.size(); ++i) sparse[i] = static_cast<std::int64_t>(i) >= dense;
  if (!f.ok()) return;
  const auto layer = [&](Family& g, bool routed) {
    describe(g, {.attention = &attention, .mlp = &mlp, .moe = routed ? &moe : nullptr});
    if (routed) describe_correction_buffer(g, moe.experts);
  };
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) { layer(f, routed != 0); });
  if (extra > 0 && !extra_described) remark_extra_heads(f, extra);
  if (extra > 0 && extra_described)
    describe_extra_heads(f, extra, s.width, s.vocabulary, [&](Family& g) { layer(g, true); });
}

}  // namespace

extern const FamilyDef k_glm4_moe;
const FamilyDef k_glm4_moe = {
    "glm4_moe",
    "GLM-4.5, 4.6 and 4.7: grouped attention with biases, sigmoid router, first layers dense; Solar Open: all routed",
    "huggingface/transformers models/glm4_moe/modeling_glm4_moe.py, models/solar_open",
    kTypes,
    kArchitectures,
    build<describe_glm4_moe>};

}  // namespace floptally::families
