#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mobilebert"};
constexpr std::string_view kArchitectures[] = {"MobileBertModel",
                                               "MobileBertForMaskedLM",
                                               "MobileBertForSequenceClassification",
                                               "MobileBertForTokenClassification",
                                               "MobileBertForQuestionAnswering",
                                               "MobileBertForMultipleChoice",
                                               "MobileBertForPreTraining",
                                               "MobileBertForNextSentencePrediction"};

struct Mobile {
  std::int64_t width = 512, inner = 128, heads = 4, ffn = 512, embedded = 128, feeds = 4;
  bool plain = true;  // norms are a scale and a shift alone
  Activation kind = Activation::relu;
};

void describe_norm(Family& f, const Mobile& m, std::string_view name, std::int64_t width) {
  f.sink.add(m.plain ? parameter(name, 2 * width, f.tokens * width, Component::norm)
                     : layer_norm(name, f.tokens, width));
}

void describe_dense(Family& f, const Mobile& m, std::string_view name, std::int64_t in, std::int64_t out) {
  f.sink.add(linear(name, f.tokens, in, out, true));
  describe_norm(f, m, "LayerNorm", out);
}

void describe_feed(Family& f, const Mobile& m) {
  describe_mlp(mlp_of(m.inner, m.ffn, m.kind, false, true), f.tokens, f.sink);
  f.sink.add(residual(f.tokens * m.inner));
  describe_norm(f, m, "LayerNorm", m.inner);
}

void describe_mobile_layer(Family& f, const Mobile& m) {
  const std::int64_t tokens = f.tokens;
  const Component projection = Component::projection;
  describe_dense(f, m, "bottleneck.input", m.width, m.inner);
  describe_dense(f, m, "bottleneck.attention", m.width, m.inner);
  {
    const Scope scope(f.sink, "attention");
    f.sink.add(linear("query", tokens, m.inner, m.inner, true, projection));
    f.sink.add(linear("key", tokens, m.inner, m.inner, true, projection).with(op_flags::shared_input));
    f.sink.add(linear("value", tokens, m.width, m.inner, true, projection));
    AttentionShape shape;
    shape.queries = shape.keys = tokens;
    shape.heads = shape.kv_heads = m.heads;
    shape.key_dim = shape.value_dim = m.inner / m.heads;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("attention", shape));
    f.sink.add(linear("output", tokens, m.inner, m.inner, true, projection));
  }
  f.sink.add(residual(tokens * m.inner));
  describe_norm(f, m, "LayerNorm", m.inner);
  {
    const Scope feeds(f.sink, "ffn", m.feeds);
    describe_feed(f, m);
  }
  f.sink.add(linear("bottleneck.output", tokens, m.inner, m.width, true));
  f.sink.add(residual(tokens * m.width));
  describe_norm(f, m, "LayerNorm", m.width);
}

// Logits come of the embedding beside a matrix for the rest of the width.
void describe_letters(Family& f, const Mobile& m, std::int64_t vocabulary) {
  const Scope scope(f.sink, "predictions");
  f.sink.add(linear("dense", f.tokens, m.width, m.width, true, Component::head));
  f.sink.add(activation("act", f.tokens * m.width, m.kind));
  f.sink.add(layer_norm("LayerNorm", f.tokens, m.width));
  if (m.width > m.embedded)
    f.sink.add(linear("decoder.dense", f.tokens, m.width - m.embedded, vocabulary, false, Component::unembed));
  describe_unembedding({.name = "decoder", .width = m.embedded, .vocabulary = vocabulary, .tied = true, .bias = true},
                       f.tokens, f.sink);
}

void describe_mobilebert(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  Mobile m;
  m.width = s.layer.width;
  m.heads = s.layer.heads;
  m.ffn = s.layer.ffn;
  m.inner = c.assume("intra_bottleneck_size", 128);
  m.embedded = c.assume("embedding_size", 128);
  m.feeds = c.assume("num_feedforward_networks", 4);
  m.plain = c.text_or("normalization_type", "no_norm") == "no_norm";
  m.kind = s.layer.activation;
  c.divides("num_attention_heads", m.heads, "intra_bottleneck_size", m.inner);
  if (!c.flag("use_bottleneck", true) || c.flag("use_bottleneck_attention", false) ||
      !c.flag("key_query_shared_bottleneck", true) || !c.flag("trigram_input", true))
    c.problem("unknown-variant", "use_bottleneck", "bottlenecks other than the published ones are not known");
  const bool pools = c.flag("classifier_activation", true);
  c.understood({"true_hidden_size"});
  const std::string_view named = f.architecture();
  check_encoder_class(f);
  if (!f.ok()) return;
  {
    const Scope scope(f.sink, "embeddings");
    f.sink.add(embedding("word_embeddings", f.tokens, s.vocabulary, m.embedded));
    constexpr std::int64_t kNeighbours = 3;
    f.sink.add(linear("embedding_transformation", f.tokens, kNeighbours * m.embedded, m.width, true, Component::embed));
    f.sink.add(position_table("position_embeddings", f.tokens, s.positions, m.width));
    if (s.segments > 0) f.sink.add(embedding("token_type_embeddings", f.tokens, s.segments, m.width));
    describe_norm(f, m, "LayerNorm", m.width);
  }
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_mobile_layer(f, m);
  }
  const bool whole = named.ends_with("ForPreTraining");
  if (!whole && !named.ends_with("ForMaskedLM"))
    return describe_encoder_heads(f, {.pooler = pools}, m.width, m.width, s.vocabulary);
  if (whole && pools) f.sink.add(linear("pooler", 1, m.width, m.width, true, Component::head));
  describe_letters(f, m, s.vocabulary);
  if (whole) f.sink.add(linear("seq_relationship", 1, m.width, 2, true, Component::head));
}

}  // namespace

extern const FamilyDef k_mobilebert;
const FamilyDef k_mobilebert = {"mobilebert",
                                "MobileBERT: narrow layers between wide ones, four feed-forward layers in each",
                                "huggingface/transformers models/mobilebert/modeling_mobilebert.py; 2004.02984",
                                kTypes,
                                kArchitectures,
                                build<describe_mobilebert>};

}  // namespace floptally::families
