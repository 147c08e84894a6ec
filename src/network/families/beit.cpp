#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"beit", "data2vec-vision"};
constexpr std::string_view kArchitectures[] = {"BeitModel", "BeitForImageClassification", "Data2VecVisionModel",
                                               "Data2VecVisionForImageClassification"};

void describe_beit(Family& f) {
  const Keys& c = f.config;
  const std::int64_t channels = c.assume("num_channels", 3), image = c.size("image_size"), patch = c.size("patch_size"),
                     layers = c.size("num_hidden_layers");
  EncoderLayerPart layer{.width = c.size("hidden_size"),
                         .heads = c.size("num_attention_heads"),
                         .ffn = c.size("intermediate_size"),
                         .key_bias = false};
  layer.layer_scale = c.ratio_or("layer_scale_init_value", 0.1) > 0;
  layer.activation = read_activation(f, Activation::gelu);
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  if (image < patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  const bool mask = c.flag("use_mask_token", false), absolute = c.flag("use_absolute_position_embeddings", false),
             relative = c.flag("use_relative_position_bias", false),
             shared = c.flag("use_shared_relative_position_bias", false), mean = c.flag("use_mean_pooling", true);
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForImageClassification");
  if (!named.empty() && !classifies && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies ? label_count(c) : 0;
  c.understood({"auxiliary_channels", "auxiliary_concat_input", "auxiliary_loss_weight", "auxiliary_num_convs",
                "drop_path_rate", "out_indices", "out_features", "pool_scales", "semantic_loss_ignore_index",
                "use_auxiliary_head", "vocab_size", "add_fpn", "reshape_hidden_states", "stage_names"});
  if (!f.ok()) return;
  const std::int64_t side = image / patch, patches = side * side, tokens = patches + 1,
                     distances = (2 * side - 1) * (2 * side - 1) + 3;
  f.sink.add(patch_embedding("patch_embeddings", channels, layer.width, patch * patch, patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", layer.width, layer.width, Component::embed));
  if (mask) f.sink.add(parameter("mask_token", layer.width, 0, Component::embed));
  if (absolute) f.sink.add(position_table("position_embeddings", tokens, tokens, layer.width));
  if (shared) f.sink.add(relative_bias("relative_position_bias", layer.heads, distances, tokens * tokens));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    if (relative) f.sink.add(relative_bias("relative_position_bias", layer.heads, distances, tokens * tokens));
    describe_encoder_layer(layer, tokens, f.sink);
  }
  const bool bare = mean && !classifies && c.text_or("model_type", "beit") != "beit";  // data2vec's has no pooler
  if (!bare) f.sink.add(layer_norm(mean ? "pooler.layernorm" : "layernorm", mean ? 1 : tokens, layer.width));
  if (classifies) f.sink.add(linear("classifier", 1, layer.width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_beit;
const FamilyDef k_beit = {"beit",
                          "BEiT and data2vec vision: a vision transformer with relative positions and scaled sublayers",
                          "huggingface/transformers models/beit/modeling_beit.py, models/data2vec; 2106.08254",
                          kTypes,
                          kArchitectures,
                          build<describe_beit>,
                          "image"};

}  // namespace floptally::families
