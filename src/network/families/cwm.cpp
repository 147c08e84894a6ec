#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"cwm"};
constexpr std::string_view kArchitectures[] = {"CwmForCausalLM"};

void describe_cwm(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s), windowed = full;
  set_window(windowed, c.assume("sliding_window", 8192));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true,
                             c.flag("mlp_bias", false));
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t i) { return i % 4 != 0; });
  const bool tied = read_tied(f, false);
  c.understood({"pretraining_tp"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp});
  });
}

}  // namespace

extern const FamilyDef k_cwm;
const FamilyDef k_cwm = {"cwm",
                         "Code World Model: Llama layers, three of four with a sliding window",
                         "huggingface/transformers models/cwm/modeling_cwm.py",
                         kTypes,
                         kArchitectures,
                         build<describe_cwm>};

}  // namespace floptally::families
