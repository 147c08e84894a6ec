#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v3", "kimi_k2", "moonlight"};
constexpr std::string_view kArchitectures[] = {"DeepseekV3ForCausalLM"};

void describe_deepseek_v3(Family& f) {
  const Keys& c = f.config;
  DeepSeek d = read_deepseek(f);
  d.moe.correction_bias = c.text_or("topk_method", "noaux_tc") == "noaux_tc";
  const std::vector<std::uint8_t> routed = routed_layers(f, d.sizes.layers);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  if (!f.ok()) return;
  describe_decoder(f, d.sizes, routed, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f, {.attention = &d.attention, .mlp = &d.mlp, .moe = kind != 0 ? &d.moe : nullptr});
  });
  describe_or_remark_extra_heads(f, extra, extra_described, d.sizes,
                                 [&](Family& inner) { describe(inner, {.attention = &d.attention, .moe = &d.moe}); });
}

}  // namespace

extern const FamilyDef k_deepseek_v3;
const FamilyDef k_deepseek_v3 = {
    "deepseek_v3",
    "DeepSeek-V3 and R1, Kimi K2, Moonlight: latent attention, sigmoid router with a balancing bias",
    "huggingface/transformers models/deepseek_v3/modeling_deepseek_v3.py; deepseek-ai/DeepSeek-V3 inference/model.py; "
    "2412.19437",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v3>};

}  // namespace floptally::families
