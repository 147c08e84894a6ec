#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen2", "qwen2_vl_text", "qwen2_5_vl_text", "qwen2_5_omni_text"};
constexpr std::string_view kArchitectures[] = {"Qwen2ForCausalLM"};

void describe_qwen2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  set_bias(full, true, false);
  AttentionPart windowed = full;
  const bool used = c.flag("use_sliding_window", false);
  const std::int64_t window = c.count_or("sliding_window", 0), first = c.count_or("max_window_layers", s.layers);
  set_window(windowed, used ? window : 0);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  // Qwen2.5-Omni's head is the thinker's, whose config says whether it is tied.
  const bool omni = f.inputs.tied && c.text_or("model_type", "qwen2") == "qwen2_5_omni_text";
  const bool own = read_tied(f, false), tied = omni ? *f.inputs.tied : own;
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [&](std::int64_t i) { return used && i >= first; });
  c.understood({"use_mrope"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp});
  });
}

}  // namespace

extern const FamilyDef k_qwen2;
const FamilyDef k_qwen2 = {"qwen2",
                           "Qwen 1.5, 2 and 2.5: Llama layers with biases on query, key and value",
                           "huggingface/transformers models/qwen2/modeling_qwen2.py",
                           kTypes,
                           kArchitectures,
                           build<describe_qwen2>};

}  // namespace floptally::families
