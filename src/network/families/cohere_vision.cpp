#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"cohere2_vision", "aya_vision", "lfm2_vl"};
constexpr std::string_view kArchitectures[] = {"Cohere2VisionForConditionalGeneration",
                                               "AyaVisionForConditionalGeneration", "Lfm2VlForConditionalGeneration"};

struct Projector {
  std::int64_t inner = 1;  // what the first layer gives
  bool normed = false, gated = true, bias = true;
};

Projector read_projector(const Keys& c, std::string_view type, std::int64_t text) {
  if (type != "lfm2_vl") {
    const std::int64_t inner = type == "aya_vision" ? c.size_or("alignment_intermediate_size", text)
                                                    : c.assume("alignment_intermediate_size", 36864);
    return {inner, type == "aya_vision", true, true};
  }
  return {c.assume("projector_hidden_size", 2560), c.flag("projector_use_layernorm", true), false,
          c.flag("projector_bias", true)};
}

void describe_cohere_vision(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "cohere2_vision");
  const bool lfm = type == "lfm2_vl";
  const Keys v = c.child("vision_config");
  const VisionSizes z = lfm ? read_patches(v) : read_vision(v, {1152, 27, 16, 4304, 3, 384, 14});
  const bool pooled = v.flag("vision_use_head", true);
  const std::int64_t joined = c.assume("downsample_factor", 2), text = c.child("text_config").size("hidden_size");
  const Projector p = read_projector(c, type, text);
  v.understood({"hidden_act", "model_type", "num_patches"});
  c.understood({"projector_hidden_act", "vision_feature_layer", "vision_feature_select_strategy", "image_seq_length",
                "adapter_layer_norm_eps", "max_image_tokens", "min_image_tokens", "max_num_patches", "min_tiles",
                "max_tiles", "tile_size", "use_thumbnail", "do_image_splitting", "encoder_patch_size",
                "use_image_special_tokens", "max_pixels_tolerance", "image_token_id", "max_splitted_image_size"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, pooled);
    const std::int64_t rows = std::max<std::int64_t>(1, z.patches() / (joined * joined)),
                       wide = z.width * joined * joined;
    const Scope projector(images, "multi_modal_projector");
    if (p.normed) images.add(layer_norm("layernorm", rows, wide));
    images.add(linear("linear_1", rows, wide, p.inner, p.bias));
    if (p.gated)
      images.add(gated_activation("act", rows * p.inner / 2, Activation::silu));
    else
      images.add(activation("act", rows * p.inner, Activation::gelu));
    images.add(linear("linear_2", rows, p.gated ? p.inner / 2 : p.inner, text, p.bias));
  }
  describe_nested(f, "text_config", lfm ? "lfm2" : "cohere2");
}

}  // namespace

extern const FamilyDef k_cohere_vision;
const FamilyDef k_cohere_vision = {"cohere_vision",
                                   "Command A Vision, Aya Vision, LFM2-VL: a SigLIP tower, a pixel shuffle, a "
                                   "projector of two layers, a language model",
                                   "huggingface/transformers models/cohere2_vision, models/aya_vision, models/lfm2_vl",
                                   kTypes,
                                   kArchitectures,
                                   build<describe_cohere_vision>};

}  // namespace floptally::families
