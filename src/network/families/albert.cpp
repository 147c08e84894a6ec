#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"albert"};
constexpr std::string_view kArchitectures[] = {"AlbertModel", "AlbertForMaskedLM", "AlbertForPreTraining",
                                               "AlbertForSequenceClassification"};

void describe_albert(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::int64_t embedded = c.size("embedding_size"), groups = c.size_or("num_hidden_groups", 1),
                     inner = c.size_or("inner_group_num", 1);
  c.divides("num_hidden_groups", groups, "num_hidden_layers", s.layers);
  const std::string_view named = f.architecture();
  c.understood({"down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks", "classifier_dropout_prob"});
  check_encoder_class(f);
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, embedded);
  f.sink.add(linear("embedding_hidden_mapping_in", f.tokens, embedded, s.layer.width, true, Component::embed));
  {
    // Each group's parameters are used by layers / groups layers in turn.
    RepeatedSink shared(f.sink, s.layers / groups);
    const Scope scope(shared, "albert_layer_groups", groups * inner, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, shared);
  }
  if (!named.ends_with("ForPreTraining")) return describe_encoder_heads(f, {}, s.layer.width, embedded, s.vocabulary);
  f.sink.add(linear("pooler", 1, s.layer.width, s.layer.width, true, Component::head));
  describe_masked_head(f, s.layer.width, embedded, s.vocabulary);
  f.sink.add(linear("sop_classifier", 1, s.layer.width, 2, true, Component::head));
}

}  // namespace

extern const FamilyDef k_albert;
const FamilyDef k_albert = {"albert",
                            "ALBERT: one layer whose parameters all layers share, factorized embedding",
                            "huggingface/transformers models/albert/modeling_albert.py; 1909.11942",
                            kTypes,
                            kArchitectures,
                            build<describe_albert>};

}  // namespace floptally::families
