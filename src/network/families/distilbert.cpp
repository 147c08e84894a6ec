#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"distilbert"};
constexpr std::string_view kArchitectures[] = {"DistilBertModel", "DistilBertForMaskedLM",
                                               "DistilBertForSequenceClassification"};

void describe_distilbert(Family& f) {
  const Keys& c = f.config;
  EncoderLayerPart layer{
      .width = c.size("dim"), .heads = c.size("n_heads"), .ffn = c.size("hidden_dim"), .post_norm = true};
  const std::int64_t layers = c.size("n_layers"), vocabulary = c.size("vocab_size"),
                     positions = c.size("max_position_embeddings");
  c.divides("n_heads", layer.heads, "dim", layer.width);
  c.understood({"activation", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"});
  f.sequence(positions);
  check_encoder_class(f);
  if (!f.ok()) return;
  f.sink.add(embedding("word_embeddings", f.tokens, vocabulary, layer.width));
  f.sink.add(position_table("position_embeddings", f.tokens, positions, layer.width));
  f.sink.add(layer_norm("LayerNorm", f.tokens, layer.width));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, f.tokens, f.sink);
  }
  describe_encoder_heads(f, {.pooler = false, .own_dense = true}, layer.width, layer.width, vocabulary);
}

}  // namespace

extern const FamilyDef k_distilbert;
const FamilyDef k_distilbert = {"distilbert",
                                "DistilBERT: six BERT layers without segment embeddings or pooler",
                                "huggingface/transformers models/distilbert/modeling_distilbert.py; 1910.01108",
                                kTypes,
                                kArchitectures,
                                build<describe_distilbert>};

}  // namespace floptally::families
