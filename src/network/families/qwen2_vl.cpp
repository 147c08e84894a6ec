#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen2_vl", "qwen2_5_vl"};
constexpr std::string_view kArchitectures[] = {"Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"};

void describe_qwen2_vl(Family& f) {
  const bool inside = f.config.has("text_config");
  describe_qwen2_tower(f, f.sink,
                       inside ? f.config.child("text_config").size("hidden_size") : f.config.size("hidden_size"));
  if (!f.ok()) return;
  if (inside) return describe_nested(f, "text_config", "qwen2");
  Config config = f.config.config();  // the older configs keep the text model's keys at the top
  find_family("qwen2", {})->build(config, f.inputs, f.sink);
}

}  // namespace

extern const FamilyDef k_qwen2_vl;
const FamilyDef k_qwen2_vl = {"qwen2_vl",
                              "Qwen2-VL and Qwen2.5-VL: a Qwen 2 text model and a vision tower",
                              "huggingface/transformers models/qwen2_vl, models/qwen2_5_vl",
                              kTypes,
                              kArchitectures,
                              build<describe_qwen2_vl>};

}  // namespace floptally::families
