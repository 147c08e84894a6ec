#include "network/families/_detection.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_vl", "deepseek_vl_hybrid"};
constexpr std::string_view kArchitectures[] = {"DeepseekVLForConditionalGeneration", "DeepseekVLModel",
                                               "DeepseekVLHybridForConditionalGeneration", "DeepseekVLHybridModel"};

// Segment Anything's tower over a larger picture, a second neck over what it sees halfway, both brought to SigLIP's
// grid.
void describe_fine_eye(Family& f, Sink& sink, const Keys& h, std::int64_t grid) {
  const std::int64_t width = h.assume("hidden_size", 768), out = h.assume("output_channels", 256),
                     side = std::max<std::int64_t>(1, h.assume("image_size", 1024) / h.assume("patch_size", 16));
  h.understood({"model_type", "scale", "num_pos_feats"});
  FamilyInputs inputs = f.inputs;
  inputs.image.clear();
  inputs.inside = true;
  Config config = h.config();
  find_family("sam_vision_model", {})->build(config, inputs, sink);
  {
    const Scope neck(sink, "high_res_vision_neck");
    const std::int64_t tokens = side * side;
    sink.add(convolution("conv1", width, out, 1, 1, tokens, tokens, false));
    sink.add(layer_norm("layer_norm1", tokens, out));
    sink.add(convolution("conv2", out, out, 1, 9, tokens, tokens, false));
    sink.add(layer_norm("layer_norm2", tokens, out));
  }
  RepeatedSink both(sink, 2);
  const Scope scope(both, "high_res_vision_proj");
  const std::int64_t large = 16 * grid * grid;
  both.add(resize("interpolate", large * out, side * side * out, 4));
  both.add(convolution("conv1", out, 2 * out, 1, 9, large, large / 4, false));
  both.add(convolution("conv2", 2 * out, 4 * out, 1, 9, large / 4, large / 16, false));
  sink.add(parameter("high_res_vision_alpha", 1, grid * grid * 4 * out));
}

void describe_deepseek_vl(Family& f) {
  const Keys& c = f.config;
  const bool hybrid = c.has("high_res_vision_config");
  if (!c.has("vision_config")) c.size("vision_config");
  const Keys v = c.child("vision_config"), t = c.child("text_config"), h = c.child("high_res_vision_config");
  const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  const bool pooled = v.flag("vision_use_head", true);
  const std::int64_t width = t.assume("hidden_size", 4096), fine = 4 * h.size_or("output_channels", 256);
  v.understood({"model_type"});
  if (v.text_or("model_type", "siglip_vision_model") != "siglip_vision_model")
    v.problem("unknown-variant", "model_type", "a tower other than SigLIP is not known here");
  if (hybrid && width % 2 != 0)
    c.problem("shape-divide", "hidden_size", "'hidden_size' of the text model must be even");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, pooled);
    constexpr std::int64_t kGrid = 24;  // the fine eye is brought to this many positions a side
    if (hybrid) describe_fine_eye(f, images, h, kGrid);
    const std::int64_t rows = hybrid ? kGrid * kGrid : z.patches();
    const Scope aligner(images, "aligner");
    if (hybrid) {
      images.add(linear("vision_proj", rows, z.width, width / 2, true));
      images.add(linear("high_res_vision_proj", rows, fine, width / 2, true));
    } else {
      images.add(linear("linear1", rows, z.width, width, true));
    }
    images.add(activation("act", rows * width, Activation::gelu));
    images.add(linear(hybrid ? "proj" : "linear2", rows, width, width, true));
  }
  if (f.ok()) describe_nested(f, "text_config", "llama");
}

}  // namespace

extern const FamilyDef k_deepseek_vl;
const FamilyDef k_deepseek_vl = {
    "deepseek_vl",
    "DeepSeek-VL: a SigLIP tower, in the larger model Segment Anything's beside it, and a Llama language model",
    "huggingface/transformers models/deepseek_vl, models/deepseek_vl_hybrid; 2403.05525",
    kTypes,
    kArchitectures,
    build<describe_deepseek_vl>};

}  // namespace floptally::families
