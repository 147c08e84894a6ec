#include "network/families/_common.h"

#include <algorithm>

namespace floptally::families {
namespace {

constexpr std::int64_t kMostVariedLayers = 100000;

constexpr struct {
  std::string_view key, meaning;
} kMeanings[] = {
    {"d_model", "width of the residual stream"},
    {"hidden_size", "width of the residual stream"},
    {"intermediate_size", "width of the feed-forward layer"},
    {"kv_lora_rank", "width of the compressed keys and values"},
    {"moe_intermediate_size", "width of one expert"},
    {"n_embd", "width of the residual stream"},
    {"n_routed_experts", "experts in a layer"},
    {"num_attention_heads", "query heads"},
    {"num_experts", "experts in a layer"},
    {"num_experts_per_tok", "experts that one token uses"},
    {"num_hidden_layers", "number of layers"},
    {"num_local_experts", "experts in a layer"},
    {"vocab_size", "rows of the embedding table"},
};

std::string_view meaning(std::string_view key) {
  for (const auto& row : kMeanings)
    if (row.key == key) return row.meaning;
  return "a size that shapes the network";
}

}  // namespace

std::int64_t Keys::size(std::string_view key) const { return config_.size({key}, meaning(key)); }
std::int64_t Keys::size(std::string_view key, std::string_view alias) const {
  return config_.size({key, alias}, meaning(key));
}

std::vector<std::int64_t> Keys::sizes_or(std::string_view key, std::vector<std::int64_t> absent) const {
  if (!has(key)) return absent;
  std::vector<std::int64_t> sizes = config_.sizes({key});
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 1; }))
    problem("shape-range", key, "'" + std::string(key) + "' must list sizes of at least 1");
  return sizes;
}

std::int64_t Keys::element(std::string_view key, std::size_t index) const {
  const Node list = config_.find({key});
  if (list.is_sequence() && index < list.size())
    if (const std::optional<Integer> number = list[index].as_integer();
        number && !(*number < Integer(0)) && *number < Integer(1LL << 31))
      return number->to_int64();
  if (ok())
    problem("missing-key", key,
            "'" + std::string(key) + "' must hold a whole number for layer " + std::to_string(index));
  return 0;
}

void Keys::problem(std::string_view code, std::string_view key, std::string message) const {
  const Node value = config_.node().find(key);
  config_.fail(error(std::string(code), std::move(message), value ? value.span() : config_.node().span()));
}

std::int64_t Family::sequence(std::int64_t longest) {
  FamilyInputs wanted = inputs;
  if (wanted.sequence <= 0) {
    constexpr std::int64_t kUsual = 4096;
    wanted.sequence = std::min(longest, kUsual);
    tokens = wanted.sequence;
    config.config().note("assumed",
                         "sequence is not given: assumed " + std::to_string(tokens) + " tokens (--sequence N)");
    for (const Binding& binding : config.config().report().bindings)
      if (binding.name == "sequence") return tokens;
    config.config().report().bindings.push_back({"sequence", tokens, "assumed", {}});
    return tokens;
  }
  return tokens = sequence_length(config.config(), wanted, {});
}

std::string_view Family::architecture() const {
  const Node named = config.config().node().find("architectures");
  return named.is_sequence() && named.size() > 0 ? named[std::size_t{0}].text() : std::string_view{};
}

std::int64_t label_count(const Keys& c) {
  const Node labels = c.node("id2label");
  if (labels.is_mapping() && labels.size() > 0) return static_cast<std::int64_t>(labels.size());
  return std::max<std::int64_t>(1, c.has("num_labels") ? c.size("num_labels") : c.assume("num_classes", 2));
}

std::int64_t image_labels(const Family& f) {
  const std::string_view named = f.architecture();
  if (named.ends_with("ForImageClassification")) return label_count(f.config);
  if (!named.empty() && !named.ends_with("Model"))
    f.config.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  return 0;
}

