#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"laguna"};
constexpr std::string_view kArchitectures[] = {"LagunaForCausalLM"};

// Attention whose heads are each scaled by a softplus of the input; layers differ in how many heads they have.
struct Variant {
  std::int64_t heads = 1;
  std::uint8_t sliding = 0, sparse = 0;
  friend bool operator==(const Variant&, const Variant&) = default;
};

struct Laguna {
  TextSizes sizes;
  AttentionPart full, windowed;
  MlpPart mlp;
  MoePart moe;
  std::vector<Variant> variants;    // those that there are
  std::vector<std::uint8_t> kinds;  // of each layer, into `variants`
};

std::int64_t rotated(const Keys& ropes, std::string_view key, std::int64_t head_dim, double absent) {
  return static_cast<std::int64_t>(ropes.child(key).ratio_or("partial_rotary_factor", ropes.present() ? 1.0 : absent) *
                                   static_cast<double>(head_dim));
}

void read_variants(Family& f, Laguna& m) {
  const Keys& c = f.config;
  const std::vector<std::int64_t> heads = c.config().sizes({"num_attention_heads_per_layer"});
  const std::vector<std::uint8_t> sliding = kinds_named(f, m.sizes.layers, "layer_types", "sliding",
                                                        [](std::int64_t) { return false; }),
                                  sparse = kinds_named(f, m.sizes.layers, "mlp_layer_types", "sparse",
                                                       [](std::int64_t i) { return i > 0; });
  if (!heads.empty() && heads.size() < sliding.size())
    return c.problem("missing-key", "num_attention_heads_per_layer",
                     "'num_attention_heads_per_layer' has " + std::to_string(heads.size()) + " entries for " +
                         std::to_string(m.sizes.layers) + " layers");
  constexpr std::size_t kMost = 256;
  for (std::size_t i = 0; i < sliding.size() && f.ok(); ++i) {
    const Variant one{heads.empty() ? m.sizes.heads : heads[i], sliding[i], sparse[i]};
    const auto at = std::find(m.variants.begin(), m.variants.end(), one);
    m.kinds.push_back(static_cast<std::uint8_t>(at - m.variants.begin()));
    if (at != m.variants.end()) continue;
    c.divides("num_key_value_heads", m.sizes.kv_heads, "num_attention_heads_per_layer", one.heads);
    if (one.heads < 1 || m.variants.size() + 1 == kMost)
      c.problem("out-of-range", "num_attention_heads_per_layer", "layers must have 1 head or more, in few variants");
    m.variants.push_back(one);
  }
}

Laguna read_laguna(Family& f) {
  const Keys& c = f.config;
  Laguna m;
  m.sizes = read_text_sizes(f);
  m.full = attention_of(m.sizes);
  const bool bias = c.flag("attention_bias", false);
  set_bias(m.full, bias, bias);
  m.full.qk_norm = QkNorm::per_head;
  m.windowed = m.full;
  const Keys ropes = c.child("rope_parameters");
  m.full.rotary_dim = rotated(ropes, "full_attention", m.sizes.head_dim, 0.5);
  m.windowed.rotary_dim = rotated(ropes, "sliding_attention", m.sizes.head_dim, 1);
  set_window(m.windowed, c.assume("sliding_window", 512));
  m.mlp = mlp_of(m.sizes.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  m.moe.width = m.sizes.width;
  m.moe.experts = c.size("num_experts");
  m.moe.top_k = c.size("num_experts_per_tok");
  m.moe.expert_ffn = c.size("moe_intermediate_size");
  m.moe.shared_ffn = c.size("shared_expert_intermediate_size");
  m.moe.correction_bias = true;
  m.moe.activation = m.mlp.activation;
  check_experts(f, m.moe, "num_experts", "num_experts_per_tok");
  c.understood({"moe_routed_scaling_factor", "moe_apply_router_weight_on_input", "moe_router_logit_softcapping",
                "gating", "output_router_logits"});
  read_variants(f, m);
  return m;
}

void describe_laguna(Family& f) {
  const Laguna m = read_laguna(f);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  const std::int64_t width = m.sizes.width, tokens = f.tokens;
  describe_decoder(f, m.sizes, m.kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    const Variant& variant = m.variants[kind];
    AttentionPart attention = variant.sliding != 0 ? m.windowed : m.full;
    attention.heads = variant.heads;
    const auto mixer = [&] {
      const Scope scope(f.sink, {}, 1, BlockKind::branches);
      describe_attention(attention, tokens, f.sink);
      const Scope gate(f.sink, {});
      f.sink.add(column_linear("g_proj", tokens, width, variant.heads, false, Component::projection)
                     .with(op_flags::shared_input));
      f.sink.add(activation("gate", tokens * variant.heads, Activation::softplus));
      const std::int64_t given = tokens * variant.heads * m.sizes.head_dim;
      f.sink.add(elementwise("gated", given, 2, 1, given));
    };
    describe_mixing(f, width, mixer, "post_attention_layernorm", variant.sparse != 0 ? &m.moe : nullptr, &m.mlp);
  });
}

}  // namespace

extern const FamilyDef k_laguna;
const FamilyDef k_laguna = {
    "laguna",
    "Poolside Laguna: heads gated one by one, a number of heads for each layer, windows, one shared expert",
    "huggingface/transformers models/laguna/modeling_laguna.py",
    kTypes,
    kArchitectures,
    build<describe_laguna>};

}  // namespace floptally::families
