#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3", "qwen3_vl_text"};
constexpr std::string_view kArchitectures[] = {"Qwen3ForCausalLM"};

void describe_qwen3(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  full.qk_norm = QkNorm::per_head;
  AttentionPart windowed = full;
  const bool used = c.flag("use_sliding_window", false);
  const std::int64_t window = c.count_or("sliding_window", 0), first = c.count_or("max_window_layers", s.layers);
  set_window(windowed, used ? window : 0);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool tied = read_tied(f, false);
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [&](std::int64_t i) { return used && i >= first; });
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp});
  });
}

}  // namespace

extern const FamilyDef k_qwen3;
const FamilyDef k_qwen3 = {"qwen3",
                           "Qwen 3: grouped attention with a norm of each query and key head, no biases",
                           "huggingface/transformers models/qwen3/modeling_qwen3.py",
                           kTypes,
                           kArchitectures,
                           build<describe_qwen3>};

}  // namespace floptally::families
