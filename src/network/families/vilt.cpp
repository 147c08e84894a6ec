#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vilt"};
constexpr std::string_view kArchitectures[] = {"ViltModel", "ViltForQuestionAnswering"};

// Words and patches side by side in one encoder.
void describe_vilt(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  EncoderLayerPart layer{.width = c.size("hidden_size"),
                         .heads = c.size("num_attention_heads"),
                         .ffn = c.size("intermediate_size"),
                         .qkv_bias = c.flag("qkv_bias", true)};
  const std::int64_t layers = c.size("num_hidden_layers"), vocabulary = c.size("vocab_size"),
                     words = c.assume("max_position_embeddings", 40), segments = c.assume("type_vocab_size", 2),
                     kinds = c.assume("modality_type_vocab_size", 2), channels = c.assume("num_channels", 3),
                     image = c.assume("image_size", 384), patch = c.assume("patch_size", 32), width = layer.width;
  c.divides("num_attention_heads", layer.heads, "hidden_size", width);
  if (image < patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  const bool asks = named.ends_with("ForQuestionAnswering");
  if (!named.empty() && !asks && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = asks ? label_count(c) : 0;
  c.understood({"hidden_act", "max_image_length", "num_images", "tie_word_embeddings"});
  f.sequence(words);
  if (!f.ok()) return;
  const std::int64_t table = (image / patch) * (image / patch) + 1;
  const bool given = f.inputs.image.size() == 3;
  const std::int64_t patches = given ? std::max<std::int64_t>(1, f.inputs.image[1] / patch) *
                                           std::max<std::int64_t>(1, f.inputs.image[2] / patch)
                                     : table - 1,
                     seen = patches + 1, all = f.tokens + seen;
  {
    const Scope embeddings(f.sink, "embeddings");
    BertSizes s;
    s.layer = layer;
    s.vocabulary = vocabulary;
    s.positions = words;
    s.segments = segments;
    describe_bert_embeddings(f, s, width);
    f.sink.add(patch_embedding("patch_embeddings", channels, width, patch * patch, patches, true)
                   .with(op_flags::input_no_gradient));
    f.sink.add(parameter("cls_token", width, width, Component::embed));
    f.sink.add(position_table("position_embeddings", seen, table, width));
    f.sink.add(embedding("token_type_embeddings", all, kinds, width));
  }
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, all, f.sink);
  }
  f.sink.add(layer_norm("layernorm", all, width));
  f.sink.add(linear("pooler", 1, width, width, true, Component::head));
  if (!asks) return;
  f.sink.add(linear("classifier.0", 1, width, 2 * width, true, Component::head));
  f.sink.add(layer_norm("classifier.1", 1, 2 * width));
  f.sink.add(activation("act", 2 * width, Activation::gelu));
  f.sink.add(linear("classifier.3", 1, 2 * width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_vilt;
const FamilyDef k_vilt = {"vilt",
                          "ViLT: words and patches of an image in one encoder",
                          "huggingface/transformers models/vilt/modeling_vilt.py; 2102.03334",
                          kTypes,
                          kArchitectures,
                          build<describe_vilt>,
                          "sample"};

}  // namespace floptally::families
