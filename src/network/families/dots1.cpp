#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dots1"};
constexpr std::string_view kArchitectures[] = {"Dots1ForCausalLM"};

void describe_dots1(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  full.qk_norm = QkNorm::per_head;
  MoePart moe = read_deepseek_experts(f, s.width);
  moe.correction_bias = true;
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  const std::int64_t dense = c.count_or("first_k_dense_replace", 0);
  const bool tied = read_tied(f, false);
  c.understood({"layer_types", "sliding_window", "max_window_layers", "moe_layer_freq"});
  std::vector<std::uint8_t> routed = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < routed.size(); ++i) routed[i] = static_cast<std::int64_t>(i) >= dense ? 1 : 0;
  if (!f.ok()) return;
  describe_decoder(f, s, routed, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f, {.attention = &full, .mlp = &mlp, .moe = kind != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_dots1;
const FamilyDef k_dots1 = {
    "dots1",
    "dots.llm1: normed query and key heads, DeepSeek's routed and shared experts after the first dense layers",
    "huggingface/transformers models/dots1/modeling_dots1.py; 2506.05767",
    kTypes,
    kArchitectures,
    build<describe_dots1>};

}  // namespace floptally::families
