// What text families share: the usual keys, layers of attention and feed-forward, the embedding and the head.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/family.h"

namespace floptally::families {

// The keys of one mapping, in the short form that families read best. What a key means (for the message when it is
// missing) stands in one table in _common.cpp. See Config for what always holds.
class Keys {
 public:
  explicit Keys(Config config) : config_(std::move(config)) {}
  [[nodiscard]] bool has(std::string_view key) const { return config_.has({key}); }
  [[nodiscard]] Node node(std::string_view key) const { return config_.find({key}); }
  // Required; the key under one of its names.
  std::int64_t size(std::string_view key) const;
  std::int64_t size(std::string_view key, std::string_view alias) const;
  // What follows from other sizes where the key is absent (head_dim = hidden_size / heads): at least 1, at least 0.
  std::int64_t size_or(std::string_view key, std::int64_t rule) const { return config_.size_if({key}, rule, 1); }
  std::int64_t count_or(std::string_view key, std::int64_t rule) const { return config_.size_if({key}, rule, 0); }
  // The published class's default where the key is absent: noted as assumed. At least 1, at least 0.
  std::int64_t assume(std::string_view key, std::int64_t published) const {
    return config_.size_or({key}, published, 1);
  }
  std::int64_t assume_count(std::string_view key, std::int64_t published) const {
    return config_.size_or({key}, published, 0);
  }
  bool flag(std::string_view key, bool absent) const { return config_.flag({key}, absent); }
  double ratio_or(std::string_view key, double absent) const { return config_.number_or({key}, absent); }
  std::string_view text_or(std::string_view key, std::string_view absent) const { return config_.text({key}, absent); }
  // A list of sizes of at least 1; the published class's where the key is absent.
  std::vector<std::int64_t> sizes_or(std::string_view key, std::vector<std::int64_t> absent) const;
  // Entry `index` of a list of counts.
  std::int64_t element(std::string_view key, std::size_t index) const;
  Keys child(std::string_view key) const { return Keys(config_.child({key})); }
  void understood(Config::Names names) const { config_.known(names); }
  void problem(std::string_view code, std::string_view key, std::string message) const;
  bool divides(std::string_view part_key, std::int64_t part, std::string_view whole_key, std::int64_t whole) const {
    return config_.divides(part, part_key, whole, whole_key);
  }
  [[nodiscard]] bool present() const { return config_.present(); }
  [[nodiscard]] bool ok() const { return config_.ok(); }
  [[nodiscard]] Config& config() const { return config_; }

 private:
  mutable Config config_;  // reading marks keys as read
};

// What a family's describe function works on.
struct Family {
  Keys config;
  const FamilyInputs& inputs;
  Sink& sink;
  std::int64_t tokens = 1;      // positions of one sample; set by sequence()
  std::string_view outer = {};  // of a nested config: the class that the file around it names

  // Tokens per sample: the user's, else 4096, at most `longest`.
  std::int64_t sequence(std::int64_t longest);
  [[nodiscard]] bool extra_heads(bool published) const { return inputs.extra_heads.value_or(published); }
  void remark(std::string text) const { config.config().note("remark", std::move(text)); }
  [[nodiscard]] std::string_view architecture() const;
  [[nodiscard]] bool ok() const { return config.ok(); }
};

// What stands on top of a decoder, by the class that the config names.
enum class TaskHead : std::uint8_t {
  language,    // logits over the vocabulary
  none,        // hidden states (LlamaModel)
  classifier,  // ...ForSequenceClassification: one matrix without bias
  tagger,      // ...ForTokenClassification: one with bias
  spans,       // ...ForQuestionAnswering: start and end, with bias
  reward,      // ...ForRewardModel, ...ForProcessRewardModel (Qwen): two layers
};
TaskHead task_head(const Family& f);
// Classes of a classifier: id2label's entries, else num_labels, else 2 (noted as assumed).
std::int64_t label_count(const Keys& c);
// Those of a tower that ends in a classifier (...ForImageClassification), 0 for the tower alone (...Model, or no class
// named); other heads are refused.
std::int64_t image_labels(const Family& f);

// The FamilyDef::build of a describe function.
template <void (*Describe)(Family&)>
void build(Config& config, const FamilyInputs& inputs, Sink& sink) {
  Family family{Keys(config), inputs, sink};
  Describe(family);
}

// Runs of equal layers, and a pattern of runs that repeats ("5 windowed, 1 full" ten times).
struct LayerRun {
  std::uint8_t kind = 0;
  std::int64_t copies = 1;
};
struct LayerPattern {
  std::span<const LayerRun> runs;
  std::int64_t repeats = 1;
};
std::vector<LayerRun> runs_of(std::span<const std::uint8_t> kinds);
// Cuts `runs` into patterns, the longest repetition first; the spans point into `runs`.
std::vector<LayerPattern> patterns_of(std::span<const LayerRun> runs);

// Calls `emit(kind)` once for every run of equal layers, inside a block of as many copies, inside a block for the
// pattern where one repeats. So a network of a hundred interleaved layers is as short as what its paper says about it.
template <class Emit>
void describe_layers(Sink& sink, std::span<const std::uint8_t> kinds, Emit emit, std::string_view name = "layers") {
  const std::vector<LayerRun> runs = runs_of(kinds);
  for (const LayerPattern& pattern : patterns_of(runs)) {
    if (pattern.repeats > 1) sink.enter("pattern", pattern.repeats, BlockKind::group);
    for (const LayerRun& run : pattern.runs) {
      const Scope layer(sink, name, run.copies, BlockKind::layer);
      emit(run.kind);
    }
    if (pattern.repeats > 1) sink.leave();
  }
}

// A Sink that executes everything `times` per sample instead of once, with more flags: towers that see images, heads
// that exist only while training.
class RepeatedSink final : public Sink {
 public:
  RepeatedSink(Sink& inner, std::int64_t times, std::uint16_t flags = 0)
      : inner_(inner), times_(times), flags_(flags) {}
  void enter(std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) override {
    inner_.enter(name, repeat, kind);
  }
  void add(const Op& op) override {
    Op changed = op;
    changed.times *= times_;
    changed.flags |= flags_;
    inner_.add(changed);
  }
  void leave() override { inner_.leave(); }

