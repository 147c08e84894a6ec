#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"paligemma"};
constexpr std::string_view kArchitectures[] = {"PaliGemmaForConditionalGeneration"};

void describe_paligemma(Family& f) {
  const Keys v = f.config.child("vision_config");
  const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  v.understood({"num_image_tokens", "projector_hidden_act", "num_positions", "position_embedding_type"});
  const std::int64_t width = f.config.child("text_config").size("hidden_size");
  f.config.understood({"hidden_size", "projection_dim", "vocab_size", "num_hidden_layers"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, v.flag("vision_use_head", true));
    const Scope projector(images, "projector");
    images.add(linear("linear", z.patches(), z.width, width, true));
  }
  describe_nested(f, "text_config", "gemma");
}

}  // namespace

extern const FamilyDef k_paligemma;
const FamilyDef k_paligemma = {"paligemma",
                               "PaliGemma: a SigLIP tower, one linear projector and a Gemma language model",
                               "huggingface/transformers models/paligemma/modeling_paligemma.py; 2407.07726",
                               kTypes,
                               kArchitectures,
                               build<describe_paligemma>};

}  // namespace floptally::families
