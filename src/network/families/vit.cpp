#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vit", "deit", "vit_msn", "ijepa"};
constexpr std::string_view kArchitectures[] = {"ViTForImageClassification",
                                               "ViTModel",
                                               "ViTForMaskedImageModeling",
                                               "DeiTForImageClassification",
                                               "DeiTForImageClassificationWithTeacher",
                                               "DeiTModel",
                                               "ViTMSNModel",
                                               "ViTMSNForImageClassification",
                                               "IJepaModel",
                                               "IJepaForImageClassification"};

void describe_vit(Family& f) {
  const Keys& c = f.config;
  const std::int64_t channels = c.assume("num_channels", 3), image = c.size("image_size"), patch = c.size("patch_size"),
                     layers = c.size("num_hidden_layers");
  EncoderLayerPart layer{
      .width = c.size("hidden_size"), .heads = c.size("num_attention_heads"), .ffn = c.size("intermediate_size")};
  layer.qkv_bias = c.flag("qkv_bias", true);
  layer.activation = read_activation(f, Activation::gelu);
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  if (image < patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  const std::string_view type = c.text_or("model_type", "vit");
  const bool distilled = type == "deit", plain = type == "ijepa", pools = type == "vit" || distilled;
  const std::string_view named = f.architecture();
  const bool classifies = named.find("ForImageClassification") != std::string_view::npos;
  const std::int64_t labels = classifies ? label_count(c) : 0;
  const bool masked = named.ends_with("ForMaskedImageModeling");
  const std::int64_t stride = masked ? c.assume("encoder_stride", 16) : 0;
  if (!named.empty() && !classifies && !masked && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  c.understood({"encoder_stride", "pooler_act", "pooler_output_size"});
  if (!f.ok()) return;
  const std::int64_t patches = (image / patch) * (image / patch),
                     special = plain       ? 0
                               : distilled ? 2
                                           : 1,
                     tokens = patches + special;
  f.sink.add(patch_embedding("patch_embeddings", channels, layer.width, patch * patch, patches, true)
                 .with(op_flags::input_no_gradient));
  if (special > 0) f.sink.add(parameter("cls_token", special * layer.width, special * layer.width, Component::embed));
  f.sink.add(position_table("position_embeddings", tokens, tokens, layer.width));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, f.sink);
  }
  f.sink.add(layer_norm("layernorm", tokens, layer.width));
  if (labels > 0) f.sink.add(linear("classifier", 1, layer.width, labels, true, Component::head));
  if (labels > 0 && named.ends_with("WithTeacher"))
    f.sink.add(linear("distillation_classifier", 1, layer.width, labels, true, Component::head));
  if (masked) {
    f.sink.add(parameter("mask_token", layer.width, 0, Component::embed));
    f.sink.add(convolution("decoder", layer.width, stride * stride * channels, 1, 1, patches, patches, true));
    return;
  }
  if (!classifies && pools) f.sink.add(linear("pooler", 1, layer.width, layer.width, true, Component::head));
}

}  // namespace

extern const FamilyDef k_vit;
const FamilyDef k_vit = {
    "vit",
    "ViT, DeiT, MSN and I-JEPA: an image cut into patches, a class token (and DeiT a distillation token), an encoder",
    "huggingface/transformers models/vit/modeling_vit.py, models/deit/modeling_deit.py; 2010.11929, 2012.12877",
    kTypes,
    kArchitectures,
    build<describe_vit>,
    "image"};

}  // namespace floptally::families
