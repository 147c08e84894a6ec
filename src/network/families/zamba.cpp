#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"zamba", "zamba2"};
constexpr std::string_view kArchitectures[] = {"ZambaForCausalLM", "Zamba2ForCausalLM"};

// Mamba whose channels are cut into heads, each with its own step and state projections.
void describe_mixer(Family& f, const MambaPart& m, std::int64_t heads) {
  const std::int64_t tokens = f.tokens, part = m.inner / heads;
  const Scope scope(f.sink, "mamba");
  constexpr Component kRecurrent = Component::recurrent;
  f.sink.add(linear("in_proj", tokens, m.width, 2 * m.inner, m.bias, kRecurrent));
  f.sink.add(convolution("conv1d", m.inner, m.inner, m.inner, m.kernel, tokens, tokens, m.convolution_bias)
                 .part_of(kRecurrent));
  f.sink.add(activation("act", tokens * m.inner, Activation::silu));
  {
    const Scope each(f.sink, "heads", heads);
    f.sink.add(linear("x_proj", tokens, part, m.step_rank + 2 * m.state, false, kRecurrent));
    f.sink.add(linear("dt_proj", tokens, m.step_rank, part, true, kRecurrent));
  }
  f.sink.add(activation("softplus", tokens * m.inner, Activation::softplus));
  f.sink.add(selective_scan("scan", tokens, m.inner, m.state));
  f.sink.add(gated_activation("gate", tokens * m.inner, Activation::silu));
  f.sink.add(linear("out_proj", tokens, m.inner, m.width, m.bias, kRecurrent));
}

// The shared layer: attention over the residual beside the embedding, twice as wide, and a feed-forward layer. Zamba 2
// adds a low-rank matrix for each place where it stands.
struct Shared {
  AttentionPart attention;  // out_width: the residual's
  MlpPart mlp;
  std::int64_t rank = 0;  // 0: nothing is added to the feed-forward layer
  bool adapted = false;   // nor to queries, keys and values
};

void describe_shared(Family& f, const Shared& p, bool first) {
  const auto tied = [&](Op op) { f.sink.add(first ? op : Op(op).with(op_flags::tied)); };
  const AttentionPart& a = p.attention;
  const std::int64_t tokens = f.tokens, inner = a.heads * a.head_dim, wide = a.width, width = a.out_width;
  const auto adapter = [&](std::int64_t in, std::int64_t out, Component component) {
    f.sink.add(linear("adapter_in", tokens, in, p.rank, false, component));
    f.sink.add(linear("adapter_out", tokens, p.rank, out, false, component));
  };
  const Scope scope(f.sink, "shared_transformer");
  tied(rms_norm("input_layernorm", tokens, wide));
  tied(linear("q_proj", tokens, wide, inner, false, Component::projection));
  for (const std::string_view name : {"k_proj", "v_proj"})
    tied(linear(name, tokens, wide, a.kv_heads * a.head_dim, false, Component::projection));
  for (int i = 0; p.adapted && i < 3; ++i) adapter(wide, wide, Component::projection);
  if (a.rotary_dim > 0) f.sink.add(rotary("rotary", tokens, a.heads + a.kv_heads, a.rotary_dim));
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = a.heads;
  shape.kv_heads = a.kv_heads;
  shape.key_dim = shape.value_dim = a.head_dim;
  f.sink.add(attention("attention", shape));
  tied(linear("o_proj", tokens, inner, width, false, Component::projection));
  tied(rms_norm("pre_ff_layernorm", tokens, width));
  tied(linear("gate_up_proj", tokens, width, 2 * p.mlp.ffn, p.mlp.up_bias));
  if (p.rank > 0) adapter(width, 2 * p.mlp.ffn, Component::mlp);
  f.sink.add(gated_activation("act", tokens * p.mlp.ffn, p.mlp.activation));
  tied(linear("down_proj", tokens, p.mlp.ffn, width, p.mlp.down_bias));
}

// A hybrid layer's shared part and the matrix after it, then the mixer that every layer has.
template <class Mixer>
void describe_zamba_layer(Family& f, std::int64_t width, const Shared* shared, bool first, Mixer mixer) {
  if (shared != nullptr) {
    describe_shared(f, *shared, first);
    f.sink.add(linear("linear", f.tokens, width, width));
  }
  f.sink.add(rms_norm("input_layernorm", f.tokens, width));
  mixer();
  f.sink.add(residual(f.tokens * width));
}