TaskHead task_head(const Family& f) {
  const std::string_view name = f.inputs.inside ? f.inputs.outer : f.outer.empty() ? f.architecture() : f.outer;
  if (name.ends_with("ForSequenceClassification")) return TaskHead::classifier;
  if (name.ends_with("ForTokenClassification")) return TaskHead::tagger;
  if (name.ends_with("ForQuestionAnswering")) return TaskHead::spans;
  if (name.ends_with("RewardModel")) return TaskHead::reward;
  if (!name.ends_with("Model")) return TaskHead::language;
  if (name == "NanoChatModel") return TaskHead::none;
  // These names end alike and have logits all the same.
  for (const std::string_view chat : {"LMHeadModel", "HeadsModel", "ChatModel", "ChatGLMModel", "mPLUGOwl3Model"})
    if (name.ends_with(chat)) return TaskHead::language;
  return TaskHead::none;
}

std::vector<LayerRun> runs_of(std::span<const std::uint8_t> kinds) {
  std::vector<LayerRun> runs;
  for (const std::uint8_t kind : kinds) {
    if (!runs.empty() && runs.back().kind == kind)
      ++runs.back().copies;
    else
      runs.push_back({kind, 1});
  }
  return runs;
}

std::vector<LayerPattern> patterns_of(std::span<const LayerRun> runs) {
  constexpr std::size_t kLongest = 12;
  const auto equal = [&](std::size_t a, std::size_t b) {
    return runs[a].kind == runs[b].kind && runs[a].copies == runs[b].copies;
  };
  std::vector<LayerPattern> patterns;
  for (std::size_t i = 0; i < runs.size();) {
    std::size_t best = 1, best_repeats = 1;
    for (std::size_t period = 2; period <= kLongest && i + 2 * period <= runs.size(); ++period) {
      std::size_t end = i + period;
      while (end < runs.size() && equal(end, end - period)) ++end;
      const std::size_t repeats = (end - i) / period;
      if (repeats > 1 && repeats * period > best * best_repeats) best = period, best_repeats = repeats;
    }
    patterns.push_back({runs.subspan(i, best), static_cast<std::int64_t>(best_repeats)});
    i += best * best_repeats;
  }
  return patterns;
}

TextSizes read_text_sizes(Family& f, const TextSizes* published) {
  const Keys& c = f.config;
  const bool defaults = f.inputs.inside && published != nullptr;
  const auto size = [&](std::string_view key, std::int64_t TextSizes::*member) {
    return defaults ? c.assume(key, published->*member) : c.size(key);
  };
  TextSizes s;
  s.width = size("hidden_size", &TextSizes::width);
  s.layers = size("num_hidden_layers", &TextSizes::layers);
  s.heads = std::max<std::int64_t>(1, size("num_attention_heads", &TextSizes::heads));
  s.kv_heads = std::max<std::int64_t>(
      1, c.size_or("num_key_value_heads", defaults && !c.has("num_attention_heads") ? published->kv_heads : s.heads));
  if (!c.has("head_dim")) c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  s.head_dim = c.size_or("head_dim", std::max<std::int64_t>(1, s.width / s.heads));
  s.vocabulary = size("vocab_size", &TextSizes::vocabulary);
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  f.sequence(c.size_or("max_position_embeddings", 4096));
  return s;
}

std::int64_t read_inner(const Family& f, std::int64_t published) {
  return f.inputs.inside ? f.config.assume("intermediate_size", published) : f.config.size("intermediate_size");
}

AttentionPart attention_of(const TextSizes& s) {
  AttentionPart a;
  a.width = s.width;
  a.heads = s.heads;
  a.kv_heads = s.kv_heads;
  a.head_dim = s.head_dim;
  return a;
}

MlpPart mlp_of(std::int64_t width, std::int64_t inner, Activation activation, bool gated, bool bias) {
  MlpPart m;
  m.width = width;
  m.ffn = inner;
  m.gated = gated;
  m.activation = activation;
  m.up_bias = m.down_bias = bias;
  return m;
}

Activation read_activation(const Family& f, Activation absent, std::string_view key) {
  const std::string_view name = f.config.text_or(key, {});
  return name.empty() ? absent : find_activation(name).value_or(absent);
}

void set_bias(AttentionPart& a, bool query_key_value, bool output) {
  a.q_bias = a.k_bias = a.v_bias = query_key_value;
  a.out_bias = output;
}

