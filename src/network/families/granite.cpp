#include "network/blocks/mixers.h"
#include "network/families/_common.h"
#include "network/families/_mamba2.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"granite",     "granitemoe",     "granitemoeshared", "granitemoehybrid",
                                       "granite_swa", "granitemoe_swa", "hyperclovax"};
constexpr std::string_view kArchitectures[] = {
    "GraniteForCausalLM",    "GraniteMoeForCausalLM",    "GraniteMoeSharedForCausalLM", "GraniteMoeHybridForCausalLM",
    "GraniteSWAForCausalLM", "GraniteMoeSWAForCausalLM", "HyperCLOVAXForCausalLM"};

void describe_granite(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  if (c.text_or("position_embedding_type", "rope") == "nope") attention.rotary_dim = 0;
  const std::string_view type = c.text_or("model_type", "");
  const bool hybrid = type == "granitemoehybrid", windows = type.ends_with("_swa");
  attention.sinks = windows;
  const Mamba2Part mamba = hybrid ? read_mamba2(c, s.width) : Mamba2Part{};
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.count_or("num_local_experts", 0);
  moe.activation = read_activation(f, Activation::silu);
  const std::int64_t shared = c.count_or("shared_intermediate_size", 0);
  if (moe.experts > 0) {
    moe.top_k = c.size("num_experts_per_tok");
    moe.expert_ffn = c.size("intermediate_size");
    moe.shared_ffn = shared;
    check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  }
  const MlpPart mlp =
      mlp_of(s.width, hybrid ? shared : c.size("intermediate_size"), moe.activation, true, c.flag("mlp_bias", false));
  const std::vector<std::uint8_t> kinds = kinds_named(f, s.layers, "layer_types", windows ? "sliding" : "mamba",
                                                      [&](std::int64_t i) { return windows && i % 4 != 0; });
  AttentionPart windowed = attention;
  if (windows) set_window(windowed, c.assume("sliding_window", 128));
  const bool tied = read_tied(f, moe.experts > 0 || type == "granite_swa");
  // HyperCLOVA X may norm what a sublayer gives, too.
  const Residuals norms = c.flag("use_post_norm", false) ? Residuals::sandwich : Residuals::pre_norm;
  c.understood({"attention_multiplier", "embedding_multiplier", "logits_scaling", "residual_multiplier",
                "mamba_chunk_size", "normalization_function", "num_experts_per_tok", "intermediate_size",
                "mamba_d_head", "router_aux_loss_coef", "layer_rope_theta"});
  if (hybrid && moe.experts == 0 && shared == 0)
    c.problem("missing-key", "shared_intermediate_size",
              "the config has neither experts nor 'shared_intermediate_size'");
  if (!f.ok()) return;
  const MoePart* routed = moe.experts > 0 ? &moe : nullptr;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t recurrent) {
    if (recurrent == 0 || windows)
      return describe(
          f, {.attention = recurrent != 0 ? &windowed : &attention, .mlp = &mlp, .moe = routed, .residuals = norms});
    describe_mixing(
        f, s.width, [&] { describe_mamba2(mamba, f.tokens, f.sink); }, "post_attention_layernorm", routed, &mlp);
  });
}

}  // namespace

extern const FamilyDef k_granite;
const FamilyDef k_granite = {
    "granite",
    "Granite 3 and 4, Granite Swash, HyperCLOVA X: Llama layers with multipliers, experts, shared feed-forward, "
    "Mamba-2 "
    "layers; windows and sinks in Swash",
    "huggingface/transformers models/granite, granitemoe, granitemoeshared, granitemoehybrid, granite_swa, "
    "granitemoe_swa, hyperclovax",
    kTypes,
    kArchitectures,
    build<describe_granite>};

}  // namespace floptally::families
