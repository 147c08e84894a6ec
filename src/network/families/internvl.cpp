#include <cmath>

#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"internvl_chat", "internvl", "qianfan_ocr"};
constexpr std::string_view kArchitectures[] = {"InternVLChatModel", "InternVLForConditionalGeneration",
                                               "QianfanOCRForConditionalGeneration"};

// A size that newer configs give for height and width.
std::int64_t read_side(const Keys& v, std::string_view key, std::int64_t published) {
  return v.node(key).is_sequence() ? v.element(key, 0) : v.assume(key, published);
}

// transformers' own class (OpenGVLab/InternVL3-8B-hf).
void describe_native(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config");
  const std::int64_t width = v.assume("hidden_size", 1024), layers = v.assume("num_hidden_layers", 24),
                     heads = v.assume("num_attention_heads", 16), ffn = v.assume("intermediate_size", 4096),
                     channels = v.assume("num_channels", 3), image = read_side(v, "image_size", 448),
                     patch = std::max<std::int64_t>(1, read_side(v, "patch_size", 14));
  const bool bias = v.flag("attention_bias", false), normed = v.flag("use_qk_norm", false),
             rms = v.text_or("norm_type", "layer_norm") == "rms_norm",
             table = v.flag("use_absolute_position_embeddings", true), mask = v.flag("use_mask_token", false),
             pooled = v.flag("use_mean_pooling", true);
  v.understood({"layer_scale_init_value", "projection_dropout", "hidden_act", "patch_size", "image_size"});
  v.divides("num_attention_heads", heads, "hidden_size", width);
  const double kept = c.ratio_or("downsample_ratio", 0.5);
  const std::int64_t joined = kept > 1e-3 && kept <= 1 ? std::llround(1 / kept) : 1;
  const std::int64_t text = c.child("text_config").size("hidden_size");
  c.understood({"image_seq_length", "projector_hidden_act", "vision_feature_layer", "vision_feature_select_strategy"});
  if (image < patch) v.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t patches = (image / patch) * (image / patch), tokens = patches + 1,
                       rows = std::max<std::int64_t>(1, patches / (joined * joined)), wide = width * joined * joined;
    {
      const Scope tower(images, "vision_tower");
      images.add(patch_embedding("patch_embeddings", channels, width, patch * patch, patches, true));
      images.add(parameter("cls_token", width, width, Component::embed));
      if (mask) images.add(parameter("mask_token", width, 0, Component::embed));
      if (table) images.add(position_table("position_embeddings", tokens, tokens, width));
      {
        const Scope scope(images, "layer", layers, BlockKind::layer);
        describe_encoder_layer({.width = width,
                                .heads = heads,
                                .ffn = ffn,
                                .norm = rms ? NormKind::rms : NormKind::layer,
                                .qkv_bias = bias,
                                .qk_norm = normed ? QkNorm::whole : QkNorm::none,
                                .layer_scale = true},
                               tokens, images);
      }
      if (!pooled) images.add(layer_norm("layernorm", tokens, width));
    }
    const Scope projector(images, "multi_modal_projector");
    images.add(layer_norm("layer_norm", rows, wide));
    images.add(linear("linear_1", rows, wide, text, true));
    images.add(activation("act", rows * text, Activation::gelu));
    images.add(linear("linear_2", rows, text, text, true));
  }
  describe_nested(f, "text_config", "qwen2");
}

void describe_internvl(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "internvl_chat");
  if (type == "internvl" || type == "qianfan_ocr") return describe_native(f);
  const Keys v = c.child("vision_config");
  const VisionSizes z = read_vision(v, {1024, 24, 16, 4096, 3, 448, 14});
  const bool bias = v.flag("qkv_bias", true), normed = v.flag("qk_normalization", false),
             rms = v.text_or("norm_type", "layer_norm") == "rms_norm";
  v.understood({"drop_path_rate", "initializer_factor", "use_flash_attn", "auto_map", "architectures"});
  const double kept = c.ratio_or("downsample_ratio", 0.5);
  const std::int64_t joined = kept > 1e-3 && kept <= 1 ? std::llround(1 / kept) : 1;
  const std::int64_t text = c.child("llm_config").size("hidden_size");
  c.understood({"dynamic_image_size", "force_image_size", "max_dynamic_patch", "min_dynamic_patch", "pad2square",
                "ps_version", "select_layer", "template", "use_backbone_lora", "use_llm_lora", "use_thumbnail",
                "image_fold", "hidden_size", "system_message", "vocab_size"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t patches = z.patches(), tokens = patches + 1,
                       rows = std::max<std::int64_t>(1, patches / (joined * joined)), wide = z.width * joined * joined;
    {
      const Scope tower(images, "vision_tower");
      images.add(patch_embedding("patch_embedding", z.channels, z.width, z.patch * z.patch, patches, true));
      images.add(parameter("class_embedding", z.width, z.width, Component::embed));
      images.add(position_table("position_embedding", tokens, tokens, z.width));
      const Scope layers(images, "layers", z.layers, BlockKind::layer);
      describe_encoder_layer({.width = z.width,
                              .heads = z.heads,
                              .ffn = z.ffn,
                              .norm = rms ? NormKind::rms : NormKind::layer,
                              .qkv_bias = bias,
                              .qk_norm = normed ? QkNorm::whole : QkNorm::none,
                              .layer_scale = true},
                             tokens, images);
    }
    const Scope projector(images, "mlp1");
    images.add(layer_norm("norm", rows, wide));
    images.add(linear("linear_1", rows, wide, text, true));
    images.add(activation("act", rows * text, Activation::gelu));
    images.add(linear("linear_2", rows, text, text, true));
  }
  describe_nested(f, "llm_config", "internlm2");
}

}  // namespace

extern const FamilyDef k_internvl;
const FamilyDef k_internvl = {"internvl",
                              "InternVL 1.5 to 3: an InternViT tower with scaled sublayers, a pixel shuffle with two "
                              "linear layers, a language model",
                              "OpenGVLab/InternVL2-8B modeling_internvl_chat.py, modeling_intern_vit.py; 2312.14238",
                              kTypes,
                              kArchitectures,
                              build<describe_internvl>};

}  // namespace floptally::families
