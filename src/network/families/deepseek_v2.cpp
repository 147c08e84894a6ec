#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v2", "deepseek"};
constexpr std::string_view kArchitectures[] = {"DeepseekV2ForCausalLM", "DeepseekForCausalLM"};

void describe_deepseek_v2(Family& f) {
  const DeepSeek d = read_deepseek(f);
  const std::vector<std::uint8_t> routed = routed_layers(f, d.sizes.layers);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, d.sizes, routed, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f, {.attention = &d.attention, .mlp = &d.mlp, .moe = kind != 0 ? &d.moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_deepseek_v2;
const FamilyDef k_deepseek_v2 = {
    "deepseek_v2",
    "DeepSeekMoE, DeepSeek-V2 and V2-Lite: latent attention since V2, shared and routed experts, first layers dense",
    "huggingface/transformers models/deepseek_v2/modeling_deepseek_v2.py; deepseek-moe-16b modeling_deepseek.py; "
    "2405.04434",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v2>};

}  // namespace floptally::families
