#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"phi", "phi-msft", "mixformer-sequential"};
constexpr std::string_view kArchitectures[] = {"PhiForCausalLM", "MixFormerSequentialForCausalLM"};

// The first configs of Phi 1, 1.5 and 2 name their sizes as GPT-2's do.
TextSizes read_first_sizes(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = std::max<std::int64_t>(1, c.size("n_head"));
  s.kv_heads = std::max<std::int64_t>(1, c.size_or("n_head_kv", s.heads));
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  c.understood(
      {"architecture", "embd_layer", "flash_attn", "flash_rotary", "fused_dense", "img_processor", "phyagi_version"});
  f.sequence(c.size_or("n_positions", 2048));
  return s;
}

void describe_phi(Family& f) {
  const Keys& c = f.config;
  const bool first = c.has("n_embd");
  TextSizes s = first ? read_first_sizes(f) : read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, true, true);
  attention.rotary_dim =
      first ? c.count_or("rotary_dim", 32)
            : static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  if (c.flag("qk_layernorm", false)) {
    attention.qk_norm = QkNorm::per_head;
    attention.qk_norm_kind = NormKind::layer;
  }
  const MlpPart mlp =
      mlp_of(s.width, c.size_or(first ? "n_inner" : "intermediate_size", 4 * s.width),
             read_activation(f, Activation::gelu, first ? "activation_function" : "hidden_act"), false, true);
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
