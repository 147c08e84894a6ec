#include "plan/model_count.h"

#include <algorithm>
#include <unordered_map>

#include "base/nearest.h"

namespace floptally {
namespace {

constexpr ComponentSet bits(std::initializer_list<Component> components) {
  ComponentSet set = 0;
  for (const Component c : components) set |= component_bit(c);
  return set;
}
constexpr ComponentSet kMatmul = bits({Component::projection, Component::mlp, Component::router, Component::convolution,
                                       Component::recurrent, Component::head, Component::other});
constexpr ComponentSet kTables = bits({Component::embed, Component::position, Component::unembed});

struct Word {
  std::string_view name;
  ComponentSet set;
};
constexpr Word kFlopWords[] = {{"matmul", kMatmul},
                               {"causal", bits({Component::attention})},
                               {"full", bits({Component::attention})},
                               {"unembed", bits({Component::unembed})},
                               {"embed", bits({Component::embed})},
                               {"norm", bits({Component::norm})},
                               {"all", kAllComponents}};
constexpr Word kParameterWords[] = {{"matmul", kMatmul},
                                    {"embed", bits({Component::embed})},
                                    {"unembed", bits({Component::unembed})},
                                    {"norm", bits({Component::norm})},
                                    {"position", bits({Component::position})},
                                    {"all", kAllComponents}};

ComponentSet read_words(const std::vector<std::pair<std::string, Span>>& words, std::span<const Word> known,
                        std::string& text, Diagnostics& problems) {
  ComponentSet set = 0;
  for (const auto& [word, place] : words) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&, &name = word](const Word& each) { return each.name == name; });
    if (found == known.end()) {
      std::vector<std::string_view> names;
      for (const Word& each : known) names.push_back(each.name);
      problems.push_back(
          error("unknown-word", "'" + word + "' is no part that can be counted", place, suggestion(word, names)));
      continue;
    }
    set |= found->set;
    text += (text.empty() ? "" : ", ") + word;
  }
  return set;
}

template <class N>
Integer whole(N value) {
  if constexpr (std::is_same_v<N, Integer>)
    return value;
  else
    return Integer(static_cast<std::int64_t>(value));
}

template <class N>
Integer training_flop(const Measure<N>& m, bool others) {
  Integer flop = whole(m.forward.matmul) + whole(m.backward_matmul());
  if (others) flop += whole(m.forward.other) + whole(m.backward_other());
  return flop;
}

void divide_by_tokens(ModelCount& out);

template <class N>
void add_up(const Tally<N>& tally, const PlanConvention& convention, ModelCount& out) {
  Integer inactive;
  for (int i = 0; i < kComponentCount; ++i) {
    const ComponentSet bit = 1u << i;
    const Measure<N>& m = tally.by_component[i];
    if ((convention.flop & bit) != 0) out.flop_per_sample += training_flop(m, convention.others);
    if ((convention.parameters & bit) != 0) {
      out.parameters += whole(m.parameters);
      inactive += whole(m.inactive);
      if ((kTables & bit) == 0) out.non_embedding += whole(m.parameters);
    }
    out.at_least = out.at_least || m.at_least;
  }
  out.active = out.parameters - inactive;
  divide_by_tokens(out);
}

template <class N>
std::vector<ModelPart> split(const Tally<N>& tally, const PlanConvention& convention) {
  std::vector<ModelPart> parts;
  for (int i = 0; i < kComponentCount; ++i) {
    const ComponentSet bit = 1u << i;
    ModelPart part{component_name(static_cast<Component>(i)), 0, 0};
    if ((convention.flop & bit) != 0) part.flop_per_sample = training_flop(tally.by_component[i], convention.others);
    if ((convention.parameters & bit) != 0) part.parameters = whole(tally.by_component[i].parameters);
    if (part.flop_per_sample > Integer(0) || part.parameters > Integer(0)) parts.push_back(part);
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const ModelPart& a, const ModelPart& b) { return a.flop_per_sample > b.flop_per_sample; });
  return parts;
}

