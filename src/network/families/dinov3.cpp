#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dinov3_vit"};
constexpr std::string_view kArchitectures[] = {"DINOv3ViTModel"};

void describe_dinov3(Family& f) {
  const Keys& c = f.config;
  const std::int64_t channels = c.assume("num_channels", 3), image = c.assume("image_size", 224),
                     patch = c.size("patch_size"), layers = c.size("num_hidden_layers"),
                     registers = c.count_or("num_register_tokens", 0);
  EncoderLayerPart layer{
      .width = c.size("hidden_size"), .heads = c.size("num_attention_heads"), .ffn = c.size("intermediate_size")};
  layer.qkv_bias = c.flag("query_bias", true);
  layer.key_bias = c.flag("key_bias", false);
  layer.out_bias = c.flag("proj_bias", true);
  layer.mlp_bias = c.flag("mlp_bias", true);
  layer.gated = c.flag("use_gated_mlp", false);
  layer.layer_scale = true;
  layer.activation = read_activation(f, Activation::gelu);
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  if (c.flag("value_bias", true) != layer.qkv_bias || (layer.key_bias && !layer.qkv_bias))
    c.problem("unknown-variant", "value_bias",
              "'query_bias', 'key_bias' and 'value_bias' that differ so are not known");
  if (image < patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  if (const std::string_view named = f.architecture(); !named.empty() && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  c.understood({"layerscale_value", "pos_embed_jitter", "pos_embed_rescale", "pos_embed_shift", "apply_layernorm",
                "reshape_hidden_states", "out_features", "out_indices", "stage_names", "drop_path_rate"});
  if (!f.ok()) return;
  const std::int64_t patches = (image / patch) * (image / patch), tokens = patches + 1 + registers;
  layer.rotary_dim = layer.width / layer.heads;
  f.sink.add(patch_embedding("patch_embeddings", channels, layer.width, patch * patch, patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", layer.width, layer.width, Component::embed));
  f.sink.add(parameter("mask_token", layer.width, 0, Component::embed));
  if (registers > 0)
    f.sink.add(parameter("register_tokens", registers * layer.width, registers * layer.width, Component::embed));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, f.sink);
  }
  f.sink.add(layer_norm("norm", tokens, layer.width));
}

}  // namespace

extern const FamilyDef k_dinov3;
const FamilyDef k_dinov3 = {
    "dinov3",
    "DINOv3: a vision transformer with rotary positions, registers and scaled sublayers, gated layers in the largest",
    "huggingface/transformers models/dinov3_vit/modeling_dinov3_vit.py; 2508.10104",
    kTypes,
    kArchitectures,
    build<describe_dinov3>,
    "image"};

}  // namespace floptally::families
