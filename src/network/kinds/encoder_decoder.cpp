#include <algorithm>

#include "network/spec.h"

namespace floptally::kinds {
namespace {

constexpr std::string_view kPositions[] = {"none", "learned", "relative"};
constexpr Field kFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::any, .doc = "width", .required = true},
    {.key = "heads", .expect = Expect::any, .doc = "heads", .required = true},
    {.key = "ffn", .expect = Expect::any, .doc = "width of the feed-forward layer (4 x width)"},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of the embedding table", .required = true},
    {.key = "sequence", .expect = Expect::any, .doc = "tokens of one sample"},
    {.key = "encoder_layers", .expect = Expect::any, .doc = "layers of the encoder (as many as the decoder)"},
    {.key = "source_sequence", .expect = Expect::any, .doc = "tokens on the encoder's side (as many as the decoder's)"},
    {.key = "head_dim", .expect = Expect::any, .doc = "size of a head (width / heads)"},
    {.key = "gated", .expect = Expect::boolean, .doc = "gated feed-forward layers"},
    {.key = "bias",
     .expect = Expect::boolean,
     .doc = "biases and layer norms with shift (absent: as T5, none, and RMS norms)"},
    {.key = "positions",
     .expect = Expect::word,
     .doc = "none, learned or relative (T5's buckets)",
     .words = kPositions},
    {.key = "max_positions", .expect = Expect::any, .doc = "rows of the position tables"},
    {.key = "tied", .expect = Expect::boolean, .doc = "logits use the embedding table (true)"},
    {.key = "activation", .expect = Expect::text, .doc = "activation function"},
};
constexpr FieldTable kTable{
    "encoder-decoder", "encoder and decoder joined by cross-attention (the original transformer, T5, BART)", kFields};

constexpr std::int64_t kBuckets = 32;  // T5 1910.10683, section 2.1

struct Shape {
  std::int64_t layers = 1, encoder_layers = 1, width = 1, heads = 1, head_dim = 0, ffn = 1;
  bool gated = false, bias = false, relative = false;
  Activation activation = Activation::relu;
};

// `memory`: positions of the encoder's output, 0 in the encoder itself.
void describe_layer(const Shape& s, AttentionMask mask, std::int64_t tokens, std::int64_t memory, Sink& sink) {
  const NormKind kind = s.bias ? NormKind::layer : NormKind::rms;
  sink.add(norm("self_attn_norm", kind, tokens, s.width));
  AttentionPart attention;
  attention.width = s.width;
  attention.heads = attention.kv_heads = s.heads;
  attention.head_dim = s.head_dim;
  attention.q_bias = attention.k_bias = attention.v_bias = attention.out_bias = s.bias;
  attention.rotary_dim = 0;
  attention.mask = mask;
  describe_attention(attention, tokens, sink);
  sink.add(residual(tokens * s.width));
  if (memory > 0) {
    sink.add(norm("encoder_attn_norm", kind, tokens, s.width));
    CrossAttentionPart cross;
    cross.width = cross.memory_width = s.width;
    cross.heads = cross.kv_heads = s.heads;
    cross.head_dim = s.head_dim;
    cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = s.bias;
    describe_cross_attention(cross, tokens, memory, sink);
    sink.add(residual(tokens * s.width));
  }
  sink.add(norm("mlp_norm", kind, tokens, s.width));
  describe_mlp({.name = "mlp",
                .width = s.width,
                .ffn = s.ffn,
                .gated = s.gated,
                .up_bias = s.bias,
                .down_bias = s.bias,
                .activation = s.activation},
               tokens, sink);
  sink.add(residual(tokens * s.width));
}

void build(Spec& spec, Sink& sink) {
  Shape s;
  s.layers = spec.size("layers", "layers of the decoder");
  s.encoder_layers = spec.size_or("encoder_layers", s.layers);
  s.width = spec.size("width", "width");
  s.heads = spec.size("heads", "heads");
  s.head_dim = spec.size_or("head_dim", 0);
  const std::int64_t vocabulary = spec.size("vocab", "rows of the embedding table");
  s.ffn = spec.size_or("ffn", 4 * s.width);
  s.gated = spec.flag("gated", false);
  s.bias = spec.flag("bias", false);
  s.activation = spec.activation("activation", Activation::relu);
  s.relative = spec.word("positions", "learned") == "relative";
  const bool learned = spec.word("positions", "learned") == "learned", tied = spec.flag("tied", true);
  const std::int64_t target = spec.sequence(512);
  std::int64_t source = spec.session().inputs.source_sequence;
  if (source <= 0) source = spec.size_or("source_sequence", target);
  const std::int64_t positions = spec.size_or("max_positions", std::max(source, target));
  if (!spec.ok()) return;
  if (s.head_dim == 0) {
    if (!spec.divides("heads", s.heads, "width", s.width)) return;
    s.head_dim = s.width / s.heads;
  }
  const NormKind kind = s.bias ? NormKind::layer : NormKind::rms;
  {
    const Scope encoder(sink, "encoder", 1, BlockKind::group);
    sink.add(embedding("embed_tokens", source, vocabulary, s.width));
    if (learned) sink.add(position_table("embed_positions", source, positions, s.width));
    if (s.relative) sink.add(relative_bias("relative_attention_bias", s.heads, kBuckets, source * source));
    const Scope layer(sink, "layers", s.encoder_layers, BlockKind::layer);
    describe_layer(s, AttentionMask::none, source, 0, sink);
  }
  sink.add(norm("encoder.norm", kind, source, s.width));
  {
    const Scope decoder(sink, "decoder", 1, BlockKind::group);
    sink.add(embedding("embed_tokens", target, vocabulary, s.width).with(op_flags::tied));
    if (learned) sink.add(position_table("embed_positions", target, positions, s.width));
    if (s.relative) sink.add(relative_bias("relative_attention_bias", s.heads, kBuckets, target * target));
    const Scope layer(sink, "layers", s.layers, BlockKind::layer);
    describe_layer(s, AttentionMask::causal, target, source, sink);
  }
  sink.add(norm("decoder.norm", kind, target, s.width));
  describe_unembedding({"lm_head", s.width, vocabulary, tied}, target, sink);
}

}  // namespace

extern const KindDef k_encoder_decoder;
const KindDef k_encoder_decoder = {"encoder-decoder",
                                   "encoder and decoder joined by cross-attention (the original transformer, T5, BART)",
                                   "Vaswani et al. 1706.03762; Raffel et al. 1910.10683",
                                   &kTable,
                                   build,
                                   "token"};

}  // namespace floptally::kinds
