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

BertSizes read_bert_tower(const Keys& t, std::int64_t vocabulary, std::int64_t positions, std::int64_t segments) {
  BertSizes s;
  s.layer = {.width = t.assume("hidden_size", 768),
             .heads = t.assume("num_attention_heads", 12),
             .ffn = t.assume("intermediate_size", 3072),
             .post_norm = true};
  s.layers = t.assume("num_hidden_layers", 12);
  s.vocabulary = t.assume("vocab_size", vocabulary);
  s.positions = t.assume("max_position_embeddings", positions);
  s.segments = t.assume("type_vocab_size", segments);
  t.divides("num_attention_heads", s.layer.heads, "hidden_size", s.layer.width);
  return s;
}

void describe_bert_embeddings(Family& f, const BertSizes& s, std::int64_t embedded, bool normed) {
  const Scope scope(f.sink, "embeddings");
  f.sink.add(embedding("word_embeddings", f.tokens, s.vocabulary, embedded));
  if (s.positions > 0) f.sink.add(position_table("position_embeddings", f.tokens, s.positions, embedded));
  if (s.segments > 0) f.sink.add(embedding("token_type_embeddings", f.tokens, s.segments, embedded));
  if (normed) f.sink.add(layer_norm("LayerNorm", f.tokens, embedded));
}

void describe_masked_head(Family& f, std::int64_t width, std::int64_t embedded, std::int64_t vocabulary) {
  const Scope scope(f.sink, "predictions");
  f.sink.add(linear("dense", f.tokens, width, embedded, true, Component::head));
  f.sink.add(activation("act", f.tokens * embedded, Activation::gelu));
  f.sink.add(layer_norm("LayerNorm", f.tokens, embedded));
  describe_unembedding(
      {.name = "decoder", .width = embedded, .vocabulary = vocabulary, .tied = read_tied(f, true), .bias = true},
      f.tokens, f.sink);
}

bool check_encoder_class(const Family& f) {
  const std::string_view named = f.architecture();
  if (named.empty()) return true;
  for (const std::string_view end :
       {"Model", "Encoder", "ForMaskedLM", "ForCausalLM", "ForPreTraining", "ForSequenceClassification",
        "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice", "ForNextSentencePrediction"})
    if (named.ends_with(end)) return true;
  f.config.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  return false;
}

void describe_encoder_heads(Family& f, const EncoderHeads& heads, std::int64_t width, std::int64_t embedded,
                            std::int64_t vocabulary) {
  const std::string_view named = f.architecture();
  const auto head = [&](std::string_view name, std::int64_t rows, std::int64_t out) {
    f.sink.add(linear(name, rows, width, out, true, Component::head));
  };
  const auto pooled = [&](bool here) {
    if (heads.pooler && (here || heads.always_pooled)) head("pooler", 1, width);
  };
  const bool plain =
      named.empty() || (named.ends_with("Model") && !named.ends_with("LMHeadModel")) || named.ends_with("Encoder");
  if (plain) return pooled(true);
  if (named.ends_with("ForMaskedLM") || named.ends_with("LMHeadModel") || named.ends_with("ForCausalLM")) {
    pooled(false);
    return describe_masked_head(f, width, embedded, vocabulary);
  }
  if (named.ends_with("ForTokenClassification") || named.ends_with("ForQuestionAnswering")) {
    pooled(false);
    return head("classifier", f.tokens, label_count(f.config));
  }
  if (named.ends_with("ForSequenceClassification")) {
    pooled(!heads.own_dense);
    if (heads.own_dense || !heads.pooler) head("dense", 1, width);
    return head("classifier", 1, label_count(f.config));
  }
  if (named.ends_with("ForMultipleChoice")) {
    pooled(true);
    if (!heads.pooler && heads.choice_dense) head("dense", 1, width);
    return head("classifier", 1, 1);
  }
  pooled(true);
  if (named.ends_with("ForPreTraining")) describe_masked_head(f, width, embedded, vocabulary);
  head("seq_relationship", 1, 2);
}

void describe_bert(Family& f, BertSizes s, const BertForm& form) {
  const Keys& c = f.config;
  s.positions = form.positions ? s.positions + form.positions_more : 0;
  const std::int64_t width = s.layer.width;
  if (c.flag("is_decoder", false)) s.layer.mask = AttentionMask::causal;
  if (c.flag("add_cross_attention", false))
    c.problem("unknown-variant", "add_cross_attention", "an encoder with cross-attention is not known");
  // Relative positions: one vector for each distance, in every layer (Shaw 1803.02155; Huang 2009.13658).
  const std::string_view kind = c.text_or("position_embedding_type", "absolute");
  const std::int64_t products = kind == "relative_key" ? 1 : kind == "relative_key_query" ? 2 : 0;
  const std::int64_t distances = 2 * s.positions - 1;
  check_encoder_class(f);
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, width, form.embedding_norm);
  if (form.after_embedding != nullptr) form.after_embedding(f, s);
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    const std::int64_t head_dim = width / s.layer.heads;
    if (products > 0) f.sink.add(parameter("distance_embedding", distances * head_dim, 0, Component::position));
    for (std::int64_t i = 0; i < products; ++i)
      f.sink.add(matmul("distance_scores", f.tokens, s.layer.heads, head_dim, f.tokens));
    if (form.layer != nullptr)
      form.layer(f, s);
    else
      describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (form.final_norm) f.sink.add(layer_norm("LayerNorm", f.tokens, width));
  describe_encoder_heads(f, form.heads, width, width, s.vocabulary);
}

void describe_bert(Family& f, const BertForm& form) { describe_bert(f, read_bert(f), form); }

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
  RepeatedSink seeing(sink, memory > 0 ? 1 : 0);  // without a memory, its matrices stand idle
  describe_cross_attention(cross, tokens, memory, seeing);
  sink.add(residual(tokens * p.width));
  normed(p.post_norm, "encoder_attn_layer_norm");
  normed(!p.post_norm, "final_layer_norm");
  describe_mlp(mlp_of(p.width, p.ffn, p.activation, p.gated, p.mlp_bias), tokens, sink);
  sink.add(residual(tokens * p.width));
  normed(p.post_norm, "final_layer_norm");
}

}  // namespace floptally::families
