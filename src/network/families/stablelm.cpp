#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"stablelm"};
constexpr std::string_view kArchitectures[] = {"StableLmForCausalLM"};

void describe_stablelm(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.flag("use_qkv_bias", false), false);
  attention.rotary_dim = static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", c.ratio_or("rope_pct", 0.25)) *
                                                   static_cast<double>(s.head_dim));
  if (c.flag("qk_layernorm", false)) {  // a norm for every head, without a shift
    attention.qk_norm = QkNorm::whole;
    attention.qk_norm_kind = NormKind::layer_scale_only;
  }
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const Residuals residuals = c.flag("use_parallel_residual", false) ? Residuals::parallel : Residuals::pre_norm;
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = residuals}, tied);
}

}  // namespace

extern const FamilyDef k_stablelm;
const FamilyDef k_stablelm = {
    "stablelm",
    "StableLM 2 and StableLM-3B: partial rotary positions, layer norms, gated layers, optional parallel residual",
    "huggingface/transformers models/stablelm/modeling_stablelm.py",
    kTypes,
    kArchitectures,
    build<describe_stablelm>};

}  // namespace floptally::families