void set_window(AttentionPart& a, std::int64_t window) {
  a.mask = window > 0 ? AttentionMask::causal_window : AttentionMask::causal;
  a.span = window;
}

bool read_tied(const Family& f, bool absent) {
  return f.config.flag("tie_word_embeddings", f.inputs.tied.value_or(absent));
}

void check_experts(const Family& f, const MoePart& moe, std::string_view experts_key, std::string_view active_key) {
  if (moe.top_k <= moe.experts) return;
  f.config.problem("shape-experts", active_key,
                   "'" + std::string(active_key) + "' " + std::to_string(moe.top_k) + " is more than '" +
                       std::string(experts_key) + "' " + std::to_string(moe.experts));
}

void describe(Family& f, const TransformerLayer& l) {
  Sink& sink = f.sink;
  const std::int64_t width = l.attention->width, tokens = f.tokens;
  const bool before = l.residuals != Residuals::post_norm;
  const bool after = l.residuals == Residuals::post_norm || l.residuals == Residuals::sandwich;
  const bool parallel = l.residuals == Residuals::parallel || l.residuals == Residuals::parallel_two;
  const bool normed = l.norm != NormKind::none;
  if (before && normed) sink.add(norm("input_layernorm", l.norm, tokens, width));
  describe_attention(*l.attention, tokens, sink);
  if (after && normed) sink.add(norm("post_attention_layernorm", l.norm, tokens, width));
  if (!parallel) sink.add(residual(tokens * width));
  if (before && normed && l.residuals != Residuals::parallel)
    sink.add(norm(after ? "pre_feedforward_layernorm" : "post_attention_layernorm", l.norm, tokens, width));
  if (l.moe != nullptr)
    describe_moe(*l.moe, tokens, sink);
  else
    describe_mlp(*l.mlp, tokens, sink);
  if (after && normed) sink.add(norm("post_feedforward_layernorm", l.norm, tokens, width));
  sink.add(residual((parallel ? 2 : 1) * tokens * width));
}

void describe_embedding(Family& f, std::int64_t vocabulary, std::int64_t width, std::string_view name) {
  f.sink.add(embedding(name, f.tokens, vocabulary, width));
}

namespace {

void describe_task_head(Family& f, TaskHead task, std::int64_t width) {
  const auto layer = [&](std::string_view name, std::int64_t out, bool bias) {
    f.sink.add(linear(name, f.tokens, width, out, bias, Component::head));
  };
  if (task == TaskHead::spans) return layer("qa_outputs", 2, true);
  if (task != TaskHead::reward) return layer("score", label_count(f.config), task == TaskHead::tagger);
  layer("score.0", width, true);
  f.sink.add(activation("score.act", f.tokens * width, Activation::relu));
  layer("score.2", f.architecture().ends_with("ProcessRewardModel") ? 2 : 1, true);
}

}  // namespace

void describe_head(Family& f, NormKind kind, std::int64_t width, std::int64_t vocabulary, bool tied, bool bias) {
  if (kind != NormKind::none) f.sink.add(norm("norm", kind, f.tokens, width));
  const TaskHead task = task_head(f);
  if (task == TaskHead::none) return;
  if (task != TaskHead::language) return describe_task_head(f, task, width);
  describe_unembedding({.width = width, .vocabulary = vocabulary, .tied = tied, .bias = bias}, f.tokens, f.sink);
}

void describe_decoder(Family& f, const TextSizes& s, const TransformerLayer& layer, bool tied, bool head_bias) {
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope scope(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, layer);
  }
  describe_head(f, layer.norm, s.width, s.vocabulary, tied, head_bias);
}

std::vector<std::uint8_t> layer_kinds(const Family& f, std::int64_t layers) {
  if (layers > kMostVariedLayers) {
    f.config.problem(
        "out-of-range", "num_hidden_layers",
        std::to_string(layers) + " layers of different kinds are more than " + std::to_string(kMostVariedLayers));
    layers = 1;
  }
  return std::vector<std::uint8_t>(static_cast<std::size_t>(layers), 0);
}

