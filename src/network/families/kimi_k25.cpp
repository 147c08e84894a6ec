#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"kimi_k25", "kimi_vl"};
constexpr std::string_view kArchitectures[] = {"KimiK25ForConditionalGeneration", "KimiVLForConditionalGeneration"};

void describe_kimi_k25(Family& f) {
  const Keys text = f.config.child("text_config");
  describe_moonvit(f, f.sink, text.size("hidden_size"));
  f.config.understood(
      {"use_unified_vision_chunk", "video_placeholder", "media_placeholder_token_id", "image_placeholder"});
  if (f.ok()) describe_nested(f, "text_config", "deepseek_v3");
}

}  // namespace

extern const FamilyDef k_kimi_k25;
const FamilyDef k_kimi_k25 = {"kimi_k25",
                              "Kimi K2.5 to K2.7: a DeepSeek-V3 text model and a MoonViT tower",
                              "moonshotai/Kimi-K2.5 modeling_kimi_k25.py; Kimi-VL 2504.07491",
                              kTypes,
                              kArchitectures,
                              build<describe_kimi_k25>};

}  // namespace floptally::families
