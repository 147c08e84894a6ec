#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3_vl", "qwen3_vl_moe"};
constexpr std::string_view kArchitectures[] = {"Qwen3VLForConditionalGeneration", "Qwen3VLMoeForConditionalGeneration"};

void describe_qwen3_vl(Family& f) {
  describe_qwen_tower(f, f.sink);
  describe_nested(f, "text_config", "qwen3");
}

}  // namespace

extern const FamilyDef k_qwen3_vl;
const FamilyDef k_qwen3_vl = {
    "qwen3_vl",
    "Qwen3-VL: a Qwen 3 text model, dense or with experts, and a vision tower that feeds several layers",
    "huggingface/transformers models/qwen3_vl, models/qwen3_vl_moe",
    kTypes,
    kArchitectures,
    build<describe_qwen3_vl>};

}  // namespace floptally::families
