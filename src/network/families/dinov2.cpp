#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dinov2", "dinov2_with_registers"};
constexpr std::string_view kArchitectures[] = {"Dinov2Model", "Dinov2ForImageClassification",
                                               "Dinov2WithRegistersModel", "Dinov2WithRegistersForImageClassification"};

void describe_dinov2(Family& f) {
  const Keys& c = f.config;
  const std::int64_t channels = c.assume("num_channels", 3), image = c.size("image_size"), patch = c.size("patch_size"),
                     layers = c.size("num_hidden_layers");
  EncoderLayerPart layer{.width = c.size("hidden_size"), .heads = c.size("num_attention_heads")};
  const bool gated = c.flag("use_swiglu_ffn", false);
  const auto wide = static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 4) * static_cast<double>(layer.width));
  layer.ffn = gated ? (wide * 2 / 3 + 7) / 8 * 8 : wide;
  layer.gated = gated;
  layer.qkv_bias = c.flag("qkv_bias", true);
  layer.activation = gated ? Activation::silu : read_activation(f, Activation::gelu);
  layer.layer_scale = true;
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  if (image < patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  const std::string_view named = f.architecture();
  const bool classifies = named.find("ForImageClassification") != std::string_view::npos;
  const std::int64_t labels = classifies ? label_count(c) : 0, registers = c.text_or("model_type", "dinov2") == "dinov2"
                                                                               ? 0
                                                                               : c.count_or("num_register_tokens", 4);
  c.understood({"apply_layernorm", "drop_path_rate", "layerscale_value", "out_features", "out_indices",
                "reshape_hidden_states", "stage_names", "use_mask_token"});
  if (!f.ok()) return;
  // The table is made for image_size and interpolated: what is counted is the size given, else that one.
  const std::vector<std::int64_t>& given = f.inputs.image;
  const std::int64_t table = (image / patch) * (image / patch) + 1,
                     patches = given.size() == 3 ? std::max<std::int64_t>(1, (given[1] / patch) * (given[2] / patch))
                                                 : table - 1,
                     tokens = patches + 1 + registers;
  f.sink.add(patch_embedding("patch_embeddings", channels, layer.width, patch * patch, patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", layer.width, layer.width, Component::embed));
  if (c.flag("use_mask_token", true)) f.sink.add(parameter("mask_token", layer.width, 0, Component::embed));
  if (registers > 0)
    f.sink.add(parameter("register_tokens", registers * layer.width, registers * layer.width, Component::embed));
  f.sink.add(position_table("position_embeddings", patches + 1, table, layer.width));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, f.sink);
  }
  f.sink.add(layer_norm("layernorm", tokens, layer.width));
  if (labels > 0) f.sink.add(linear("classifier", 1, 2 * layer.width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_dinov2;
const FamilyDef k_dinov2 = {
    "dinov2",
    "DINOv2: a vision transformer with learned scales of its sublayers, a mask token, registers in some",
    "huggingface/transformers models/dinov2/modeling_dinov2.py, models/dinov2_with_registers; 2304.07193",
    kTypes,
    kArchitectures,
    build<describe_dinov2>,
    "image"};

}  // namespace floptally::families
