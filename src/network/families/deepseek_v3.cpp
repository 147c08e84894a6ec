#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v3", "kimi_k2", "moonlight", "axk1", "mistral4"};
constexpr std::string_view kArchitectures[] = {"DeepseekV3ForCausalLM", "AXK1ForCausalLM", "Mistral4ForCausalLM"};

void describe_deepseek_v3(Family& f) {
  const Keys& c = f.config;
  DeepSeek d = read_deepseek(f);
  const std::string_view type = c.text_or("model_type", "deepseek_v3");
  // Mistral 4 routes by softmax, without a bias; A.X K1 norms what its experts give.
  d.moe.correction_bias = c.text_or("topk_method", "noaux_tc") == "noaux_tc" && type != "mistral4";
  const std::vector<std::uint8_t> routed = routed_layers(f, d.sizes.layers);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  if (!f.ok()) return;
  const auto layer = [&](Family& g, bool experts) {
    describe(g, {.attention = &d.attention, .mlp = &d.mlp, .moe = experts ? &d.moe : nullptr});
    if (type == "axk1" && experts) g.sink.add(rms_norm("post_mlp_layernorm", g.tokens, d.sizes.width));
  };
  describe_decoder(f, d.sizes, routed, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind != 0); });
  describe_or_remark_extra_heads(f, extra, extra_described, d.sizes, [&](Family& inner) { layer(inner, true); });
}

}  // namespace

extern const FamilyDef k_deepseek_v3;
const FamilyDef k_deepseek_v3 = {
    "deepseek_v3",
    "DeepSeek-V3 and R1, Kimi K2, Moonlight, A.X K1, Mistral 4: latent attention, sigmoid router with a balancing bias",
    "huggingface/transformers models/deepseek_v3/modeling_deepseek_v3.py; models/axk1, "
    "models/mistral4; deepseek-ai/DeepSeek-V3 inference/model.py; 2412.19437",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v3>};

}  // namespace floptally::families
