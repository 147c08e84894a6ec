#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"kimi_k3"};
constexpr std::string_view kArchitectures[] = {"KimiK3ForConditionalGeneration"};

void describe_kimi_k3(Family& f) {
  const Keys text = f.config.child("text_config");
  describe_moonvit(f, f.sink, text.size("hidden_size"));
  f.config.understood(
      {"image_placeholder", "media_placeholder_token_id", "use_unified_vision_chunk", "video_placeholder"});
  if (f.ok()) describe_nested(f, "text_config", "kimi_linear");
}

}  // namespace

extern const FamilyDef k_kimi_k3;
const FamilyDef k_kimi_k3 = {"kimi_k3",
                             "Kimi K3: a Kimi Linear text model with residual banks and a MoonViT tower",
                             "moonshotai/Kimi-K3 config.json; NVIDIA-NeMo/Megatron-Bridge models/kimi; vision tower as "
                             "MoonViT3D, patch merger v2",
                             kTypes,
                             kArchitectures,
                             build<describe_kimi_k3>};

}  // namespace floptally::families
