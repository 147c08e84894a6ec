#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"openmoe"};
constexpr std::string_view kArchitectures[] = {"OpenMoeForCausalLM"};

// The gate is twice as wide as the layer inside: the class halves it, takes x1 * silu(x2), and multiplies by `up`
// after.
void describe_act(std::int64_t elements, Sink& sink) {
  sink.add(gated_activation("act_fn", elements, Activation::silu));
  sink.add(elementwise("times_up", elements, 2, 1, 2));
}

void describe_wide_mlp(std::string_view name, std::int64_t tokens, std::int64_t width, std::int64_t inner, Sink& sink) {
  const Scope scope(sink, name);
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    sink.add(column_linear("gate_proj", tokens, width, 2 * inner));
    sink.add(column_linear("up_proj", tokens, width, inner).with(op_flags::shared_input));
  }
  describe_act(tokens * inner, sink);
  sink.add(row_linear("down_proj", tokens, inner, width));
}

void describe_wide_moe(const MoePart& moe, std::int64_t tokens, Sink& sink) {
  const Scope scope(sink, "mlp");
  const std::int64_t rows = routed_rows(moe, tokens), inner = moe.expert_ffn;
  const auto matrices = [&](std::string_view name, std::int64_t in, std::int64_t out, int split) {
    return grouped_linear(name, rows, in, out, false, moe.experts, moe.top_k).split({split});
  };
  sink.add(linear("gate", tokens, moe.width, moe.experts, false, Component::router));
  {
    const Scope experts(sink, "experts");
    {
      const Scope branches(sink, {}, 1, BlockKind::branches);
      sink.add(matrices("wi_gate", moe.width, 2 * inner, 2));
      sink.add(matrices("wi_up", moe.width, inner, 2).with(op_flags::shared_input));
    }
    describe_act(rows * inner, sink);
    sink.add(matrices("wo", inner, moe.width, 1));
  }
  sink.add(routing("routing", tokens, moe.experts, moe.top_k, moe.width));
}

// Every few layers experts stand in the place of the feed-forward layer, which follows them with a norm of its own.
void describe_openmoe(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  const AttentionPart attention = attention_of(s);
  const std::int64_t inner = c.size("intermediate_size"), every = c.has("moe_layer_interval")
                                                                      ? c.size("moe_layer_interval")
                                                                      : c.assume("moe_layer_interval", 6);
  if (c.text_or("hidden_act", "swiglu") != "swiglu")
    c.problem("unknown-variant", "hidden_act", "only 'swiglu' is known here");
  if (!c.flag("mlp_gated", c.flag("gated", true)))
    c.problem("unknown-variant", "gated", "only gated experts are known here");
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.has("router_topk") ? c.size("router_topk") : c.assume("topk", 2);
  moe.expert_ffn = inner;
  check_experts(f, moe, "num_experts", "topk");
  std::vector<std::uint8_t> kinds = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = (static_cast<std::int64_t>(i) + 1) % every == 0 ? 1 : 0;
  const bool tied = read_tied(f, false);
  c.understood({"capacity_factor_train",
                "capacity_factor_eval",
                "min_capacity",
                "noisy_policy",
                "drop_tks",
                "expert_parallel",
                "router_capacity_factor_train",
                "router_capacity_factor_eval",
                "router_min_capacity",
                "router_noisy_policy",
                "router_drop_tks",
                "router_aux_loss_factor",
                "router_z_loss_factor",
                "label_smoothing",
                "z_loss_factor",
                "enable_load_balance",
                "load_balance_tolerance",
                "load_balance_beam_width",
                "load_balance_group_swap_factor",
                "enable_kernel",
                "enable_comm_overlap",
                "enable_hierarchical_alltoall",
                "pretraining_tp",
                "gated",
                "rope_scaling"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t routed) {
    const auto feed_forward = [&](std::string_view norm, auto mlp) {
      f.sink.add(rms_norm(norm, f.tokens, s.width));
      mlp();
      f.sink.add(residual(f.tokens * s.width));
    };
    const auto dense = [&](std::string_view name) { describe_wide_mlp(name, f.tokens, s.width, inner, f.sink); };
    f.sink.add(rms_norm("input_layernorm", f.tokens, s.width));
    describe_attention(attention, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
    if (routed == 0) return feed_forward("post_attention_layernorm", [&] { dense("mlp"); });
    feed_forward("post_attention_layernorm", [&] { describe_wide_moe(moe, f.tokens, f.sink); });
    feed_forward("pre_extra_mlp_layernorm", [&] { dense("extra_mlp"); });
  });
}

}  // namespace

extern const FamilyDef k_openmoe;
const FamilyDef k_openmoe = {"openmoe",
                             "OpenMoE: in every sixth layer experts, and behind them one feed-forward layer more",
                             "hpcaitech/ColossalAI colossalai/legacy/moe/openmoe/model/modeling_openmoe.py; 2402.01739",
                             kTypes,
                             kArchitectures,
                             build<describe_openmoe>};

}  // namespace floptally::families
