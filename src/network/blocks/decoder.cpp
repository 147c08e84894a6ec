#include "network/blocks/decoder.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace floptally {

namespace {

struct LayerKind {
  bool moe;
  bool windowed;
  bool operator==(const LayerKind&) const = default;
};

LayerKind kind_of(const DecoderShape& s, std::int64_t layer) {
  LayerKind kind{};
  kind.moe = s.experts > 0 && layer >= s.dense_first && (layer - s.dense_first) % s.moe_every == s.moe_every - 1;
  kind.windowed = s.window > 0 && (s.window_every == 0 || layer % s.window_every != s.window_every - 1);
  return kind;
}

void describe_layer(const DecoderShape& s, LayerKind kind, Sink& sink) {
  const std::int64_t tokens = s.sequence;
  if (s.norm != NormKind::none) sink.add(norm("input_layernorm", s.norm, tokens, s.width));
  describe_attention(attention_of(s, kind.windowed ? AttentionMask::causal_window : s.mask), tokens, sink);
  if (s.positions == Positions::relative) {
    sink.add(parameter("r_proj", s.width * s.heads * s.head_dim, 0, Component::position));
  }
  const bool beside = s.parallel_norms > 0;
  if (!beside) sink.add(residual(tokens * s.width));
  if (s.norm != NormKind::none && s.parallel_norms != 1) {
    Op second = norm("post_attention_layernorm", s.norm, tokens, s.width);
    sink.add(beside ? second.with(op_flags::shared_input) : second);
  }
  if (kind.moe)
    describe_moe(experts_of(s), tokens, sink);
  else
    describe_mlp(mlp_of(s), tokens, sink);
  sink.add(residual((beside ? 2 : 1) * tokens * s.width));
}

void describe_logits(const DecoderShape& s, bool tied, Sink& sink) {
  describe_unembedding({"lm_head", s.width, s.vocabulary, tied, s.unembed_bias, s.loss}, s.sequence, sink);
}

// DeepSeek-V3 2412.19437 section 2.2: each extra head joins the next token's embedding and runs one more layer.
void describe_mtp(const DecoderShape& s, Sink& sink) {
  const Scope scope(sink, "mtp", s.mtp_heads, BlockKind::layer);
  sink.add(norm("enorm", s.norm, s.sequence, s.width).with(op_flags::training_only));
  sink.add(norm("hnorm", s.norm, s.sequence, s.width));
  sink.add(linear("eh_proj", s.sequence, 2 * s.width, s.width));
  describe_layer(s, kind_of(s, s.layers - 1), sink);
  sink.add(norm("norm", s.norm, s.sequence, s.width));
  describe_logits(s, true, sink);
}

// Layers [first, end) as runs of equal ones.
void describe_runs(const DecoderShape& s, std::int64_t first, std::int64_t end, Sink& sink) {
  while (first < end) {
    const LayerKind kind = kind_of(s, first);
    std::int64_t next = first + 1;
    while (next < end && kind_of(s, next) == kind) ++next;
    const Scope layer(sink, "layers", next - first, BlockKind::layer);
    describe_layer(s, kind, sink);
    first = next;
  }
}

void describe_layers(const DecoderShape& s, Sink& sink) {
  const bool experts = s.experts > 0, windows = s.window > 0 && s.window_every > 0;
  if (!experts && !windows) {
    const Scope layer(sink, "layers", s.layers, BlockKind::layer);
    describe_layer(s, kind_of(s, 0), sink);
    return;
  }
  // A long pattern of short runs is written as one period, repeated.
  constexpr std::int64_t kLong = 512, kLongestPeriod = 64;
  const std::int64_t period =
      std::lcm(experts ? std::min(s.moe_every, kLong) : 1, windows ? std::min(s.window_every, kLong) : 1);
  const std::int64_t start = std::min(s.layers, experts ? s.dense_first : 0);
  if (s.layers < kLong || period > kLongestPeriod) {
    describe_runs(s, 0, s.layers, sink);
    return;
  }
  describe_runs(s, 0, start, sink);
  const std::int64_t copies = (s.layers - start) / period;
  {
    const Scope pattern(sink, "layers", copies, BlockKind::group);
    describe_runs(s, start, std::min(s.layers, start + period), sink);
  }
  describe_runs(s, start + copies * period, s.layers, sink);
}

Diagnostic shape_problem(const char* code, std::string message, const char* help = "") {
  return error(code, std::move(message), {}, help);
}

}  // namespace

