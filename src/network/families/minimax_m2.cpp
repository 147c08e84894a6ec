#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"minimax_m2"};
constexpr std::string_view kArchitectures[] = {"MiniMaxM2ForCausalLM"};

void describe_minimax_m2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = c.count_or("rotary_dim", s.head_dim);
  if (c.flag("use_qk_norm", true))
    attention.qk_norm = c.text_or("qk_norm_type", "per_layer") == "per_layer" ? QkNorm::whole : QkNorm::per_head;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.shared_ffn = c.count_or("shared_intermediate_size", 0);
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  const bool corrected = c.flag("use_routing_bias", true), tied = read_tied(f, false);
  const std::int64_t extra =
      c.flag("use_mtp", false) ? c.count_or("num_mtp_modules", 0) * c.count_or("mtp_transformer_layers", 1) : 0;
  c.understood({"attn_type_list", "layer_types", "num_mtp_modules", "mtp_transformer_layers", "scoring_func",
                "partial_rotary_factor"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .moe = &moe});
    if (corrected) describe_correction_buffer(f, moe.experts);
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
  if (extra > 0 && !f.extra_heads(false)) remark_extra_heads(f, extra);
  if (extra > 0 && f.extra_heads(false))
    describe_extra_heads(f, extra, s.width, s.vocabulary,
                         [&](Family& g) { describe(g, {.attention = &attention, .moe = &moe}); });
}

}  // namespace

extern const FamilyDef k_minimax_m2;
const FamilyDef k_minimax_m2 = {
    "minimax_m2",
    "MiniMax-M2, 2.5 and 2.7: grouped attention normed over all heads, sigmoid router, 256 small experts",
    "huggingface/transformers models/minimax_m2/modeling_minimax_m2.py",
    kTypes,
    kArchitectures,
    build<describe_minimax_m2>};

}  // namespace floptally::families
