#include "estimate/serving.h"

#include <algorithm>
#include <string_view>

#include "estimate/textbook.h"
#include "network/count.h"
#include "network/ops.h"
#include "training/layout.h"
#include "training/precision.h"

namespace floptally {
namespace {

constexpr double kRecurrentBytes = 4;  // states are summed over all tokens: fp32
constexpr double kActivationBytes = 2;
constexpr double kLogitBytes = 4;

bool begins(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// Numbers in the state of a recurrent operator, for one sequence.
double state_of(const Op& op) {
  namespace ops = operators;
  const std::int64_t* a = op.attributes;
  if (op.def == &ops::k_selective_scan) return as_double(a[1]) * as_double(a[2]);
  if (op.def == &ops::k_state_space) return as_double(a[1]) * as_double(a[2]) * as_double(a[3]);
  if (op.def == &ops::k_delta_rule) return as_double(a[1]) * as_double(a[3]) * as_double(a[4]);
  if (op.def == &ops::k_linear_attention) return as_double(a[1]) * as_double(a[2]) * as_double(a[3]);
  if (op.def == &ops::k_lstm) return 2 * as_double(a[2]) * as_double(a[3]);
  if (op.def == &ops::k_gru || op.def == &ops::k_rnn) return as_double(a[2]) * as_double(a[3]);
  return 0;
}

class State final : public Sink {
 public:
  State(ServingState& out, std::int64_t sequence, std::int64_t context)
      : out_(out), sequence_(as_double(sequence)), context_(as_double(context)) {}

  void enter(std::string_view name, std::int64_t repeat, BlockKind) override {
    depth_ = std::min(depth_ + 1, kMaxBlockDepth);
    times_[depth_] = times_[depth_ - 1] * as_double(repeat);
    const auto has = [name](std::string_view word) { return name.find(word) != std::string_view::npos; };
    const bool named = has("cross") || has("encoder_attn");
    cross_[depth_] = cross_[depth_ - 1] || named;
  }
  void leave() override { depth_ = std::max(0, depth_ - 1); }

  void add(const Op& op) override {
    if (op.has(op_flags::training_only)) return;
    out_.recurrent += state_of(op) * times_[depth_];
    if (op.def == &operators::k_linear) projection(op);
    if (op.def == &operators::k_attention)
      attention(op);
    else
      activation(op);
  }

 private:
  // The projections tell a latent from heads, and a layer that borrows another's keys from one that has its own.
  void projection(const Op& op) {
    if (begins(op.name, "q_")) queries_ = true;
    if (begins(op.name, "k_") || begins(op.name, "v_")) keys_ = true;
    if (begins(op.name, "kv_a_proj")) latent_ = op.attributes[2];
    if (op.component == Component::unembed) out_.logits = std::max(out_.logits, as_double(op.attributes[2]));
  }

  void attention(const Op& op) {
    const std::int64_t* a = op.attributes;
    const bool scores_only = a[5] == 0;  // an indexer: keys alone, beside the attention it selects for
    const bool borrowed = queries_ && !keys_ && latent_ == 0;
    const bool cross = a[1] != a[0] || cross_[depth_];
    const auto is = [a](AttentionMask mask) { return a[6] == static_cast<std::int64_t>(mask); };
    // An encoder reads its input once and keeps nothing of it.
    if (!cross && (is(AttentionMask::none) || is(AttentionMask::documents) || is(AttentionMask::window_both))) return;
    const bool bounded = (is(AttentionMask::causal_window) || is(AttentionMask::causal_chunks)) && a[7] > 0;
    double tokens = cross ? as_double(a[1]) : context_;
    if (bounded) tokens = std::min(tokens, as_double(a[7]));
    const bool grows = !cross && !bounded;
    if (!borrowed) {
      if (latent_ > 0 && !scores_only) {
        hold(latent_, 1, tokens, grows);
      } else {
        hold(a[4], as_double(a[3]), tokens, grows);
        if (!scores_only) hold(a[5], as_double(a[3]), tokens, grows);
      }
    }
    if (scores_only) return;
    queries_ = keys_ = false;
    latent_ = 0;
  }

  void hold(std::int64_t length, double vectors, double tokens, bool grows) {
    if (length <= 0) return;
    auto found = std::find_if(out_.vectors.begin(), out_.vectors.end(),
                              [length](const HeldVectors& v) { return v.length == length; });
    if (found == out_.vectors.end()) found = out_.vectors.insert(out_.vectors.end(), {length, 0, 0});
    found->held += vectors * tokens * times_[depth_];
    if (grows) found->per_token += vectors * times_[depth_];
  }

  void activation(const Op& op) {
    if (op.component == Component::unembed || op.component == Component::loss || sequence_ <= 0) return;
    Cost<double> cost;
    cost_of(op, {}, cost);
    out_.decoding = std::max(out_.decoding, (cost.input + cost.output) / sequence_);
  }

  ServingState& out_;
  double sequence_, context_;
  double times_[kMaxBlockDepth + 1] = {1};
  bool cross_[kMaxBlockDepth + 1] = {};
  int depth_ = 0;
  bool queries_ = false, keys_ = false;
  std::int64_t latent_ = 0;
};

// Bytes of one vector: its codes, and its own scales.
double vector_bytes(const numerics::Scheme& format, std::int64_t length) {
  const double bits = format.code_bits();
  if (format.group > 0) {
    const auto group = static_cast<std::int64_t>(format.group);
    const std::int64_t groups = (length + group - 1) / group;
    if (format.kind == numerics::Scheme::Kind::block) return as_double(groups) * format.block->bytes;
    return as_double((length * format.code_bits() + 7) / 8) + as_double(groups) * format.unit_bits() / 8;
  }
  const double codes = as_double((length * static_cast<std::int64_t>(bits) + 7) / 8);
  const bool own_scale = format.grain == numerics::Grain::channel;
  return codes + (own_scale ? format.unit_bits() / 8.0 : 0.0);
}

}  // namespace

double ServingState::numbers_per_token() const {
  double sum = 0;
  for (const HeldVectors& v : vectors) sum += v.per_token * as_double(v.length);
  return sum;
}

double ServingState::numbers_held() const {
  double sum = 0;
  for (const HeldVectors& v : vectors) sum += v.held * as_double(v.length);
  return sum;
}

ServingState serving_state(const Network& network, std::int64_t context) {
  ServingState out;
  State sink(out, network.sequence * network.samples, context > 0 ? context : network.sequence);
  replay(network, sink);
  return out;
}

CacheBytes cache_bytes(const ServingState& state, const numerics::Scheme& format) {
  CacheBytes out;
  for (const HeldVectors& v : state.vectors) {
    if (format.kind == numerics::Scheme::Kind::block && v.length % static_cast<std::int64_t>(format.group) != 0)
      out.fits = false;
    const double each = vector_bytes(format, v.length);
    out.per_token += v.per_token * each;
    out.held += v.held * each;
  }
  return out;
}

double recurrent_bytes(const ServingState& state) { return state.recurrent * kRecurrentBytes; }

double decoding_bytes(const ServingState& state) {
  return state.decoding * kActivationBytes + state.logits * kLogitBytes;
}

ServingMemory serving_memory(const Network& network, std::int64_t batch, std::int64_t context, Dtype weights,
                             Dtype cache) {
  ServingMemory out;
  out.weights = count(network).total().parameters.to_double() * bytes_of(weights);
  out.rule = textbook::inference_rule(out.weights);
  const ServingState state = serving_state(network, context);
  out.cache = state.numbers_held() * as_double(batch) * bytes_of(cache);
  out.recurrent = recurrent_bytes(state) * as_double(batch);
  return out;
}

}  // namespace floptally
