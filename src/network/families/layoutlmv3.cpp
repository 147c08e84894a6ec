#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"layoutlmv3"};
constexpr std::string_view kArchitectures[] = {"LayoutLMv3Model", "LayoutLMv3ForTokenClassification",
                                               "LayoutLMv3ForSequenceClassification", "LayoutLMv3ForQuestionAnswering"};

// Words and their boxes.
void describe_words(Family& f, const BertSizes& s, std::int64_t places) {
  const Keys& c = f.config;
  const std::int64_t corner = c.size("coordinate_size"), shape = c.size("shape_size");
  describe_bert_embeddings(f, s, s.layer.width);
  for (const std::string_view name : {"x_position_embeddings", "y_position_embeddings"})
    f.sink.add(embedding(name, 2 * f.tokens, places, corner, Component::position));
  for (const std::string_view name : {"h_position_embeddings", "w_position_embeddings"})
    f.sink.add(embedding(name, f.tokens, places, shape, Component::position));
}

void describe_task(Family& f, std::int64_t width, std::int64_t rows) {
  const std::string_view named = f.architecture();
  if (named.empty() || named.ends_with("Model")) return;
  const std::int64_t labels = label_count(f.config);
  constexpr std::int64_t kFew = 10;  // fewer labels of tokens: one matrix
  const bool tags = named.ends_with("ForTokenClassification");
  if (!(tags && labels < kFew)) {
    f.sink.add(linear("classifier.dense", rows, width, width, true, Component::head));
    f.sink.add(activation("classifier.act", rows * width, Activation::tanh));
  }
  f.sink.add(linear("classifier.out_proj", rows, width, labels, true, Component::head));
}

void describe_layoutlmv3(Family& f) {
  const Keys& c = f.config;
  BertSizes s = read_bert(f);
  const std::int64_t width = s.layer.width, places = c.size("max_2d_position_embeddings");
  const bool sees = c.flag("visual_embed", true), near = c.flag("has_relative_attention_bias", true),
             spatial = c.flag("has_spatial_attention_bias", true);
  const std::int64_t side = sees ? c.assume("input_size", 224) : 1, patch = sees ? c.assume("patch_size", 16) : 1,
                     bins = near ? c.assume("rel_pos_bins", 32) : 0,
                     boxes = spatial ? c.assume("rel_2d_pos_bins", 64) : 0, channels = c.size_or("num_channels", 3);
  c.understood({"max_rel_pos", "max_rel_2d_pos", "second_input_size", "coordinate_size", "shape_size"});
  const std::string_view named = f.architecture();
  const bool tags = named.ends_with("ForTokenClassification"), spans = named.ends_with("ForQuestionAnswering");
  if (!named.empty() && !named.ends_with("Model") && !tags && !spans && !named.ends_with("ForSequenceClassification"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (!c.flag("text_embed", true)) c.problem("unknown-variant", "text_embed", "a model without words is not known");
  if (patch > side) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'input_size'");
  const std::int64_t patches = sees ? (side / patch) * (side / patch) : 0, seen = sees ? patches + 1 : 0;
  describe_words(f, s, places);
  if (!f.ok()) return;
  const std::int64_t text = f.tokens, all = text + seen;
  if (sees) {
    f.sink.add(patch_embedding("patch_embed", channels, width, patch * patch, patches, true));
    f.sink.add(parameter("cls_token", width, width, Component::embed));
    f.sink.add(position_table("pos_embed", seen, seen, width));
    f.sink.add(layer_norm("norm", seen, width));
    f.sink.add(layer_norm("LayerNorm", all, width));
  }
  const std::int64_t pairs = all * all;
  if (near) f.sink.add(relative_bias("rel_pos_bias", s.layer.heads, bins, pairs));
  if (spatial)
    for (const std::string_view name : {"rel_pos_x_bias", "rel_pos_y_bias"})
      f.sink.add(relative_bias(name, s.layer.heads, boxes, pairs));
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, all, f.sink);
  }
  describe_task(f, width, tags || spans ? text : 1);
}

}  // namespace

extern const FamilyDef k_layoutlmv3;
const FamilyDef k_layoutlmv3 = {
    "layoutlmv3",
    "LayoutLMv3: words with their boxes and patches of the page in one encoder, biased by distance",
    "huggingface/transformers models/layoutlmv3/modeling_layoutlmv3.py; 2204.08387",
    kTypes,
    kArchitectures,
    build<describe_layoutlmv3>};

}  // namespace floptally::families
