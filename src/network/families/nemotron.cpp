#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nemotron"};
constexpr std::string_view kArchitectures[] = {"NemotronForCausalLM"};

void describe_nemotron(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.rotary_dim = static_cast<std::int64_t>(
      c.ratio_or("partial_rotary_factor", c.ratio_or("rope_percent", 0.5)) * static_cast<double>(s.head_dim));
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), Activation::relu_squared, false, c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"hidden_act", "norm_eps", "kv_channels", "rope_percent", "rope_percentage"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

}  // namespace

extern const FamilyDef k_nemotron;
const FamilyDef k_nemotron = {
    "nemotron",
    "Nemotron-4 and Minitron: squared ReLU without a gate, layer norms, partial rotary positions",
    "huggingface/transformers models/nemotron/modeling_nemotron.py",
    kTypes,
    kArchitectures,
    build<describe_nemotron>};

}  // namespace floptally::families
