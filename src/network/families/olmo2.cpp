#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"olmo2", "olmo3", "flex_olmo"};
constexpr std::string_view kArchitectures[] = {"Olmo2ForCausalLM", "Olmo3ForCausalLM", "FlexOlmoForCausalLM"};

void describe_olmo2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  full.qk_norm = QkNorm::whole;
  AttentionPart windowed = full;
  set_window(windowed, c.count_or("sliding_window", 0));
  const bool third = c.text_or("model_type", "olmo2") == "olmo3";
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [&](std::int64_t i) { return third && (i + 1) % 4 != 0; });
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool routed = c.has("num_experts");
  MoePart moe;
  if (routed) {
    moe.width = s.width;
    moe.experts = c.size("num_experts");
    moe.top_k = c.size("num_experts_per_tok");
    moe.expert_ffn = mlp.ffn;
    moe.activation = mlp.activation;
    check_experts(f, moe, "num_experts", "num_experts_per_tok");
    c.understood({"norm_topk_prob"});
  }
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full,
                 .mlp = &mlp,
                 .moe = routed ? &moe : nullptr,
                 .residuals = Residuals::post_norm});
  });
}

}  // namespace

extern const FamilyDef k_olmo2;
const FamilyDef k_olmo2 = {
    "olmo2",
    "OLMo 2 and 3, FlexOlmo: norms after the sublayers, query and key normed over all heads, windows in OLMo 3, "
    "experts in FlexOlmo",
    "huggingface/transformers models/olmo2/modeling_olmo2.py, models/olmo3/modeling_olmo3.py; 2501.00656",
    kTypes,
    kArchitectures,
    build<describe_olmo2>};

}  // namespace floptally::families
