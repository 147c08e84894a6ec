#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"persimmon"};
constexpr std::string_view kArchitectures[] = {"PersimmonForCausalLM"};

void describe_persimmon(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, true, true);
  if (c.flag("qk_layernorm", true)) {
    attention.qk_norm = QkNorm::per_head;
    attention.qk_norm_kind = NormKind::layer;
  }
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::relu_squared), false, true);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

}  // namespace

extern const FamilyDef k_persimmon;
const FamilyDef k_persimmon = {
    "persimmon",
    "Persimmon: normed query and key heads, half of each head rotated, squared ReLU without a gate, biases",
    "huggingface/transformers models/persimmon/modeling_persimmon.py",
    kTypes,
    kArchitectures,
    build<describe_persimmon>};

}  // namespace floptally::families
