#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"olmo_hybrid"};
constexpr std::string_view kArchitectures[] = {"OlmoHybridForCausalLM"};

DeltaNetPart read_delta(const Keys& c, const TextSizes& s) {
  DeltaNetPart d;
  d.width = s.width;
  d.key_heads = c.size_or("linear_num_key_heads", s.heads);
  d.heads = c.size_or("linear_num_value_heads", s.heads);
  d.key_dim = c.size_or("linear_key_head_dim", std::max<std::int64_t>(1, 3 * s.width / (4 * d.key_heads)));
  d.value_dim = c.size_or("linear_value_head_dim", 2 * d.key_dim);
  d.kernel = c.assume("linear_conv_kernel_dim", 4);
  c.divides("linear_num_key_heads", d.key_heads, "linear_num_value_heads", d.heads);
  return d;
}

void describe_olmo_hybrid(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.qk_norm = QkNorm::whole;
  if (!c.child("rope_parameters").has("rope_theta") && !c.has("rope_theta")) attention.rotary_dim = 0;
  const DeltaNetPart delta = read_delta(c, s);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "full", [](std::int64_t i) { return i % 4 == 3; });
  const bool any = std::any_of(kinds.begin(), kinds.end(), [](std::uint8_t k) { return k != 0; });
  if (!any && !kinds.empty() && !c.has("layer_types")) kinds.back() = 1;
  const bool tied = read_tied(f, false);
  c.understood({"linear_a_log_min", "linear_a_log_max", "linear_dt_min", "linear_dt_max", "linear_dt_init_floor",
                "linear_allow_neg_eigval", "linear_use_gate"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t full) {
    if (full != 0) return describe(f, {.attention = &attention, .mlp = &mlp, .residuals = Residuals::post_norm});
    describe_mixing(
        f, s.width, [&] { describe_delta_net(delta, f.tokens, f.sink); }, "post_attention_layernorm", nullptr, &mlp);
  });
}

}  // namespace

extern const FamilyDef k_olmo_hybrid;
const FamilyDef k_olmo_hybrid = {"olmo_hybrid",
                                 "OLMo Hybrid: three layers with the gated delta rule to one of OLMo 3's attention",
                                 "huggingface/transformers models/olmo_hybrid/modeling_olmo_hybrid.py",
                                 kTypes,
                                 kArchitectures,
                                 build<describe_olmo_hybrid>};

}  // namespace floptally::families
