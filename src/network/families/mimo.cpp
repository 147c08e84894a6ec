#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mimo"};
constexpr std::string_view kArchitectures[] = {"MiMoForCausalLM"};

void describe_mimo(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.flag("attention_bias", true), false);
  const bool used = c.flag("use_sliding_window", false);
  const std::int64_t window = c.count_or("sliding_window", 0);
  if (used) set_window(attention, window);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false);
  c.understood({"max_window_layers", "use_mrope"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
  if (extra > 0 && f.extra_heads(true))
    describe_extra_heads(f, extra, s.width, s.vocabulary,
                         [&](Family& g) { describe(g, {.attention = &attention, .mlp = &mlp}); });
}

}  // namespace

extern const FamilyDef k_mimo;
const FamilyDef k_mimo = {"mimo",
                          "MiMo 7B: Qwen 2 layers with multi-token-prediction layers that the published class holds",
                          "XiaomiMiMo/MiMo-7B-Base modeling_mimo.py; 2505.07608",
                          kTypes,
                          kArchitectures,
                          build<describe_mimo>};

}  // namespace floptally::families
