#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"got_ocr2"};
constexpr std::string_view kArchitectures[] = {"GotOcr2ForConditionalGeneration", "GotOcr2Model"};

void describe_got_ocr2(Family& f) {
  const Keys& c = f.config;
  if (!c.has("vision_config")) c.size("vision_config");
  const Keys v = c.child("vision_config"), t = c.child("text_config");
  const std::int64_t out = v.assume("output_channels", 256), width = t.assume("hidden_size", 1024),
                     side = std::max<std::int64_t>(4, v.assume("image_size", 1024) / v.assume("patch_size", 16));
  c.understood({"image_seq_length"});
  v.understood({"model_type"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    FamilyInputs inputs = f.inputs;
    inputs.image.clear();
    inputs.inside = true;
    Config config = v.config();
    find_family("sam_vision_model", {})->build(config, inputs, images);
    if (!f.ok()) return;
    const Scope projector(images, "multi_modal_projector");
    const std::int64_t all = side * side, rows = all / 16;
    images.add(convolution("conv_upsampler1", out, 2 * out, 1, 9, all, all / 4, false));
    images.add(convolution("conv_upsampler2", 2 * out, 4 * out, 1, 9, all / 4, rows, false));
    images.add(linear("multimodal_projector", rows, 4 * out, width, true));
  }
  describe_nested(f, "text_config", "qwen2");
}

}  // namespace

extern const FamilyDef k_got_ocr2;
const FamilyDef k_got_ocr2 = {"got_ocr2",
                              "GOT-OCR 2: Segment Anything's tower, two strided convolutions, a Qwen 2 language model",
                              "huggingface/transformers models/got_ocr2/modeling_got_ocr2.py; 2409.01704",
                              kTypes,
                              kArchitectures,
                              build<describe_got_ocr2>};

}  // namespace floptally::families
