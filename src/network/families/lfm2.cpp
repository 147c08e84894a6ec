#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"lfm2", "lfm2_moe"};
constexpr std::string_view kArchitectures[] = {"Lfm2ForCausalLM", "Lfm2MoeForCausalLM"};

// intermediate_size (block_ff_dim) is the width before it is cut to two thirds and rounded up, unless that is switched
// off; the mixture of experts takes it as it is.
std::int64_t read_lfm2_inner(const Keys& c, bool experts) {
  const std::int64_t given = c.size("intermediate_size", "block_ff_dim");
  if (experts || !c.flag("block_auto_adjust_ff_dim", true)) return given;
  const std::int64_t multiple = c.size_or("block_multiple_of", 256);
  const std::int64_t two_thirds = 2 * given / 3;
  const auto scaled =
      static_cast<std::int64_t>(c.ratio_or("block_ffn_dim_multiplier", 1.0) * static_cast<double>(two_thirds));
  return std::max(multiple, (scaled + multiple - 1) / multiple * multiple);
}

// B * x through a short convolution, then * C.
void describe_gated_convolution(Family& f, std::int64_t width, std::int64_t kernel, bool bias) {
  const std::int64_t tokens = f.tokens;
  const Scope scope(f.sink, "conv");
  f.sink.add(column_linear("in_proj", tokens, width, 3 * width, bias, Component::convolution));
  f.sink.add(elementwise("gate", tokens * width, 2, 1, 2));
  f.sink.add(convolution("conv", width, width, width, kernel, tokens, tokens, bias));
  f.sink.add(elementwise("gate", tokens * width, 2, 1, 2));
  f.sink.add(row_linear("out_proj", tokens, width, width, bias, Component::convolution));
}

void describe_lfm2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.qk_norm = QkNorm::per_head;
  const std::int64_t kernel = c.size_or("conv_L_cache", 3);
  const bool bias = c.flag("conv_bias", false), experts = c.has("num_experts");
  const MlpPart mlp = mlp_of(s.width, read_lfm2_inner(c, experts));
  MoePart moe;
  moe.width = s.width;
  if (experts) {
    moe.experts = c.size("num_experts");
    moe.top_k = c.size("num_experts_per_tok");
    moe.expert_ffn = c.size("moe_intermediate_size");
    check_experts(f, moe, "num_experts", "num_experts_per_tok");
  }
  const std::int64_t dense = experts ? c.count_or("num_dense_layers", 0) : s.layers;
  const bool tied = c.flag("tie_embedding", read_tied(f, true)), correction = c.flag("use_expert_bias", true);
  c.understood({"block_auto_adjust_ff_dim", "block_dim", "block_ffn_dim_multiplier", "block_mlp_init_scale",
                "block_multiple_of", "block_norm_eps", "block_out_init_scale", "block_use_swiglu",
                "block_use_xavier_init", "conv_dim", "conv_dim_out", "conv_use_xavier_init", "num_heads", "use_pos_enc",
                "norm_topk_prob", "routed_scaling_factor"});
  std::vector<std::uint8_t> kinds = kinds_named(f, s.layers, "layer_types", "full", [&](std::int64_t layer) {
    for (const Node index : c.node("full_attn_idxs"))
      if (const auto i = index.as_integer(); i && *i == Integer(layer)) return true;
    return false;
  });
  if (!c.has("layer_types") && !c.has("full_attn_idxs"))
    c.problem("missing-key", "layer_types", "the config has neither 'layer_types' nor 'full_attn_idxs'");
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (static_cast<std::int64_t>(i) >= dense) kinds[i] |= 2U;
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    const MoePart* routed = (kind & 2U) != 0 ? &moe : nullptr;
    if ((kind & 1U) != 0)
      describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed});
    else
      describe_mixing(
          f, s.width, [&] { describe_gated_convolution(f, s.width, kernel, bias); }, "ffn_norm", routed, &mlp);
    if (routed != nullptr && correction) describe_correction_buffer(f, moe.experts);
  });
}

}  // namespace

extern const FamilyDef k_lfm2;
const FamilyDef k_lfm2 = {"lfm2",
                          "LFM2: gated short convolutions, attention with normed heads in some layers, experts in the "
                          "larger ones, tied embedding",
                          "huggingface/transformers models/lfm2/modeling_lfm2.py, models/lfm2_moe/modeling_lfm2_moe.py",
                          kTypes,
                          kArchitectures,
                          build<describe_lfm2>};

}  // namespace floptally::families
