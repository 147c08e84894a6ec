#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mistral3", "lighton_ocr"};
constexpr std::string_view kArchitectures[] = {"Mistral3ForConditionalGeneration",
                                               "LightOnOcrForConditionalGeneration"};

void describe_mistral3(Family& f) {
  const Keys v = f.config.child("vision_config");
  const bool light = f.config.text_or("model_type", "mistral3") == "lighton_ocr";
  const VisionSizes z = read_vision(v, {1024, 24, 16, 4096, 3, 1024, 16});
  v.understood({"head_dim"});
  const std::int64_t width = f.config.child("text_config").size("hidden_size"),
                     merge = f.config.assume("spatial_merge_size", 2);
  const bool bias = f.config.flag("multimodal_projector_bias", false);
  f.config.understood({"projector_hidden_act", "vision_feature_layer"});
  if (merge < 1) f.config.problem("shape-range", "spatial_merge_size", "'spatial_merge_size' must be at least 1");
  if (!f.ok()) return;
  {
    constexpr std::int64_t kUsualImage = 448;
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t side = std::max<std::int64_t>(merge, kUsualImage / z.patch), tokens = side * side,
                       rows = std::max<std::int64_t>(1, tokens / (merge * merge));
    describe_pixtral_tower(images, z, tokens, Activation::silu);
    const Scope projector(images, "projector");
    images.add(rms_norm("norm", tokens, z.width));
    images.add(linear("patch_merger", rows, z.width * merge * merge, z.width));
    images.add(linear("linear_1", rows, z.width, width, bias));
    images.add(activation("act", rows * width, Activation::gelu));
    images.add(linear("linear_2", rows, width, width, bias));
  }
  describe_nested(f, "text_config", light ? "qwen3" : "mistral");
}

}  // namespace

extern const FamilyDef k_mistral3;
const FamilyDef k_mistral3 = {
    "mistral3",
    "Mistral Small 3.1 and Pixtral: a Pixtral tower, a patch merger and a Mistral language model; LightOnOCR: Qwen 3",
    "huggingface/transformers models/mistral3/modeling_mistral3.py, models/pixtral/modeling_pixtral.py; 2410.07073",
    kTypes,
    kArchitectures,
    build<describe_mistral3>};

}  // namespace floptally::families
