#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v3", "kimi_k2", "moonlight"};
constexpr std::string_view kArchitectures[] = {"DeepseekV3ForCausalLM"};

void describe_deepseek_v3(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  AttentionPart attention;
  attention.width = s.width;
  attention.heads = s.heads;
  read_latent(f, attention);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  MoePart moe = read_deepseek_experts(f, s.width);

  moe.correction_bias = c.text_or("topk_method", "noaux_tc") == "noaux_tc";
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  const std::int64_t dense = c.count_or("first_k_dense_replace", 0), every = c.size_or("moe_layer_freq", 1);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  std::vector<std::uint8_t> sparse = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < sparse.size(); ++i) {
    const auto layer = static_cast<std::int64_t>(i);
    sparse[i] = layer >= dense && layer % every == 0;
  }
  if (!f.ok()) return;
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) {
    describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed != 0 ? &moe : nullptr});
  });
  if (extra > 0 && !extra_described) remark_extra_heads(f, extra);
  if (extra > 0 && extra_described)
    describe_extra_heads(f, extra, s.width, s.vocabulary,
                         [&](Family& inner) { describe(inner, {.attention = &attention, .moe = &moe}); });
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