std::vector<std::uint8_t> kinds_sparse(const Family& f, std::int64_t layers) {
  const std::int64_t every = f.config.size_or("decoder_sparse_step", 1);
  std::vector<std::uint8_t> sparse = layer_kinds(f, layers);
  for (std::size_t i = 0; i < sparse.size(); ++i) sparse[i] = (static_cast<std::int64_t>(i) + 1) % every == 0 ? 1 : 0;
  at_listed(f.config.node("mlp_only_layers"), sparse.size(), [&](std::size_t i) { sparse[i] = 0; });
  return sparse;
}

void describe_nested(Family& f, std::string_view key, std::string_view usual) {
  FamilyInputs inputs = f.inputs;
  inputs.inside = true;
  if (!f.inputs.inside) inputs.outer = f.architecture();
  if (const Node tied = f.config.node("tie_word_embeddings")) inputs.tied = tied.as_bool();
  const Keys child = f.config.child(key);
  if (!child.present())
    return f.config.problem("missing-key", key, "the config has no '" + std::string(key) + "' (its language model)");
  if (family_of(child.config().node()) != nullptr) {
    build_nested(child.config(), inputs, f.sink);
    return;
  }
  Config config = child.config();
  find_family(usual, {})->build(config, inputs, f.sink);
}

Family nested(Family& f, std::string_view key, Sink& sink) {
  return {f.config.child(key), f.inputs, sink, f.tokens, f.architecture()};
}

MoePart read_deepseek_experts(Family& f, std::int64_t width) {
  const Keys& c = f.config;
  MoePart moe;
  moe.width = width;
  moe.experts = c.has("n_routed_experts") ? c.size("n_routed_experts") : c.size("num_routed_experts", "num_experts");
  moe.top_k = c.size("num_experts_per_tok", "num_experts_per_token");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.count_or("n_shared_experts", c.count_or("num_shared_experts", 0)) * moe.expert_ffn;
  moe.activation = read_activation(f, Activation::silu);
  c.understood({"n_group", "topk_group", "topk_method", "scoring_func", "norm_topk_prob", "routed_scaling_factor",
                "ep_size", "seq_aux", "pretraining_tp", "num_hash_layers", "moe_router_dtype", "swiglu_limit"});
  check_experts(f, moe, "n_routed_experts", "num_experts_per_tok");
  return moe;
}

void read_latent(Family& f, AttentionPart& a) {
  const Keys& c = f.config;
  a.q_rank = c.count_or("q_lora_rank", 0);
  a.kv_rank = c.size("kv_lora_rank");
  a.nope_dim = c.size("qk_nope_head_dim");
  a.rope_dim = c.count_or("qk_rope_head_dim", 0);
  a.value_dim = c.size("v_head_dim");
  a.head_dim = a.nope_dim + a.rope_dim;
  a.kv_heads = a.heads;
  c.understood({"qk_head_dim", "rope_interleave", "num_key_value_heads", "head_dim"});
}

void describe_indexer(Family& f, const Indexer& i, std::int64_t width) {
  const std::int64_t tokens = f.tokens;
  const Scope scope(f.sink, "indexer");
  f.sink.add(linear("wq_b", tokens, i.query_width, i.heads * i.head_dim, false, Component::projection));
  f.sink.add(linear("wk", tokens, width, i.head_dim, false, Component::projection).with(op_flags::shared_input));
  f.sink.add(layer_norm("k_norm", tokens, i.head_dim));
  f.sink.add(linear("weights_proj", tokens, width, i.heads, false, Component::projection).with(op_flags::shared_input));
  AttentionShape scores;
  scores.queries = scores.keys = tokens;
  scores.heads = i.heads;
  scores.key_dim = i.head_dim;
  scores.value_dim = 0;
  f.sink.add(attention("index_scores", scores));
}

void describe_correction_buffer(Family& f, std::int64_t experts) {
  f.sink.add(move("e_score_correction_bias", 0, experts));
}

void remark_extra_heads(Family& f, std::int64_t heads) {
  f.remark(std::to_string(heads) + " multi-token-prediction layer" + (heads == 1 ? "" : "s") +
           " not counted, as in the published class (--let mtp=1 counts them)");
}

}  // namespace floptally::families