void describe_zamba2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  Shared shared;
  shared.attention = attention_of(s);
  shared.attention.width = c.size_or("attention_hidden_size", 2 * s.width);
  shared.attention.out_width = s.width;
  shared.attention.head_dim = c.size_or("attention_head_dim", std::max<std::int64_t>(1, 2 * s.width / s.heads));
  shared.attention.rotary_dim = c.flag("use_mem_rope", false) ? shared.attention.head_dim : 0;
  const bool bias = c.flag("add_bias_linear", false);
  shared.mlp = mlp_of(s.width, c.size_or("intermediate_size", c.size_or("ffn_hidden_size", 4 * s.width)),
                      read_activation(f, Activation::gelu), true, bias);
  shared.rank = c.size_or("adapter_rank", c.size_or("lora_rank", 128));
  shared.adapted = c.flag("use_shared_attention_adapter", c.flag("use_shared_attention_lora", false));
  Mamba2Part mamba;
  mamba.width = s.width;
  mamba.heads = c.size("n_mamba_heads");
  const std::int64_t inner = c.assume("mamba_expand", 2) * s.width;
  c.divides("n_mamba_heads", mamba.heads, "mamba_expand", inner);
  mamba.head_dim = std::max<std::int64_t>(1, inner / mamba.heads);
  mamba.state = c.assume("mamba_d_state", 64);
  mamba.groups = c.size_or("mamba_ngroups", 1);
  mamba.kernel = c.assume("mamba_d_conv", 4);
  mamba.bias = bias;
  const std::int64_t blocks = c.assume("num_mem_blocks", 1);
  if (!c.has("layers_block_type"))
    c.problem("missing-key", "layers_block_type", "the config has no 'layers_block_type'");
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layers_block_type", "hybrid", [](std::int64_t) { return false; });
  const bool tied = read_tied(f, true);
  c.understood(
      {"chunk_size",          "ffn_hidden_size",       "lora_rank",         "mamba_headdim",    "kv_channels",
       "num_query_groups",    "num_logits_to_keep",    "hybrid_layer_ids",  "time_step_floor",  "time_step_limit",
       "time_step_max",       "time_step_min",         "use_conv_bias",     "use_mem_eff_path", "use_long_context",
       "use_shared_mlp_lora", "use_shared_block_lora", "num_hybrid_layers", "vocab_size",       "rope_theta",
       "use_mamba_kernels"});
  if (!f.ok()) return;
  // The shared blocks take turns; each one's parameters count where it stands first.
  std::int64_t seen = 0;
  for (std::uint8_t& kind : kinds)
    if (kind != 0 && seen++ < blocks) kind = 2;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe_zamba_layer(f, s.width, kind != 0 ? &shared : nullptr, kind == 2,
                         [&] { floptally::describe_mamba2(mamba, f.tokens, f.sink); });
  });
}

void describe_zamba(Family& f) {
  const Keys& c = f.config;
  if (c.text_or("model_type", "zamba") == "zamba2") return describe_zamba2(f);
  TextSizes s = read_text_sizes(f);
  const std::int64_t wide = c.size_or("attention_hidden_size", 2 * s.width);
  Shared shared;
  shared.attention = attention_of(s);
  shared.attention.width = wide;
  shared.attention.out_width = s.width;
  shared.attention.rotary_dim = 0;
  shared.attention.head_dim = c.size_or("attention_head_dim", std::max<std::int64_t>(1, 2 * s.width / s.heads));
  MambaPart mamba;
  mamba.width = s.width;
  mamba.inner = c.assume("mamba_expand", 2) * s.width;
  mamba.state = c.assume("mamba_d_state", 16);
  mamba.kernel = c.assume("mamba_d_conv", 4);
  mamba.step_rank = c.text_or("mamba_dt_rank", "auto") == "auto" ? (s.width + 15) / 16 : c.size("mamba_dt_rank");
  mamba.convolution_bias = c.flag("mamba_conv_bias", true);
  mamba.bias = c.flag("mamba_proj_bias", false);
  const std::int64_t heads = c.assume("n_mamba_heads", 2), every = c.assume("attn_layer_period", 6),
                     at = c.assume_count("attn_layer_offset", 4);
  c.divides("n_mamba_heads", heads, "mamba_expand", mamba.inner);
  shared.mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::gelu));
  // In the published order: mamba, then hybrids where the offset falls, the first at layer 2.
  std::vector<std::uint8_t> kinds = kinds_named(f, s.layers, "layers_block_type", "hybrid", [&](std::int64_t i) {
    return i == 2 || (i > 2 && i % every == at % every);
  });
  const bool tied = read_tied(f, true);
  c.understood({"use_mamba_kernels", "num_logits_to_keep", "hidden_mamba_act", "time_step_floor", "time_step_max",
                "time_step_min", "mamba_dt_rank", "use_bfloat16"});
  if (!f.ok()) return;
  bool first = true;
  for (std::uint8_t& kind : kinds)
    if (kind != 0 && first) kind = 2, first = false;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe_zamba_layer(f, s.width, kind != 0 ? &shared : nullptr, kind == 2,
                         [&] { describe_mixer(f, mamba, heads); });
  });
}

}  // namespace

extern const FamilyDef k_zamba;
const FamilyDef k_zamba = {
    "zamba",
    "Zamba 1 and 2: Mamba layers in heads, one attention layer whose parameters all its uses share, "
    "reading the embedding again",
    "huggingface/transformers models/zamba/modeling_zamba.py; 2405.16712, 2411.15242",
    kTypes,
    kArchitectures,
    build<describe_zamba>};

}  // namespace floptally::families
