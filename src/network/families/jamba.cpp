#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"jamba"};
constexpr std::string_view kArchitectures[] = {"JambaForCausalLM"};

void describe_jamba(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = 0;
  MambaPart mamba;
  mamba.width = s.width;
  mamba.inner = c.assume("mamba_expand", 2) * s.width;
  mamba.state = c.assume("mamba_d_state", 16);
  mamba.kernel = c.assume("mamba_d_conv", 4);
  mamba.step_rank = c.text_or("mamba_dt_rank", "auto") == "auto" ? (s.width + 15) / 16 : c.size("mamba_dt_rank");
  mamba.convolution_bias = c.flag("mamba_conv_bias", true);
  mamba.bias = c.flag("mamba_proj_bias", false);
  mamba.inner_norms = true;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.assume("num_experts", 16);
  moe.top_k = c.assume("num_experts_per_tok", 2);
  moe.expert_ffn = c.size("intermediate_size");
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_experts", "num_experts_per_tok");
  const MlpPart mlp = mlp_of(s.width, moe.expert_ffn, moe.activation);
  const std::int64_t attention_every = std::max<std::int64_t>(1, c.assume("attn_layer_period", 8)),
                     attention_at = c.assume_count("attn_layer_offset", 4);
  const std::int64_t experts_every = std::max<std::int64_t>(1, c.assume("expert_layer_period", 2)),
                     experts_at = c.assume_count("expert_layer_offset", 1);
  std::vector<std::uint8_t> kinds = layer_kinds(f, s.layers);  // bit 0 routed experts, bit 1 attention
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto layer = static_cast<std::int64_t>(i);
    kinds[i] = static_cast<std::uint8_t>((moe.experts > 1 && layer % experts_every == experts_at ? 1 : 0) |
                                         (layer % attention_every == attention_at ? 2 : 0));
  }
  const bool tied = read_tied(f, false);
  c.understood({"use_mamba_kernels", "num_logits_to_keep", "mamba_inner_layernorms", "sliding_window", "mamba_dt_rank",
                "calc_logits_for_entire_prompt"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    const MoePart* routed = (kind & 1U) != 0 ? &moe : nullptr;
    if ((kind & 2U) != 0) return describe(f, {.attention = &attention, .mlp = &mlp, .moe = routed});
    describe_mixing(
        f, s.width, [&] { describe_mamba(mamba, f.tokens, f.sink); }, "pre_ff_layernorm", routed, &mlp);
  });
}

}  // namespace

extern const FamilyDef k_jamba;
const FamilyDef k_jamba = {"jamba",
                           "Jamba: Mamba layers with an attention layer in every eight, experts in every second",
                           "huggingface/transformers models/jamba/modeling_jamba.py; 2403.19887",
                           kTypes,
                           kArchitectures,
                           build<describe_jamba>};

}  // namespace floptally::families
