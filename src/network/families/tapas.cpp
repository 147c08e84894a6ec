#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"tapas"};
constexpr std::string_view kArchitectures[] = {"TapasModel", "TapasForMaskedLM", "TapasForQuestionAnswering",
                                               "TapasForSequenceClassification"};

// One vector scores each token, a second one its column; the pooled row says how the cells are summed up.
void describe_cells(Family& f, std::int64_t width) {
  const Keys& c = f.config;
  const bool columns = c.flag("select_one_column", true);
  f.sink.add(linear("pooler", 1, width, width, true, Component::head));
  f.sink.add(linear("output_weights", f.tokens, width, 1, true, Component::head));
  if (columns)
    f.sink.add(linear("column_output_weights", f.tokens, width, 1, true, Component::head));
  else
    f.sink.add(parameter("column_output_weights", width + 1, 0, Component::head));
  const std::int64_t labels = c.count_or("num_aggregation_labels", 0);
  if (labels > 0) f.sink.add(linear("aggregation_classifier", 1, width, labels, true, Component::head));
}

void describe_tapas(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::string_view named = f.architecture();
  if (c.flag("is_decoder", false) || c.flag("add_cross_attention", false))
    c.problem("unknown-variant", "is_decoder", "TAPAS as a decoder is not known");
  if (c.has("type_vocab_size"))
    c.problem("unknown-variant", "type_vocab_size", "TAPAS reads 'type_vocab_sizes', one for each table");
  std::vector<std::int64_t> tables = {3, 256, 256, 2, 256, 256, 10};
  if (c.has("type_vocab_sizes")) tables = c.config().sizes({"type_vocab_sizes"});
  if (tables.size() != 7) c.problem("shape-range", "type_vocab_sizes", "'type_vocab_sizes' must list seven tables");
  const bool cells = named.ends_with("ForQuestionAnswering");
  c.understood({"positive_label_weight",
                "num_aggregation_labels",
                "aggregation_loss_weight",
                "use_answer_as_supervision",
                "answer_loss_importance",
                "use_normalized_answer_loss",
                "huber_loss_delta",
                "temperature",
                "aggregation_temperature",
                "use_gumbel_for_cells",
                "use_gumbel_for_aggregation",
                "use_gumbel_for_agg",
                "average_approximation_function",
                "cell_selection_preference",
                "cell_select_pref",
                "answer_loss_cutoff",
                "max_num_rows",
                "max_num_columns",
                "average_logits_per_cell",
                "select_one_column",
                "allow_empty_column_selection",
                "init_cell_selection_weights_to_zero",
                "reset_position_index_per_cell",
                "disable_per_token_loss",
                "aggregation_labels",
                "no_aggregation_label_index",
                "softmax_temperature"});
  if (!cells) check_encoder_class(f);
  if (!f.ok()) return;
  const std::int64_t width = s.layer.width;
  describe_bert_embeddings(f, s, width);
  {
    const Scope scope(f.sink, "token_type_embeddings");
    for (const std::int64_t rows : tables) f.sink.add(embedding("table", f.tokens, rows, width));
  }
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (cells) return describe_cells(f, width);
  describe_encoder_heads(f, {}, width, width, s.vocabulary);
}

}  // namespace

extern const FamilyDef k_tapas;
const FamilyDef k_tapas = {"tapas",
                           "TAPAS: BERT over a table, with tables of vectors for rows, columns and ranks",
                           "huggingface/transformers models/tapas/modeling_tapas.py; 2004.02349",
                           kTypes,
                           kArchitectures,
                           build<describe_tapas>};

}  // namespace floptally::families
