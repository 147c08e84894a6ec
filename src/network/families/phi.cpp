#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"phi"};
constexpr std::string_view kArchitectures[] = {"PhiForCausalLM"};

void describe_phi(Family& f) {
  const Keys& c = f.config;
  TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, true, true);
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  if (c.flag("qk_layernorm", false)) {
    attention.qk_norm = QkNorm::per_head;
    attention.qk_norm_kind = NormKind::layer;
  }
  const MlpPart mlp =
      mlp_of(s.width, c.size_or("intermediate_size", 4 * s.width), read_activation(f, Activation::gelu), false, true);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s,
                   {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = Residuals::parallel},
                   tied, true);
}

}  // namespace

extern const FamilyDef k_phi;
const FamilyDef k_phi = {
    "phi",
    "Phi 1, 1.5 and 2: attention and feed-forward side by side after one layer norm, biases everywhere",
    "huggingface/transformers models/phi/modeling_phi.py",
    kTypes,
    kArchitectures,
    build<describe_phi>};

}  // namespace floptally::families