AttentionPart attention_of(const DecoderShape& s, AttentionMask mask) {
  AttentionPart attention;
  attention.width = s.width;
  attention.heads = s.heads;
  attention.kv_heads = s.kv_heads;
  attention.head_dim = s.head_dim;
  attention.q_bias = attention.k_bias = attention.v_bias = s.qkv_bias;
  attention.out_bias = s.out_bias;
  attention.rotary_dim = s.positions == Positions::rotary ? -1 : 0;
  attention.qk_norm = s.qk_norm ? QkNorm::per_head : QkNorm::none;
  attention.mask = mask;
  attention.span = s.window;
  attention.squares = s.squares;
  attention.q_rank = s.q_rank;
  attention.kv_rank = s.kv_rank;
  attention.rope_dim = s.rope_dim;
  attention.nope_dim = s.nope_dim;
  attention.value_dim = s.value_dim;
  return attention;
}

MlpPart mlp_of(const DecoderShape& s) {
  MlpPart mlp;
  mlp.width = s.width;
  mlp.ffn = s.ffn;
  mlp.gated = s.gated;
  mlp.up_bias = mlp.down_bias = s.mlp_bias;
  mlp.activation = s.activation;
  mlp.shares_input = s.parallel_norms == 1;
  return mlp;
}

MoePart experts_of(const DecoderShape& s) {
  MoePart moe;
  moe.width = s.width;
  moe.experts = s.experts;
  moe.top_k = s.top_k;
  moe.expert_ffn = s.expert_ffn > 0 ? s.expert_ffn : s.ffn;
  moe.shared_ffn = s.shared_ffn;
  moe.gated = s.gated;
  moe.activation = s.activation;
  moe.correction_bias = s.correction_bias;
  moe.capacity_numerator = s.capacity_numerator;
  moe.capacity_denominator = s.capacity_denominator;
  return moe;
}

Diagnostics validate(const DecoderShape& s) {
  Diagnostics problems;
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  const struct {
    const char* name;
    std::int64_t value;
    std::int64_t least;
  } sizes[] = {{"layers", s.layers, 1},         {"width", s.width, 1},         {"heads", s.heads, 1},
               {"kv_heads", s.kv_heads, 1},     {"head_dim", s.head_dim, 1},   {"ffn", s.ffn, 1},
               {"vocabulary", s.vocabulary, 1}, {"sequence", s.sequence, 1},   {"window", s.window, 0},
               {"experts", s.experts, 0},       {"moe_every", s.moe_every, 1}, {"mtp_heads", s.mtp_heads, 0}};
  for (const auto& size : sizes) {
    if (size.value < size.least) {
      problems.push_back(shape_problem("shape-zero", std::string(size.name) + " is " + std::to_string(size.value) +
                                                         ", must be at least " + std::to_string(size.least)));
    } else if (size.value > kLimit) {
      problems.push_back(shape_problem(
          "shape-overflow", std::string(size.name) + " is " + std::to_string(size.value) + ", more than 2^31"));
    }
  }
  if (!problems.empty()) return problems;
  if (s.kv_rank == 0 && s.heads % s.kv_heads != 0) {
    problems.push_back(shape_problem("shape-divide", "kv_heads " + std::to_string(s.kv_heads) +
                                                         " does not divide heads " + std::to_string(s.heads)));
  }
  if (s.experts > 0 && (s.top_k < 1 || s.top_k > s.experts)) {
    problems.push_back(shape_problem("shape-experts", "each token uses " + std::to_string(s.top_k) + " of " +
                                                          std::to_string(s.experts) + " experts"));
  }
  return problems;
}

void describe_decoder(const DecoderShape& s, Sink& sink) {
  sink.add(embedding("embed_tokens", s.sequence, s.vocabulary, s.width));
  if (s.positions == Positions::learned) {
    sink.add(
        position_table("embed_positions", s.sequence, s.max_positions > 0 ? s.max_positions : s.sequence, s.width));
  }
  describe_layers(s, sink);
  if (s.norm != NormKind::none && s.final_norm) sink.add(norm("norm", s.norm, s.sequence, s.width));
  describe_logits(s, s.tied, sink);
  if (s.mtp_heads > 0) describe_mtp(s, sink);
}

}  // namespace floptally
