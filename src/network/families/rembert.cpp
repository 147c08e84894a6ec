#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"rembert"};
constexpr std::string_view kArchitectures[] = {"RemBertModel", "RemBertForMaskedLM"};

void describe_rembert(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::int64_t in = c.size("input_embedding_size"), out = c.size("output_embedding_size"), width = s.layer.width;
  const std::string_view named = f.architecture();
  const bool language = named.ends_with("ForMaskedLM") || named.ends_with("ForCausalLM");
  check_encoder_class(f);
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, in);
  f.sink.add(linear("embedding_hidden_mapping_in", f.tokens, in, width, true, Component::embed));
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (!language) return describe_encoder_heads(f, {}, width, width, s.vocabulary);
  const Scope predictions(f.sink, "predictions");
  f.sink.add(linear("dense", f.tokens, width, out, true, Component::head));
  f.sink.add(activation("act", f.tokens * out, s.layer.activation));
  f.sink.add(layer_norm("LayerNorm", f.tokens, out));
  describe_unembedding({.name = "decoder", .width = out, .vocabulary = s.vocabulary, .bias = true}, f.tokens, f.sink);
}

}  // namespace

extern const FamilyDef k_rembert;
const FamilyDef k_rembert = {"rembert",
                             "RemBERT: a narrow input embedding, a wide output embedding of its own, BERT layers",
                             "huggingface/transformers models/rembert/modeling_rembert.py; 2010.12821",
                             kTypes,
                             kArchitectures,
                             build<describe_rembert>};

}  // namespace floptally::families
