#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"electra"};
constexpr std::string_view kArchitectures[] = {"ElectraModel", "ElectraForPreTraining", "ElectraForMaskedLM"};

void describe_electra(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::int64_t embedded = c.size_or("embedding_size", s.layer.width);
  const std::string_view named = f.architecture();
  check_encoder_class(f);
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, embedded);
  if (embedded != s.layer.width)
    f.sink.add(linear("embeddings_project", f.tokens, embedded, s.layer.width, true, Component::embed));
  {
    const Scope scope(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (!named.ends_with("ForPreTraining"))
    describe_encoder_heads(f, {.pooler = false, .own_dense = true}, s.layer.width, embedded, s.vocabulary);
  if (named.ends_with("ForPreTraining")) {
    f.sink.add(linear("dense", f.tokens, s.layer.width, s.layer.width, true, Component::head));
    f.sink.add(activation("act", f.tokens * s.layer.width, Activation::gelu));
    f.sink.add(linear("dense_prediction", f.tokens, s.layer.width, 1, true, Component::head));
  }
}

}  // namespace

extern const FamilyDef k_electra;
const FamilyDef k_electra = {
    "electra",
    "ELECTRA: BERT layers with a narrower embedding, no pooler; generator or discriminator head by class",
    "huggingface/transformers models/electra/modeling_electra.py; 2003.10555",
    kTypes,
    kArchitectures,
    build<describe_electra>};

}  // namespace floptally::families
