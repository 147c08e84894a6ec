#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"cohere", "cohere2"};
constexpr std::string_view kArchitectures[] = {"CohereForCausalLM", "Cohere2ForCausalLM"};

void describe_cohere(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false), second = c.text_or("model_type", "cohere") == "cohere2";
  set_bias(full, bias, bias);
  if (c.flag("use_qk_norm", false)) {
    full.qk_norm = QkNorm::whole;
    full.qk_norm_kind = NormKind::layer_scale_only;
  }
  AttentionPart windowed = full;
  if (second) {
    set_window(windowed, c.assume("sliding_window", 4096));
    full.rotary_dim = 0;
  }
  const std::int64_t every = c.size_or("sliding_window_pattern", 4);
  const std::vector<std::uint8_t> kinds = kinds_named(f, s.layers, "layer_types", "sliding",
                                                      [&](std::int64_t i) { return second && (i + 1) % every != 0; });
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool tied = read_tied(f, true);
  c.understood({"logit_scale", "order_of_interleaved_layers", "position_embedding_type", "rotary_pct",
                "use_embedding_sharing", "use_gated_activation", "use_parallel_block", "use_parallel_embedding",
                "layer_switch", "cache_implementation"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::layer_scale_only, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full,
                 .mlp = &mlp,
                 .norm = NormKind::layer_scale_only,
                 .residuals = Residuals::parallel});
  });
}

}  // namespace

extern const FamilyDef k_cohere;
const FamilyDef k_cohere = {
    "cohere",
    "Command-R and Command-A: attention beside the feed-forward layer, norms that only scale, tied embedding",
    "huggingface/transformers models/cohere/modeling_cohere.py, models/cohere2/modeling_cohere2.py",
    kTypes,
    kArchitectures,
    build<describe_cohere>};

}  // namespace floptally::families
