#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"ernie4_5", "ernie4_5_moe"};
constexpr std::string_view kArchitectures[] = {"Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM", "Ernie4_5_MoeForCausalLM",
                                               "Ernie4_5_MoEForCausalLM"};

void describe_ernie4_5(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("use_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true, bias);
  MoePart moe;
  std::vector<std::uint8_t> sparse = layer_kinds(f, s.layers);
  const bool routed = c.has("moe_num_experts");
  if (routed) {
    moe.width = s.width;
    moe.experts = c.size("moe_num_experts");
    moe.top_k = c.size("moe_k");
    moe.expert_ffn = c.size("moe_intermediate_size");
    moe.shared_ffn = c.count_or("moe_num_shared_experts", 0) * moe.expert_ffn;
    moe.correction_bias = c.flag("moe_use_aux_free", true);
    if (bias) c.problem("unknown-variant", "use_bias", "experts with biases are not known here");
    check_experts(f, moe, "moe_num_experts", "moe_k");
    const std::int64_t first = c.count_or("moe_layer_start_index", 1),
                       last = c.config().size_if({"moe_layer_end_index"}, -1, -1),
                       every = c.size_or("moe_layer_interval", 1);
    for (std::size_t i = 0; i < sparse.size(); ++i) {
      const auto layer = static_cast<std::int64_t>(i);
      sparse[i] = (layer + 1) % every == 0 && layer >= first && (last < 0 || layer <= last);
    }
  }
  const bool tied = read_tied(f, true);
  c.understood({"moe_capacity", "moe_norm_min", "moe_gate", "moe_use_aux_free", "num_nextn_predict_layers"});
  if (!f.ok()) return;
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t experts) {
    describe(f, {.attention = &attention, .mlp = &mlp, .moe = experts != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_ernie4_5;
const FamilyDef k_ernie4_5 = {"ernie4_5",
                              "ERNIE 4.5: Llama layers, dense or with experts after the first layers",
                              "huggingface/transformers models/ernie4_5, models/ernie4_5_moe",
                              kTypes,
                              kArchitectures,
                              build<describe_ernie4_5>};

}  // namespace floptally::families
