#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"llava", "llava_next", "llava_onevision"};
constexpr std::string_view kArchitectures[] = {"LlavaForConditionalGeneration", "LlavaNextForConditionalGeneration",
                                               "LlavaOnevisionForConditionalGeneration"};

void describe_llava(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config"), t = c.child("text_config");
  const bool siglip = v.text_or("model_type", "clip_vision_model").find("siglip") != std::string_view::npos;
  const VisionSizes z =
      read_vision(v, siglip ? VisionSizes{768, 12, 12, 3072, 3, 224, 16} : VisionSizes{1024, 24, 16, 4096, 3, 336, 14});
  const std::int64_t width = t.assume("hidden_size", 4096);
  const bool newline = c.text_or("model_type", "llava") != "llava", bias = c.flag("multimodal_projector_bias", true);
  c.understood({"image_seq_length", "projector_hidden_act", "vision_feature_layer", "vision_feature_select_strategy",
                "image_grid_pinpoints", "use_image_newline_parameter", "vocab_size", "vision_aspect_ratio"});
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  if (siglip)
    describe_siglip_tower(images, z, v.flag("vision_use_head", true));
  else
    describe_clip_tower(images, z, Activation::gelu);
  {
    const Scope projector(images, "projector");
    images.add(linear("linear_1", z.patches(), z.width, width, bias));
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
    "LLaVA 1.5, LLaVA-NeXT, VipLLaVA: a CLIP or SigLIP tower, a two-layer projector and a language model",
    "huggingface/transformers models/llava/modeling_llava.py, models/llava_next/modeling_llava_next.py; 2310.03744",
    kTypes,
    kArchitectures,
    build<describe_llava>};

}  // namespace floptally::families
