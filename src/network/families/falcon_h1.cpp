#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"falcon_h1"};
constexpr std::string_view kArchitectures[] = {"FalconH1ForCausalLM"};

Mamba2Part read_mamba2(Family& f, std::int64_t width) {
  const Keys& c = f.config;
  Mamba2Part m;
  m.width = width;
  m.heads = c.size("mamba_n_heads");
  const std::int64_t inner = c.has("mamba_d_ssm") ? c.size("mamba_d_ssm") : c.size_or("mamba_expand", 2) * width;
  m.head_dim =
      c.text_or("mamba_d_head", "auto") == "auto" ? std::max<std::int64_t>(1, inner / m.heads) : c.size("mamba_d_head");
  m.state = c.size("mamba_d_state");
  m.groups = c.size_or("mamba_n_groups", 1);
  m.kernel = c.size_or("mamba_d_conv", 4);
  m.convolution_bias = c.flag("mamba_conv_bias", true);
  m.bias = c.flag("mamba_proj_bias", false);
  m.gated_norm = c.flag("mamba_rms_norm", false);
  if (m.heads * m.head_dim != inner)
    c.problem("shape-divide", "mamba_n_heads", "'mamba_n_heads' times 'mamba_d_head' is not the width of the mixer");
  c.understood({"mamba_d_head"});
  return m;
}

void describe_falcon_h1(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const Mamba2Part mamba = read_mamba2(f, s.width);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true,
                             c.flag("mlp_bias", false));
  if (c.flag("projectors_bias", false) != mamba.bias)
    c.problem("unknown-variant", "projectors_bias", "'projectors_bias' other than 'mamba_proj_bias' is not known");
  const bool tied = read_tied(f, false);
  c.understood({"attention_in_multiplier", "attention_out_multiplier", "embedding_multiplier", "key_multiplier",
                "lm_head_multiplier",      "mamba_chunk_size",         "mamba_expand",         "mamba_norm_before_gate",
                "mamba_use_mlp",           "mlp_expansion_factor",     "mlp_multipliers",      "num_logits_to_keep",
                "projectors_bias",         "ssm_in_multiplier",        "ssm_multipliers",      "ssm_out_multiplier",
                "attn_layer_indices",      "mlp_expansion_factor",     "time_step_floor",      "time_step_max",
                "time_step_min",           "time_step_rank",           "conv_kernel"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    f.sink.add(rms_norm("input_layernorm", f.tokens, s.width));
    {
      const Scope sides(f.sink, {}, 1, BlockKind::branches);
      {
        const Scope left(f.sink, {});
        describe_mamba2(mamba, f.tokens, f.sink);
      }
      const Scope right(f.sink, {});
      describe_attention(attention, f.tokens, f.sink);
    }
    f.sink.add(residual(2 * f.tokens * s.width));
    f.sink.add(rms_norm("pre_ff_layernorm", f.tokens, s.width));
    describe_mlp(mlp, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_falcon_h1;
const FamilyDef k_falcon_h1 = {"falcon_h1",
                               "Falcon H1: Mamba-2 and grouped attention side by side in every layer",
                               "huggingface/transformers models/falcon_h1/modeling_falcon_h1.py; 2507.22448",
                               kTypes,
                               kArchitectures,
                               build<describe_falcon_h1>};

}  // namespace floptally::families
