#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gemma3", "gemma3_text"};
constexpr std::string_view kArchitectures[] = {"Gemma3ForConditionalGeneration", "Gemma3ForCausalLM"};

// Inside a composite config, keys that equal the published class's defaults are left out.
void describe_text(Family& f, bool inside) {
  const Keys& c = f.config;
  TextSizes s;
  const auto size = [&](std::string_view key, std::int64_t published) {
    return inside ? c.assume(key, published) : c.size(key);
  };
  s.width = size("hidden_size", 2304);
  s.layers = size("num_hidden_layers", 26);
  s.heads = size("num_attention_heads", 8);
  s.kv_heads = size("num_key_value_heads", 4);
  s.head_dim = size("head_dim", 256);
  s.vocabulary = size("vocab_size", 262208);
  const std::int64_t inner = size("intermediate_size", 9216);
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  f.sequence(c.size_or("max_position_embeddings", 131072));
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  full.qk_norm = QkNorm::per_head;
  AttentionPart windowed = full;
  set_window(windowed, c.assume("sliding_window", 4096));
  const std::int64_t every = c.size_or("sliding_window_pattern", c.size_or("_sliding_window_pattern", 6));
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [&](std::int64_t i) { return (i + 1) % every != 0; });
  const MlpPart mlp = mlp_of(s.width, inner, Activation::gelu);
  const bool tied = read_tied(f, true);
  c.understood({"hidden_act", "hidden_activation", "query_pre_attn_scalar", "attn_logit_softcapping",
                "final_logit_softcapping", "cache_implementation", "rope_local_base_freq",
                "use_bidirectional_attention", "sliding_window_pattern"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t sliding) {
    describe(f, {.attention = sliding != 0 ? &windowed : &full, .mlp = &mlp, .residuals = Residuals::sandwich});
  });
}

void describe_gemma3(Family& f) {
  if (!f.config.has("text_config")) return describe_text(f, false);
  const Keys v = f.config.child("vision_config");
  const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  f.config.understood({"boi_token_index", "eoi_token_index", "mm_tokens_per_image"});
  const std::int64_t soft_tokens = f.config.size_or("mm_tokens_per_image", 256);
  Family text = nested(f, "text_config", f.sink);
  const std::int64_t text_width = text.config.assume("hidden_size", 2304);
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  describe_siglip_tower(images, z, v.flag("vision_use_head", true));
  {
    const Scope projector(images, "projector");
    images.add(rms_norm("mm_soft_emb_norm", soft_tokens, z.width));
    images.add(linear("mm_input_projection", soft_tokens, z.width, text_width));
  }
  describe_text(text, true);
}

}  // namespace

extern const FamilyDef k_gemma3;
const FamilyDef k_gemma3 = {
    "gemma3",
    "Gemma 3: five windowed layers to one full, norms of queries and keys, a SigLIP tower in the larger models",
    "huggingface/transformers models/gemma3/modeling_gemma3.py; 2503.19786",
    kTypes,
    kArchitectures,
    build<describe_gemma3>};

}  // namespace floptally::families
