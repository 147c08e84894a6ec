#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"lilt"};
constexpr std::string_view kArchitectures[] = {"LiltModel", "LiltForSequenceClassification",
                                               "LiltForTokenClassification", "LiltForQuestionAnswering"};

// What stands where on a page: four coordinates, a width and a height.
void describe_layout(Family& f, const BertSizes& s) {
  const Keys& c = f.config;
  const std::int64_t width = s.layer.width,
                     narrow = std::max<std::int64_t>(1, width / c.assume("channel_shrink_ratio", 4)),
                     places = c.assume("max_2d_position_embeddings", 1024), part = std::max<std::int64_t>(1, width / 6),
                     tokens = f.tokens;
  const Scope scope(f.sink, "layout_embeddings");
  for (const std::string_view name : {"x_position", "y_position"}) {
    f.sink.add(embedding(name, tokens, places, part));
    f.sink.add(embedding(name, tokens, places, part).with(op_flags::tied));
  }
  for (const std::string_view name : {"h_position", "w_position"}) f.sink.add(embedding(name, tokens, places, part));
  f.sink.add(linear("box_linear", tokens, 6 * part, narrow, true, Component::embed));
  f.sink.add(position_table("box_position", tokens, s.positions, narrow));
  f.sink.add(layer_norm("LayerNorm", tokens, narrow));
}

// The layout flows beside the text; each sees the other's scores.
void describe_two_flows(Family& f, const BertSizes& s) {
  describe_encoder_layer(s.layer, f.tokens, f.sink);
  const std::int64_t ratio = f.config.assume("channel_shrink_ratio", 4);
  EncoderLayerPart layout = s.layer;
  layout.width = std::max<std::int64_t>(layout.heads, layout.width / ratio);
  layout.ffn = std::max<std::int64_t>(1, layout.ffn / ratio);
  const Scope flow(f.sink, "layout");
  f.sink.add(elementwise("add_scores", s.layer.heads * f.tokens * f.tokens, 3, 2));
  describe_encoder_layer(layout, f.tokens, f.sink);
}

void describe_lilt(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::int64_t ratio = c.assume("channel_shrink_ratio", 4);
  if (s.layer.width % 6 != 0) c.problem("shape-divide", "hidden_size", "'hidden_size' must be a multiple of 6");
  if (s.layer.width % (ratio * s.layer.heads) != 0 || s.layer.ffn % ratio != 0)
    c.problem("shape-divide", "channel_shrink_ratio",
              "'channel_shrink_ratio' times the heads must divide 'hidden_size'");
  describe_bert(f, s, {.heads = {.own_dense = true}, .after_embedding = describe_layout, .layer = describe_two_flows});
}

}  // namespace

extern const FamilyDef k_lilt;
const FamilyDef k_lilt = {"lilt",
                          "LiLT: a text encoder and a narrow flow of the page's layout beside it",
                          "huggingface/transformers models/lilt/modeling_lilt.py; 2202.13669",
                          kTypes,
                          kArchitectures,
                          build<describe_lilt>};

}  // namespace floptally::families