 private:
  Sink& inner_;
  std::int64_t times_;
  std::uint16_t flags_;
};

// The sizes that most decoders give under the same keys.
struct TextSizes {
  std::int64_t width = 1, layers = 1, heads = 1, kv_heads = 1, head_dim = 1, vocabulary = 1;
};
// hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads (else as many as heads), head_dim (else
// hidden_size / heads), vocab_size. Sets f.tokens from max_position_embeddings.
// Inside a composite config (FamilyInputs::inside) sizes that equal the published class's defaults are left out there:
// `published` supplies them, noted as assumed.
TextSizes read_text_sizes(Family& f, const TextSizes* published = nullptr);
std::int64_t read_inner(const Family& f, std::int64_t published);  // intermediate_size likewise

// The attention part of such a decoder, causal and rotary, without biases.
AttentionPart attention_of(const TextSizes& s);
MlpPart mlp_of(std::int64_t width, std::int64_t inner, Activation activation = Activation::silu, bool gated = true,
               bool bias = false);
// config.hidden_act (or `key`), else `absent`.
Activation read_activation(const Family& f, Activation absent, std::string_view key = "hidden_act");
void set_bias(AttentionPart& a, bool query_key_value, bool output);
// A causal window of `window` positions; 0 keeps the mask causal.
void set_window(AttentionPart& a, std::int64_t window);
// tie_word_embeddings of the config, else of the file around it, else `absent`.
bool read_tied(const Family& f, bool absent);
// experts and experts per token of a MoePart must fit; reports "shape-experts".
void check_experts(const Family& f, const MoePart& moe, std::string_view experts_key, std::string_view active_key);

enum class Residuals : std::uint8_t {
  pre_norm,      // x + attention(norm(x)), then x + mlp(norm(x))
  post_norm,     // norm(x + attention(x)), or x + norm(attention(x)): norms after the sublayers only
  sandwich,      // a norm before and after each sublayer
  parallel,      // one norm, then attention and mlp side by side
  parallel_two,  // two norms, one for each side
};

struct TransformerLayer {
  const AttentionPart* attention = nullptr;
  const MlpPart* mlp = nullptr;  // one of these two
  const MoePart* moe = nullptr;
  NormKind norm = NormKind::rms;
  Residuals residuals = Residuals::pre_norm;
};
void describe(Family& f, const TransformerLayer& layer);

void describe_embedding(Family& f, std::int64_t vocabulary, std::int64_t width, std::string_view name = "embed_tokens");
// Final norm, then what the config's class has on top (TaskHead): mostly logits over the vocabulary and the loss.
void describe_head(Family& f, NormKind norm, std::int64_t width, std::int64_t vocabulary, bool tied, bool bias = false);

// A mixer with what stands around it in hybrids: a norm, `mixer()`, the residual; then `norm`, experts (or, where there
// are none, the feed-forward), the residual.
template <class Mixer>
void describe_mixing(Family& f, std::int64_t width, Mixer mixer, std::string_view norm, const MoePart* moe,
                     const MlpPart* mlp) {
  f.sink.add(rms_norm("input_layernorm", f.tokens, width));
  mixer();
  f.sink.add(residual(f.tokens * width));
  f.sink.add(rms_norm(norm, f.tokens, width));
  if (moe != nullptr)
    describe_moe(*moe, f.tokens, f.sink);
  else
    describe_mlp(*mlp, f.tokens, f.sink);
  f.sink.add(residual(f.tokens * width));
}

// A whole decoder of equal layers.
void describe_decoder(Family& f, const TextSizes& s, const TransformerLayer& layer, bool tied, bool head_bias = false);
// A decoder whose layers come in kinds: `emit(kind)` describes one.
template <class Emit>
void describe_decoder(Family& f, const TextSizes& s, std::span<const std::uint8_t> kinds, NormKind norm, bool tied,
                      Emit emit) {
  describe_embedding(f, s.vocabulary, s.width);
  describe_layers(f.sink, kinds, emit);
  describe_head(f, norm, s.width, s.vocabulary, tied);
}

// One entry a layer, all 0; reports more than 100,000 layers of different kinds as out of range.
std::vector<std::uint8_t> layer_kinds(const Family& f, std::int64_t layers);
// 1 where `is` holds of the layer's entry in the list under `key`; `absent(i)` says what a layer is where the list is
// missing. A list that is too short is a problem.
template <class Is, class Absent>
std::vector<std::uint8_t> kinds_listed(const Family& f, std::int64_t layers, std::string_view key, Is is,
                                       Absent absent) {
  std::vector<std::uint8_t> kinds = layer_kinds(f, layers);
  const Node list = f.config.node(key);
  const bool listed = list.is_sequence();
  if (listed && list.size() < kinds.size()) {
    f.config.problem("missing-key", key,
                     "'" + std::string(key) + "' has " + std::to_string(list.size()) + " entries for " +
                         std::to_string(layers) + " layers");
    return kinds;
  }
  std::size_t i = 0;
  if (listed) {
    for (const Node entry : list) {
      if (i == kinds.size()) break;
      kinds[i++] = is(entry.text()) ? 1 : 0;
    }
  } else {
    for (; i < kinds.size(); ++i) kinds[i] = absent(static_cast<std::int64_t>(i)) ? 1 : 0;
  }
  return kinds;
}
// 1 where layer_types (or `key`) names a kind that starts with `word` ("sliding", "linear", "full"). Since transformers
// 5.14 what was "mamba" or "conv" is written "linear_attention".
template <class Absent>
std::vector<std::uint8_t> kinds_named(const Family& f, std::int64_t layers, std::string_view key, std::string_view word,
                                      Absent absent) {
  return kinds_listed(
      f, layers, key,
      [&](std::string_view kind) {
        return kind.starts_with(word) || ((word == "mamba" || word == "conv") && kind.starts_with("linear"));
      },
      absent);
}
// 1 where the number (or the truth value) of the layer is not 0.
template <class Absent>
std::vector<std::uint8_t> kinds_flagged(const Family& f, std::int64_t layers, std::string_view key, Absent absent) {
  return kinds_listed(
      f, layers, key, [](std::string_view flag) { return flag != "0" && flag != "false"; }, absent);
}
// `act(i)` for every index in `list` that is one of `layers` layers (those of layer_kinds(), which may be fewer than a
// config names).
template <class Act>
void at_listed(const Node& list, std::size_t layers, Act act) {
  for (const Node entry : list)
    if (const auto i = entry.as_integer(); i && !(*i < Integer(0)) && *i < Integer(static_cast<std::int64_t>(layers)))
      act(static_cast<std::size_t>(i->to_int64()));
}
// Qwen's mixtures: experts in every decoder_sparse_step-th layer, but not in mlp_only_layers.
std::vector<std::uint8_t> kinds_sparse(const Family& f, std::int64_t layers);

// The language model under `key` of a config that holds one; `usual` is the family where it does not name its type.
void describe_nested(Family& f, std::string_view key, std::string_view usual);
// A Family for a nested mapping with the same sink.
Family nested(Family& f, std::string_view key, Sink& sink);

// Mixture-of-experts feed-forward with DeepSeek's keys (n_routed_experts, num_experts_per_tok, moe_intermediate_size,
// n_shared_experts).
MoePart read_deepseek_experts(Family& f, std::int64_t width);
// DeepSeek's latent attention with its keys; fills ranks and head sizes of `a`.
void read_latent(Family& f, AttentionPart& a);

// The lightning indexer of DeepSeek-V3.2 (report of 2025-09): small heads that score every earlier position.
struct Indexer {
  std::int64_t heads = 0, head_dim = 0, kept = 0, query_width = 0;
};
void describe_indexer(Family& f, const Indexer& indexer, std::int64_t width);
// A per-expert correction that the published class holds as a buffer.
void describe_correction_buffer(Family& f, std::int64_t experts);

// An extra prediction head of DeepSeek-V3's form (2412.19437 section 2.2): two norms, a projection of two vectors to
// one, one more layer, a norm; embedding and logits are the model's own. `emit` describes the layer.
template <class Emit>
void describe_extra_heads(Family& f, std::int64_t heads, std::int64_t width, std::int64_t vocabulary, Emit emit,
                          bool final_norm = true) {
  RepeatedSink training(f.sink, 1, op_flags::training_only);
  Family inner{f.config, f.inputs, training, f.tokens};
  const Scope scope(training, "mtp", heads, BlockKind::layer);
  training.add(rms_norm("enorm", f.tokens, width));
  training.add(rms_norm("hnorm", f.tokens, width));
  training.add(linear("eh_proj", f.tokens, 2 * width, width));
  emit(inner);
  if (final_norm) training.add(rms_norm("norm", f.tokens, width));
  training.add(column_linear("lm_head", f.tokens, width, vocabulary, false, Component::unembed).with(op_flags::tied));
}
// Notes extra prediction heads that a config names and the count leaves out.
void remark_extra_heads(Family& f, std::int64_t heads);

}  // namespace floptally::families
