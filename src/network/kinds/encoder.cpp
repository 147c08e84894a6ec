#include "network/kinds/_encoder.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::any, .doc = "width", .required = true},
    {.key = "heads", .expect = Expect::any, .doc = "heads", .required = true},
    {.key = "ffn", .expect = Expect::any, .doc = "width of the feed-forward layer (4 x width)"},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of the embedding table", .required = true},
    {.key = "sequence", .expect = Expect::any, .doc = "tokens of one sample"},
    {.key = "max_positions", .expect = Expect::any, .doc = "rows of the position table (512)"},
    {.key = "segments", .expect = Expect::any, .doc = "rows of the segment table (2)"},
    {.key = "pooler", .expect = Expect::boolean, .doc = "dense layer on the first token (true)"},
    {.key = "mlm_head", .expect = Expect::boolean, .doc = "masked-language-model head with tied logits"},
};
constexpr FieldTable kTable{"encoder", "encoder-only transformer (BERT and relatives)", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t layers = spec.size("layers", "layers"), width = spec.size("width", "width"),
                     heads = spec.size("heads", "heads");
  const std::int64_t vocabulary = spec.size("vocab", "rows of the embedding table"),
                     ffn = spec.size_or("ffn", 4 * width);
  const std::int64_t positions = spec.size_or("max_positions", 512, 0), segments = spec.size_or("segments", 2, 0);
  const std::int64_t tokens = spec.sequence(512);
  if (!spec.ok() || !spec.divides("heads", heads, "width", width)) return;
  sink.add(embedding("word_embeddings", tokens, vocabulary, width));
  if (positions > 0) sink.add(position_table("position_embeddings", tokens, positions, width));
  if (segments > 0) sink.add(position_table("token_type_embeddings", tokens, segments, width));
  sink.add(layer_norm("LayerNorm", tokens, width));
  const AttentionPart attention = encoder_attention(width, heads);
  const MlpPart mlp = encoder_mlp(width, ffn);
  {
    const Scope layer(sink, "layers", layers, BlockKind::layer);
    describe_attention(attention, tokens, sink);
    sink.add(residual(tokens * width));
    sink.add(layer_norm("attention.output.LayerNorm", tokens, width));
    describe_mlp(mlp, tokens, sink);
    sink.add(residual(tokens * width));
    sink.add(layer_norm("output.LayerNorm", tokens, width));
  }
  if (spec.flag("pooler", true)) {
    sink.add(linear("pooler", 1, width, width, true, Component::head));
    sink.add(activation("pooler.activation", width, Activation::tanh));
  }
  if (!spec.flag("mlm_head", false)) return;
  sink.add(linear("transform", tokens, width, width, true, Component::head));
  sink.add(activation("transform.act", tokens * width, Activation::gelu));
  sink.add(layer_norm("transform.LayerNorm", tokens, width));
  describe_unembedding({"decoder", width, vocabulary, true, true}, tokens, sink);
}

}  // namespace

extern const KindDef k_encoder;
const KindDef k_encoder = {"encoder",
                           "encoder-only transformer (BERT and relatives)",
                           "Devlin et al. 1810.04805; transformers models/bert/modeling_bert.py",
                           &kTable,
                           build,
                           "token"};

}  // namespace floptally::kinds
