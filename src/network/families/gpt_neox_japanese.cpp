#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt_neox_japanese"};
constexpr std::string_view kArchitectures[] = {"GPTNeoXJapaneseForCausalLM", "GPTNeoXJapaneseModel"};

// One bias alone: that of the last layer's output matrix.
void describe_gpt_neox_japanese(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  const double rotated = c.ratio_or("rotary_pct", c.ratio_or("partial_rotary_factor", 1));
  if (!(rotated >= 0 && rotated <= 1)) c.problem("shape-range", "rotary_pct", "'rotary_pct' must be 0 to 1");
  attention.rotary_dim = static_cast<std::int64_t>(rotated * static_cast<double>(s.head_dim));
  const std::int64_t inner = c.assume("intermediate_multiple_size", 4) * s.width;
  const MlpPart mlp = mlp_of(s.width, inner, read_activation(f, Activation::gelu), false);
  const bool tied = read_tied(f, true);
  c.understood({"rotary_emb_base", "is_decoder"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "embed_in");
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    f.sink.add(layer_norm("input_layernorm", f.tokens, s.width));
    describe_attention(attention, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
    f.sink.add(layer_norm("post_attention_layernorm", f.tokens, s.width));
    describe_mlp(mlp, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
  }
  f.sink.add(parameter("dense_bias", s.width, f.tokens * s.width));
  describe_head(f, NormKind::layer, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_gpt_neox_japanese;
const FamilyDef k_gpt_neox_japanese = {
    "gpt_neox_japanese",
    "GPT-NeoX-Japanese: GPT-NeoX without biases, sublayers one after the other",
    "huggingface/transformers models/gpt_neox_japanese/modeling_gpt_neox_japanese.py",
    kTypes,
    kArchitectures,
    build<describe_gpt_neox_japanese>};

}  // namespace floptally::families
