#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"llava",    "llava_next", "llava_onevision", "llava_next_video",
                                       "vipllava", "video_llava"};
constexpr std::string_view kArchitectures[] = {
    "LlavaForConditionalGeneration",          "LlavaNextForConditionalGeneration",
    "LlavaOnevisionForConditionalGeneration", "LlavaNextVideoForConditionalGeneration",
    "VipLlavaForConditionalGeneration",       "VideoLlavaForConditionalGeneration"};

enum class Sight : std::uint8_t { clip, siglip, pixtral };

Sight read_sight(const Keys& v) {
  const std::string_view type = v.text_or("model_type", "clip_vision_model");
  if (type == "siglip_vision_model") return Sight::siglip;
  if (type == "pixtral") return Sight::pixtral;
  if (type != "clip_vision_model")
    v.problem("unknown-variant", "model_type", "a tower of type '" + std::string(type) + "' is not known here");
  return Sight::clip;
}

VisionSizes read_tower(const Keys& v, Sight sight) {
  switch (sight) {
    case Sight::siglip:
      return read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
    case Sight::pixtral:
      v.understood({"head_dim"});
      return read_vision(v, {1024, 24, 16, 4096, 3, 1024, 16});
    case Sight::clip:
      break;
  }
  return read_vision(v, {1024, 24, 16, 4096, 3, 336, 14});
}

void describe_tower(Sink& sink, const VisionSizes& z, Sight sight, bool pooled) {
  if (sight == Sight::siglip) return describe_siglip_tower(sink, z, pooled);
  if (sight == Sight::pixtral) return describe_pixtral_tower(sink, z, z.patches(), Activation::gelu);
  describe_clip_tower(sink, z, Activation::gelu);
}

// How many layers of the tower the projector reads side by side.
std::int64_t read_layers_seen(const Keys& c, std::string_view key, std::int64_t published) {
  const Node listed = c.node(key);
  return listed ? listed.is_sequence() ? std::max<std::int64_t>(1, static_cast<std::int64_t>(listed.size())) : 1
                : published;
}

void describe_llava(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config"), t = c.child("text_config");
  const Sight sight = read_sight(v);
  const VisionSizes z = read_tower(v, sight);
  const std::string_view type = c.text_or("model_type", "llava");
  const bool vip = type == "vipllava", video = type == "video_llava", pooled = v.flag("vision_use_head", true);
  const std::int64_t width = t.assume("hidden_size", 4096), seen = vip ? read_layers_seen(c, "vision_feature_layers", 5)
                                                                       : read_layers_seen(c, "vision_feature_layer", 1);
  const bool newline = type.starts_with("llava_"), bias = c.flag("multimodal_projector_bias", true);
  c.understood({"image_seq_length", "projector_hidden_act", "vision_feature_layer", "vision_feature_select_strategy",
                "image_grid_pinpoints", "use_image_newline_parameter", "vocab_size", "vision_aspect_ratio",
                "spatial_pool_mode", "spatial_pool_stride", "video_seq_length", "projector_layernorm_eps"});
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  describe_tower(images, z, sight, pooled);
  if (video) {  // the second tower, for frames
    RepeatedSink none(f.sink, 0);
    const Scope tower(none, "video_tower");
    describe_tower(none, z, sight, pooled);
  }
  {
    const std::int64_t wide = z.width * seen;
    const Scope projector(images, "projector");
    if (vip) images.add(layer_norm("projector_layernorm", z.patches(), wide));
    images.add(linear("linear_1", z.patches(), wide, width, bias));
    images.add(activation("act", z.patches() * width, Activation::gelu));
    images.add(linear("linear_2", z.patches(), width, width, bias));
    if (newline) images.add(parameter("image_newline", width, width, Component::embed));
  }
  describe_nested(f, "text_config", "llama");
}

}  // namespace

extern const FamilyDef k_llava;
const FamilyDef k_llava = {
    "llava",
    "LLaVA 1.5, LLaVA-NeXT, VipLLaVA: a CLIP, SigLIP or Pixtral tower, a two-layer projector and a language model",
    "huggingface/transformers models/llava/modeling_llava.py, models/llava_next/modeling_llava_next.py; 2310.03744",
    kTypes,
    kArchitectures,
    build<describe_llava>};

}  // namespace floptally::families
