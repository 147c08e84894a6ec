#include "network/families/_encoder.h"

namespace floptally::families {

BertSizes read_bert(Family& f) {
  const Keys& c = f.config;
  BertSizes s;
  s.layer.width = c.size("hidden_size");
  s.layer.heads = c.size("num_attention_heads");
  s.layer.ffn = c.size("intermediate_size");
  s.layer.post_norm = true;
  s.layer.activation = read_activation(f, Activation::gelu);
  s.layers = c.size("num_hidden_layers");
  s.vocabulary = c.size("vocab_size");
  s.positions = c.size("max_position_embeddings");
  s.segments = c.count_or("type_vocab_size", 0);
  c.divides("num_attention_heads", s.layer.heads, "hidden_size", s.layer.width);
  c.understood({"position_embedding_type", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
                "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "summary_last_dropout",
                "tie_word_embeddings"});
  f.sequence(s.positions);
  return s;
}

void describe_bert_embeddings(Family& f, const BertSizes& s, std::int64_t embedded) {
  const Scope scope(f.sink, "embeddings");
  f.sink.add(embedding("word_embeddings", f.tokens, s.vocabulary, embedded));
  if (s.positions > 0) f.sink.add(position_table("position_embeddings", f.tokens, s.positions, embedded));
  if (s.segments > 0) f.sink.add(embedding("token_type_embeddings", f.tokens, s.segments, embedded));
  f.sink.add(layer_norm("LayerNorm", f.tokens, embedded));
}

void describe_masked_head(Family& f, std::int64_t width, std::int64_t embedded, std::int64_t vocabulary) {
  const Scope scope(f.sink, "predictions");
  f.sink.add(linear("dense", f.tokens, width, embedded, true, Component::head));
  f.sink.add(activation("act", f.tokens * embedded, Activation::gelu));
  f.sink.add(layer_norm("LayerNorm", f.tokens, embedded));
  describe_unembedding({.name = "decoder", .width = embedded, .vocabulary = vocabulary, .tied = true, .bias = true},
                       f.tokens, f.sink);
}

void describe_bert(Family& f, std::int64_t padding_rows, std::string_view stem) {
  BertSizes s = read_bert(f);
  s.positions += padding_rows;
  const std::string_view named = f.architecture();
  const std::int64_t width = s.layer.width;
  const bool classifies = named.ends_with("ForSequenceClassification");
  const bool tagged = named.ends_with("ForTokenClassification") || named.ends_with("ForQuestionAnswering");
  const std::int64_t labels = classifies || tagged ? label_count(f.config) : 0;
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, width);
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (named.ends_with("ForMaskedLM")) return describe_masked_head(f, width, width, s.vocabulary);
  if (tagged) return f.sink.add(linear("classifier", f.tokens, width, labels, true, Component::head));
  // RoBERTa's classifier has a dense layer of its own where BERT's uses the pooler: the same parameters.
  f.sink.add(linear(stem == "Bert" ? "pooler" : "dense", 1, width, width, true, Component::head));
  if (classifies) f.sink.add(linear("classifier", 1, width, labels, true, Component::head));
  if (named.ends_with("ForPreTraining")) {
    describe_masked_head(f, width, width, s.vocabulary);
    f.sink.add(linear("seq_relationship", 1, width, 2, true, Component::head));
  }
}

void describe_decoder_layer(const EncoderLayerPart& p, std::int64_t tokens, std::int64_t memory,
                            std::int64_t memory_width, Sink& sink) {
  AttentionPart self;
  self.width = p.width;
  self.heads = self.kv_heads = p.heads;
  self.head_dim = p.width / p.heads;
  self.q_bias = self.v_bias = p.qkv_bias;
  self.k_bias = p.qkv_bias && p.key_bias;
  self.out_bias = p.out_bias;
  self.rotary_dim = 0;
  CrossAttentionPart cross;
  cross.width = p.width;
  cross.memory_width = memory_width;
  cross.heads = cross.kv_heads = p.heads;
  cross.head_dim = self.head_dim;
  cross.q_bias = cross.v_bias = p.qkv_bias;
  cross.k_bias = self.k_bias;
  cross.out_bias = p.out_bias;
  const auto normed = [&](bool here, std::string_view name) {
    if (here) sink.add(norm(name, p.norm, tokens, p.width));
  };
  normed(!p.post_norm, "self_attn_layer_norm");
  describe_attention(self, tokens, sink);
  sink.add(residual(tokens * p.width));
  normed(p.post_norm, "self_attn_layer_norm");
  normed(!p.post_norm, "encoder_attn_layer_norm");
  describe_cross_attention(cross, tokens, memory, sink);
  sink.add(residual(tokens * p.width));
  normed(p.post_norm, "encoder_attn_layer_norm");
  normed(!p.post_norm, "final_layer_norm");
  describe_mlp(mlp_of(p.width, p.ffn, p.activation, p.gated, p.mlp_bias), tokens, sink);
  sink.add(residual(tokens * p.width));
  normed(p.post_norm, "final_layer_norm");
}

}  // namespace floptally::families
