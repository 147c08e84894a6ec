#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gemma2", "vaultgemma"};
constexpr std::string_view kArchitectures[] = {"Gemma2ForCausalLM", "VaultGemmaForCausalLM"};

void describe_gemma2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  AttentionPart windowed = full;
  set_window(windowed, c.assume("sliding_window", 4096));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), Activation::gelu);
  const bool tied = read_tied(f, true);
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t i) { return i % 2 == 0; });
  // VaultGemma has no norms after the sublayers.
  const Residuals norms = c.text_or("model_type", "gemma2") == "vaultgemma" ? Residuals::pre_norm : Residuals::sandwich;
  c.understood({"hidden_act", "hidden_activation", "query_pre_attn_scalar", "attn_logit_softcapping",
                "final_logit_softcapping", "cache_implementation"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp, .residuals = norms});
  });
}

}  // namespace

extern const FamilyDef k_gemma2;
const FamilyDef k_gemma2 = {"gemma2",
                            "Gemma 2 and VaultGemma: norms before and after each sublayer (VaultGemma: before), every "
                            "second layer with a sliding window",
                            "huggingface/transformers models/gemma2/modeling_gemma2.py",
                            kTypes,
                            kArchitectures,
                            build<describe_gemma2>};

}  // namespace floptally::families