// A Sink that adds up only what a plan asks for: matrix products and parameters of the chosen components of a network
// that is trained whole. Anything else makes it unsure, and a TallySink counts instead; a test holds the two against
// each other. Over `double` it is sure of what is below 2^53, over `Integer` of what fits into 128 bits, at three times
// the time.
template <class N>
class ProductSink final : public Sink {
 public:
  explicit ProductSink(const PlanConvention& convention)
      : convention_(convention), wanted_(convention.flop | convention.parameters) {}
  void enter(std::string_view, std::int64_t repeat, BlockKind) override {
    if (depth_ + 1 < kMaxBlockDepth)
      multiple_[depth_ + 1] = multiple_[depth_] * number(repeat);
    else
      sure_ = false;
    ++depth_;
  }
  void leave() override { --depth_; }
  void add(const Op& op) override {
    const ComponentSet bit = component_bit(op.component);
    // The first op is trained (a table of embeddings), so everything after it needs gradients.
    if (!started_) sure_ = op.component == Component::embed;
    started_ = true;
    constexpr std::uint16_t kSpecial =
        op_flags::frozen | op_flags::input_no_gradient | op_flags::input_gradient | op_flags::inference_only;
    const std::uint16_t expected = op.component == Component::embed ? op_flags::input_no_gradient : std::uint16_t{0};
    if ((op.flags & kSpecial & ~expected) != 0) sure_ = false;
    if ((wanted_ & bit) == 0) return;
    Cost<N> cost;
    cost_of(op, {convention_.pairs}, cost);
    const N multiple = multiple_[depth_];
    if ((convention_.flop & bit) != 0) {
      N products = cost.forward.matmul + cost.backward_inner.matmul;
      if (op.component != Component::embed) products += cost.backward_input.matmul;
      if (cost.parameters > N(0)) products += cost.backward_weight.matmul;
      flop_ += products * number(op.times) * multiple;
    }
    if ((convention_.parameters & bit) != 0 && !op.has(op_flags::tied)) {
      parameters_ += cost.parameters * multiple;
      inactive_ += cost.inactive * multiple;
      if ((kTables & bit) == 0) non_embedding_ += cost.parameters * multiple;
    }
    sure_ = sure_ && !cost.unknown;
  }
  void clear() {
    flop_ = parameters_ = inactive_ = non_embedding_ = N(0);
    depth_ = 0;
    started_ = false;
    sure_ = true;
  }
  // False where this sink cannot be sure: other gradients than the usual, or sums past the integers that doubles hold.
  bool take(ModelCount& out) const {
    if (!sure_ || convention_.others || !exact(flop_) || !exact(parameters_)) return false;
    out.flop_per_sample = whole(flop_);
    out.parameters = whole(parameters_);
    out.non_embedding = whole(non_embedding_);
    out.active = whole(parameters_ - inactive_);
    return true;
  }

 private:
  static N number(std::int64_t value) {
    if constexpr (std::is_same_v<N, Integer>)
      return Integer(static_cast<long>(value));
    else
      return static_cast<double>(value);
  }
  static bool exact(double sum) { return sum < 9007199254740992.0; }
  static bool exact(Integer sum) { return sum.valid(); }

  const PlanConvention& convention_;
  ComponentSet wanted_;
  N multiple_[kMaxBlockDepth + 1] = {N(1)};
  int depth_ = 0;
  bool started_ = false, sure_ = true;
  N flop_ = N(0), parameters_ = N(0), inactive_ = N(0), non_embedding_ = N(0);
};

void divide_by_tokens(ModelCount& out) {
  if (out.flop_per_sample.fits_int64() && out.sequence.fits_int64()) {  // 64-bit division is several times faster
    const std::int64_t flop = out.flop_per_sample.to_int64(), tokens = out.sequence.to_int64();
    out.flop_per_token = flop % tokens == 0 ? Integer(static_cast<long>(flop / tokens)) : Integer::overflowed();
    return;
  }
  out.flop_per_token =
      out.flop_per_sample % out.sequence == Integer(0) ? out.flop_per_sample / out.sequence : Integer::overflowed();
}

class DecoderCounter final : public ModelCounter {
 public:
  DecoderCounter(const Plan& plan, PlanConvention convention)
      : convention_(std::move(convention)),
        products_(convention_),
        large_(convention_),
        sink_(Rules{convention_.pairs}) {
    fixed_.gated = plan.gated;
    fixed_.tied = plan.tied;
    fixed_.loss = convention_.others;  // a loss is no matrix product
    fixed_.norm = plan.norm == "rms"                ? NormKind::rms
                  : plan.norm == "layer"            ? NormKind::layer
                  : plan.norm == "layer_scale_only" ? NormKind::layer_scale_only
                                                    : NormKind::none;
    fixed_.positions = plan.positions == "learned"  ? Positions::learned
                       : plan.positions == "rotary" ? Positions::rotary
                                                    : Positions::none;
  }

