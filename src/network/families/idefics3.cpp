#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"idefics3", "smolvlm"};
constexpr std::string_view kArchitectures[] = {"Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration"};

void describe_idefics3(Family& f) {
  const Keys v = f.config.child("vision_config");
  const VisionSizes z = read_vision(v, {1152, 12, 16, 3072, 3, 224, 32});
  v.understood({"max_image_size", "size", "tie_word_embeddings", "use_base_siglip"});
  const std::int64_t width = f.config.child("text_config").size("hidden_size"),
                     scale = f.config.assume("scale_factor", 2);
  f.config.understood({"image_seq_len", "vocab_size", "use_reentrant_checkpointing"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, false);
    const Scope projector(images, "connector");
    images.add(linear("modality_projection", std::max<std::int64_t>(1, z.patches() / (scale * scale)),
                      z.width * scale * scale, width));
  }
  describe_nested(f, "text_config", "llama");
}

}  // namespace

extern const FamilyDef k_idefics3;
const FamilyDef k_idefics3 = {
    "idefics3",
    "Idefics 3 and SmolVLM: a SigLIP tower, a pixel shuffle with one linear projector, a language model",
    "huggingface/transformers models/idefics3/modeling_idefics3.py, models/smolvlm; 2408.12637",
    kTypes,
    kArchitectures,
    build<describe_idefics3>};

}  // namespace floptally::families
