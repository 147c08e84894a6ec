#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"owlvit", "owlv2"};
constexpr std::string_view kArchitectures[] = {"OwlViTForObjectDetection", "OwlViTModel", "Owlv2ForObjectDetection",
                                               "Owlv2Model"};

// What each patch says: which words it is like, where its box is, and (OWLv2) whether there is a thing at all.
void describe_findings(Sink& sink, std::int64_t patches, std::int64_t width, std::int64_t shared, bool objectness) {
  sink.add(layer_norm("layer_norm", patches, width));
  const auto stack = [&](std::string_view name, std::int64_t out) {
    const Scope scope(sink, name);
    for (const std::string_view layer : {"dense0", "dense1"}) {
      sink.add(linear(layer, patches, width, width, true, Component::head));
      sink.add(activation("gelu", patches * width, Activation::gelu));
    }
    sink.add(linear("dense2", patches, width, out, true, Component::head));
  };
  {
    const Scope classes(sink, "class_head");
    sink.add(linear("dense0", patches, width, shared, true, Component::head));
    for (const std::string_view name : {"logit_shift", "logit_scale"})
      sink.add(linear(name, patches, width, 1, true, Component::head));
    sink.add(matmul("similarity", 1, patches, shared, 1, 2, Component::head));
  }
  stack("box_head", 4);
  if (objectness) stack("objectness_head", 1);
}

void describe_owl(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture(), type = c.text_or("model_type", "owlvit");
  const Keys v = c.child("vision_config");
  if (!v.present()) c.size("vision_config");
  const bool second = type == "owlv2";
  VisionSizes z =
      read_vision(v, second ? VisionSizes{768, 12, 12, 3072, 3, 768, 16} : VisionSizes{768, 12, 12, 3072, 3, 768, 32});
  const TextTower t = read_clip_text(c.child("text_config"), 16);
  const std::int64_t shared = c.assume("projection_dim", 512);
  c.understood({"logit_scale_init_value", "projection_dim"});
  const bool detects = named.ends_with("ForObjectDetection");
  if (!named.empty() && !detects && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (!f.ok()) return;
  describe_clip_text(f.sink, t, t.positions);
  f.sink.add(linear("text_projection", 1, t.layer.width, shared, false, Component::head));
  describe_clip_tower(f.sink, z, Activation::gelu);
  f.sink.add(linear("visual_projection", 1, z.width, shared, false, Component::head));
  f.sink.add(matmul("similarity", 1, 1, shared, 1, 2, Component::head));
  f.sink.add(parameter("logit_scale", 1, 1));
  if (detects) describe_findings(f.sink, z.patches(), z.width, shared, second);
  f.remark("one text is looked for in each image");
}

}  // namespace

extern const FamilyDef k_owlvit;
const FamilyDef k_owlvit = {"owlvit",
                            "OWL-ViT and OWLv2: CLIP whose patches each name a box and the words that it is like",
                            "huggingface/transformers models/owlvit/modeling_owlvit.py, models/owlv2; 2205.06230, "
                            "2306.09683",
                            kTypes,
                            kArchitectures,
                            build<describe_owl>,
                            "image"};

}  // namespace floptally::families
