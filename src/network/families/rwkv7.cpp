#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"rwkv7"};
constexpr std::string_view kArchitectures[] = {"RWKV7ForCausalLM", "RWKV7Model"};

struct Ranks {
  std::int64_t decay = 64, rate = 64, value = 32, gate = 128;
};

// Two small matrices between the width and itself; a bias behind them where `shifted`.
void describe_low_rank(Family& f, std::string_view name, std::int64_t width, std::int64_t rank, Activation between,
                       bool shifted) {
  const Scope scope(f.sink, name);
  f.sink.add(linear("lora.0", f.tokens, width, rank, false, Component::recurrent));
  if (between != Activation::identity) f.sink.add(activation("act", f.tokens * rank, between));
  f.sink.add(linear("lora.2", f.tokens, rank, width, shifted, Component::recurrent));
}

void describe_time_mixing(Family& f, std::int64_t width, std::int64_t heads, const Ranks& r, bool first) {
  const std::int64_t tokens = f.tokens, all = tokens * width, head_dim = width / heads;
  constexpr Component kPart = Component::recurrent;
  const Scope scope(f.sink, "attn");
  f.sink.add(parameter("x_mix", 6 * width, 6 * all));  // six blends of this token and the one before
  {
    const Scope branches(f.sink, {}, 1, BlockKind::branches);
    for (const std::string_view name : {"r_proj", "k_proj", "v_proj"})
      f.sink.add(column_linear(name, tokens, width, width, false, kPart));
  }
  describe_low_rank(f, "w_lora", width, r.decay, Activation::tanh, true);
  describe_low_rank(f, "a_lora", width, r.rate, Activation::identity, true);
  if (!first) describe_low_rank(f, "v_lora", width, r.value, Activation::identity, true);
  describe_low_rank(f, "g_lora", width, r.gate, Activation::sigmoid, false);
  f.sink.add(parameter("k_k", 2 * width, 2 * all, kPart));  // what keys are removed by, and how much of them is kept
  f.sink.add(elementwise("l2_norm", all, 1, 4, all).part_of(kPart));
  // A matrix a head, decayed by channel, erased along one direction and written: the delta rule with vectors.
  f.sink.add(delta_rule("wkv", tokens, heads, heads, head_dim, head_dim, 0));
  f.sink.add(group_norm("g_norm", width, tokens, heads));
  f.sink.add(parameter("r_k", width, all, kPart));
  f.sink.add(elementwise("bonus", all, 4, 4, 2 * all).part_of(kPart));
  f.sink.add(elementwise("gate", all, 2, 1, 2 * all));
  f.sink.add(row_linear("o_proj", tokens, width, width, false, kPart));
}

void describe_channel_mixing(Family& f, std::int64_t width, std::int64_t inner) {
  const Scope scope(f.sink, "ffn");
  f.sink.add(parameter("x_k", width, f.tokens * width));
  f.sink.add(column_linear("key", f.tokens, width, inner));
  f.sink.add(activation("act", f.tokens * inner, Activation::relu_squared));
  f.sink.add(row_linear("value", f.tokens, inner, width));
}

void describe_rwkv7(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), layers = c.size("num_hidden_layers"),
                     vocabulary = c.size("vocab_size"), head_dim = c.assume("head_dim", 64);
  const double ratio = c.ratio_or("hidden_ratio", 4);
  const std::int64_t inner = c.size_or(
      "intermediate_size", std::max<std::int64_t>(1, static_cast<std::int64_t>(ratio * static_cast<double>(width))));
  // Their rules changed between releases: the config must say them.
  const Ranks ranks{c.size("decay_low_rank_dim"), c.size("a_low_rank_dim"), c.size("v_low_rank_dim"),
                    c.size("gate_low_rank_dim")};
  c.divides("head_dim", head_dim, "hidden_size", width);
  if (c.has("attn")) c.problem("unknown-variant", "attn", "layers of attention between those of RWKV are not known");
  if (!c.flag("norm_bias", true)) c.problem("unknown-variant", "norm_bias", "norms without biases are not known here");
  if (c.has("num_heads") && c.size("num_heads") * head_dim != width)
    c.problem("shape-range", "num_heads", "'num_heads' times 'head_dim' must be 'hidden_size'");
  const bool first = c.flag("norm_first", true), tied = read_tied(f, false);
  for (const Node entry : c.node("value_dim"))
    if (entry.as_integer() && *entry.as_integer() != Integer(width))
      c.problem("unknown-variant", "value_dim", "values of another width than 'hidden_size' are not known");
  c.understood({"attn_mode", "fuse_cross_entropy", "fuse_norm", "fuse_linear_cross_entropy", "hidden_act", "norm_eps",
                "num_heads", "value_dim", "use_l2warp", "norm_first"});
  f.sequence(c.size_or("max_position_embeddings", 2048));
  if (!f.ok()) return;
  describe_embedding(f, vocabulary, width, "embeddings");
  for (const bool start : {true, false}) {
    if (!start && layers == 1) continue;
    const Scope scope(f.sink, "layers", start ? 1 : layers - 1, BlockKind::layer);
    if (start && first) f.sink.add(layer_norm("pre_norm", f.tokens, width));
    f.sink.add(layer_norm("attn_norm", f.tokens, width));
    describe_time_mixing(f, width, width / head_dim, ranks, start);
    f.sink.add(residual(f.tokens * width));
    f.sink.add(layer_norm("ffn_norm", f.tokens, width));
    describe_channel_mixing(f, width, inner);
    f.sink.add(residual(f.tokens * width));
  }
  describe_head(f, NormKind::layer, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_rwkv7;
const FamilyDef k_rwkv7 = {"rwkv7",
                           "RWKV 7: a matrix state per head, decayed by channel, erased and written at each token",
                           "fla-org/flash-linear-attention fla/models/rwkv7; 2503.14456",
                           kTypes,
                           kArchitectures,
                           build<describe_rwkv7>};

}  // namespace floptally::families
