#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt_oss"};
constexpr std::string_view kArchitectures[] = {"GptOssForCausalLM"};

void describe_gpt_oss(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", true);
  set_bias(full, bias, bias);
  full.sinks = true;
  AttentionPart windowed = full;
  set_window(windowed, c.assume("sliding_window", 128));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts", "num_experts");
  moe.top_k = c.size("num_experts_per_tok", "experts_per_token");
  moe.expert_ffn = c.size("intermediate_size");
  moe.router_bias = moe.expert_bias = true;
  moe.activation = Activation::silu;
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t i) { return i % 2 == 0; });
  const bool tied = read_tied(f, false);
  c.understood({"experts_per_token", "hidden_act", "initial_context_length", "swiglu_limit"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .moe = &moe});
  });
}

}  // namespace

extern const FamilyDef k_gpt_oss;
const FamilyDef k_gpt_oss = {
    "gpt_oss",
    "gpt-oss: attention with biases and sinks, every second layer windowed, experts with biases",
    "huggingface/transformers models/gpt_oss/modeling_gpt_oss.py",
    kTypes,
    kArchitectures,
    build<describe_gpt_oss>};

}  // namespace floptally::families