  // Layers that are all alike are one block with a repeat count, and every count is linear in it: models that differ in
  // their depth alone are counted once, at one and at two layers.
  bool count(const FieldValues& fields, ModelCount& out, Diagnostics* problems) override {
    const std::int64_t layers = fields[static_cast<std::size_t>(FieldId::layers)];
    if (known_ == nullptr || !alike(fields, known_->key)) known_ = find(fields);
    if (known_ != nullptr && layers >= 1 && layers <= kDeepest) {
      deepen(*known_, layers - 1, out);
      return true;
    }
    DecoderShape shape;
    if (!shape_of(fields, shape, problems)) return false;
    const bool again = alike(fields, last_);  // the second depth of this shape: more may come
    last_ = fields;
    if (!(again || remember_) || shape.experts > 0) {
      out = counted(shape);
      return true;
    }
    Depths depths;
    depths.key = fields;
    shape.layers = 1;
    depths.one = counted(shape);
    shape.layers = 2;
    const ModelCount two = counted(shape);
    depths.step = two;
    depths.step.flop_per_sample = two.flop_per_sample - depths.one.flop_per_sample;
    depths.step.parameters = two.parameters - depths.one.parameters;
    depths.step.non_embedding = two.non_embedding - depths.one.non_embedding;
    depths.step.active = two.active - depths.one.active;
    if (depths.one.flop_per_token.valid() && two.flop_per_token.valid())
      depths.step.flop_per_token = two.flop_per_token - depths.one.flop_per_token;
    known_ = &memory_.insert_or_assign(hash(fields), depths).first->second;
    deepen(*known_, layers - 1, out);
    return true;
  }
  void expect_table() override { remember_ = true; }

  std::vector<ModelPart> parts(const FieldValues& fields) override {
    DecoderShape shape;
    if (!shape_of(fields, shape, nullptr)) return {};
    sink_.clear();
    describe_decoder(shape, sink_);
    if (sink_.exact()) return split(sink_.tally(), convention_);
    NetworkBuilder builder;
    describe_decoder(shape, builder);
    return split(floptally::count(builder.finish(), {{convention_.pairs}, true}), convention_);
  }

  [[nodiscard]] std::string_view source() const override {
    return "the operators of a decoder (src/network/blocks/decoder.cpp)";
  }

 private:
  static constexpr std::size_t kRemembered = 1u << 15;
  static constexpr std::int64_t kSmall = std::int64_t{1} << 52;  // FLOP that doubles add up safely
  static constexpr std::int64_t kDeepest = std::int64_t{1} << 31;

  // A shape at one layer, and what each further layer adds.
  struct Depths {
    FieldValues key;  // of any depth
    ModelCount one, step;
  };

  // The depth is the first field, and all that two models which are alike may differ in.
  static_assert(static_cast<std::size_t>(FieldId::layers) == 0);
  static bool alike(const FieldValues& a, const FieldValues& b) {
    return std::equal(a.begin() + 1, a.end(), b.begin() + 1);
  }
  static std::uint64_t hash(const FieldValues& key) {
    // Products of their own, so that they need not wait for one another.
    std::uint64_t h = 0;
    std::uint64_t odd = 0x9E3779B97F4A7C15ull;
    for (std::size_t i = 1; i < key.size(); ++i) {
      h += static_cast<std::uint64_t>(key[i]) * odd;
      odd += 0xC2B2AE3D27D4EB4Eull;
    }
    h ^= h >> 29;
    return h * 0xFF51AFD7ED558CCDull;
  }
  const Depths* find(const FieldValues& key) {
    if (memory_.empty()) return nullptr;
    if (memory_.size() > kRemembered) memory_.clear();
    const auto found = memory_.find(hash(key));
    return found != memory_.end() && alike(found->second.key, key) ? &found->second : nullptr;
  }

  static void deepen(const Depths& depths, std::int64_t more_layers, ModelCount& out) {
    const ModelCount& one = depths.one;
    const ModelCount& step = depths.step;
    const Integer more(static_cast<long>(more_layers));
    out.sequence = one.sequence;
    out.flop_per_sample = one.flop_per_sample + step.flop_per_sample * more;
    out.parameters = one.parameters + step.parameters * more;
    out.non_embedding = one.non_embedding + step.non_embedding * more;
    out.active = one.active + step.active * more;
    out.flop_per_token = one.flop_per_token + step.flop_per_token * more;
    out.at_least = one.at_least;
  }

