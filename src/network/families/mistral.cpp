#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mistral", "ministral", "ministral3"};
constexpr std::string_view kArchitectures[] = {"MistralForCausalLM", "MinistralForCausalLM", "Ministral3ForCausalLM"};

void describe_mistral(Family& f) {
  const Keys& c = f.config;
  constexpr TextSizes kPublished{4096, 32, 32, 8, 128, 32000};  // MistralConfig
  const TextSizes s = read_text_sizes(f, &kPublished);
  AttentionPart windowed = attention_of(s);
  const AttentionPart full = windowed;
  const std::int64_t window = c.count_or("sliding_window", 0);
  set_window(windowed, window);
  const MlpPart mlp = mlp_of(s.width, read_inner(f, 14336), read_activation(f, Activation::silu));
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t) { return 1; });
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp});
  });
}

}  // namespace

extern const FamilyDef k_mistral;
const FamilyDef k_mistral = {"mistral",
                             "Mistral 7B, Nemo, Small, Ministral: Llama layers, sliding windows in the first release",
                             "huggingface/transformers models/mistral/modeling_mistral.py; Jiang et al. 2310.06825",
                             kTypes,
                             kArchitectures,
                             build<describe_mistral>};

}  // namespace floptally::families
