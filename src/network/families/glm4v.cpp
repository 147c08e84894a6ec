#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glm4v", "glm4v_moe", "glm46v"};
constexpr std::string_view kArchitectures[] = {"Glm4vForConditionalGeneration", "Glm4vMoeForConditionalGeneration",
                                               "Glm46VForConditionalGeneration"};

void describe_glm4v(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config");
  const std::int64_t width = v.assume("hidden_size", 1536), depth = v.assume("depth", 24),
                     heads = v.assume("num_heads", 12), channels = v.assume("in_channels", 3),
                     image = v.assume("image_size", 336), patch = v.assume("patch_size", 14),
                     frames = v.assume("temporal_patch_size", 2), merge = v.assume("spatial_merge_size", 2),
                     out = v.assume("out_hidden_size", 4096), inner = v.assume("intermediate_size", 13696);
  const bool bias = v.flag("attention_bias", false);
  v.understood({"hidden_act", "model_type", "initializer_range"});
  v.divides("num_heads", heads, "hidden_size", width);
  if (image < patch) v.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t side = std::max<std::int64_t>(merge, image / patch / merge * merge), tokens = side * side,
                       rows = tokens / (merge * merge);
    {
      const Scope tower(images, "visual");
      images.add(patch_embedding("patch_embed", channels, width, frames * patch * patch, tokens, true));
      images.add(rms_norm("post_conv_layernorm", tokens, width));
      images.add(position_table("position_embedding", tokens, (image / patch) * (image / patch), width));
      {
        const Scope blocks(images, "blocks", depth, BlockKind::layer);
        describe_encoder_layer({.width = width,
                                .heads = heads,
                                .ffn = out,
                                .norm = NormKind::rms,
                                .qkv_bias = bias,
                                .out_bias = false,
                                .mlp_bias = false,
                                .gated = true,
                                .rotary_dim = width / heads,
                                .activation = Activation::silu},
                               tokens, images);
      }
      images.add(rms_norm("post_layernorm", tokens, width));
      images.add(patch_embedding("downsample", width, out, merge * merge, rows, true));
    }
    const Scope merger(images, "merger");
    images.add(linear("proj", rows, out, out));
    images.add(layer_norm("post_projection_norm", rows, out));
    images.add(activation("act", rows * out, Activation::gelu));
    describe_mlp(mlp_of(out, inner), rows, images);
  }
  describe_nested(f, "text_config", "glm4");
}

}  // namespace

extern const FamilyDef k_glm4v;
const FamilyDef k_glm4v = {
    "glm4v",
    "GLM-4.1V, 4.5V and 4.6V: a tower with rotary positions and a gated merger, a GLM-4 or GLM-4.5 text model",
    "huggingface/transformers models/glm4v/modeling_glm4v.py, models/glm4v_moe/modeling_glm4v_moe.py; 2507.01006",
    kTypes,
    kArchitectures,
    build<describe_glm4v>};

}  // namespace floptally::families