  // Needed: layers, width, ffn, vocab, sequence, and two of width = heads * head_dim.
  bool shape_of(const FieldValues& f, DecoderShape& shape, Diagnostics* problems) const {
    shape = fixed_;
    const auto value = [&](FieldId id) { return f[static_cast<std::size_t>(id)]; };
    const auto or_else = [](std::int64_t v, std::int64_t otherwise) { return v < 0 ? otherwise : v; };
    bool ok = true;
    const auto need = [&](FieldId id, std::int64_t& out) {
      out = value(id);
      if (out >= 0) return;
      ok = false;
      if (problems != nullptr)
        problems->push_back(error("missing-key", "'" + std::string(kFieldNames[static_cast<std::size_t>(id)]) +
                                                     "' of the decoder is not given"));
    };
    need(FieldId::layers, shape.layers);
    need(FieldId::width, shape.width);
    need(FieldId::vocab, shape.vocabulary);
    need(FieldId::sequence, shape.sequence);
    shape.ffn = value(FieldId::ffn);
    shape.experts = or_else(value(FieldId::experts), 0);
    shape.expert_ffn = or_else(value(FieldId::expert_ffn), 0);
    if (shape.ffn < 0 && shape.experts > 0 && shape.expert_ffn > 0) shape.ffn = shape.expert_ffn;
    if (shape.ffn < 0) need(FieldId::ffn, shape.ffn);
    shape.heads = value(FieldId::heads);
    shape.head_dim = value(FieldId::head_dim);
    if (shape.heads < 0 && shape.head_dim < 0) need(FieldId::head_dim, shape.head_dim);
    if (!ok) return false;
    const std::int64_t known = shape.heads < 0 ? shape.head_dim : shape.heads;
    if (shape.heads < 0 || shape.head_dim < 0) {
      if (known == 0 || shape.width % known != 0) {
        if (problems != nullptr)
          problems->push_back(error("shape-divide", (shape.heads < 0 ? "head_dim " : "heads ") + std::to_string(known) +
                                                        " does not divide width " + std::to_string(shape.width)));
        return false;
      }
      (shape.heads < 0 ? shape.heads : shape.head_dim) = shape.width / known;
    }
    shape.kv_heads = or_else(value(FieldId::kv_heads), shape.heads);
    shape.window = or_else(value(FieldId::window), 0);
    shape.top_k = or_else(value(FieldId::top_k), 0);
    shape.shared_ffn = or_else(value(FieldId::shared_ffn), 0);
    shape.dense_first = or_else(value(FieldId::dense_first), 0);
    shape.moe_every = or_else(value(FieldId::moe_every), 1);
    Diagnostics found = validate(shape);
    if (found.empty()) return true;
    if (problems != nullptr)
      for (Diagnostic& each : found) problems->push_back(std::move(each));
    return false;
  }

  template <class SinkOfProducts>
  static bool summed(const DecoderShape& shape, SinkOfProducts& sink, ModelCount& result) {
    sink.clear();
    describe_decoder(shape, sink);
    return sink.take(result);
  }

  ModelCount counted(const DecoderShape& shape) {
    ModelCount result;
    result.sequence = shape.sequence;
    // Most neighbours of a large model are large: what served the last one is asked first.
    const bool small = !was_large_ && summed(shape, products_, result);
    if (small || summed(shape, large_, result)) {
      was_large_ = result.flop_per_sample > Integer(kSmall);
      divide_by_tokens(result);
      return result;
    }
    sink_.clear();
    describe_decoder(shape, sink_);
    if (sink_.exact()) {
      add_up(sink_.tally(), convention_, result);
      return result;
    }
    NetworkBuilder builder;
    describe_decoder(shape, builder);
    add_up(floptally::count(builder.finish(), {{convention_.pairs}, true}), convention_, result);
    return result;
  }

  PlanConvention convention_;
  ProductSink<double> products_;
  ProductSink<Integer> large_;
  bool was_large_ = false;
  TallySink sink_;
  DecoderShape fixed_;
  std::unordered_map<std::uint64_t, Depths> memory_;
  const Depths* known_ = nullptr;
  bool remember_ = false;
  FieldValues last_{};
};

}  // namespace

PlanConvention plan_convention(const Plan& plan, Diagnostics& problems) {
  PlanConvention result;
  result.flop = read_words(plan.count_flop, kFlopWords, result.flop_words, problems);
  result.parameters = read_words(plan.count_parameters, kParameterWords, result.parameter_words, problems);
  for (const auto& [word, place] : plan.count_flop) {
    if (word == "full") result.pairs = Pairs::full;
    if (word == "all") result.others = true;
  }
  // Where nobody says: matrix products with causal attention and logits, and all parameters.
  if (plan.count_flop.empty()) {
    result.flop = kMatmul | component_bit(Component::attention) | component_bit(Component::unembed);
    result.flop_words = "matmul, causal, unembed";
  }
  if (plan.count_parameters.empty()) {
    result.parameters = kAllComponents;
    result.parameter_words = "all";
  }
  return result;
}

std::unique_ptr<ModelCounter> decoder_counter(const Plan& plan, const PlanConvention& convention) {
  return std::make_unique<DecoderCounter>(plan, convention);
}

void add_up_network(const Tally<Integer>& tally, const PlanConvention& convention, ModelCount& out) {
  add_up(tally, convention, out);
}
std::vector<ModelPart> split_network(const Tally<Integer>& tally, const PlanConvention& convention) {
  return split(tally, convention);
}

}  // namespace floptally
