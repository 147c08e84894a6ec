#include "plan/model_count.h"

#include <algorithm>

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

ComponentSet read_words(const std::vector<std::pair<std::string, Span>>& words, std::span<const Word> known, std::string& text,
                        Diagnostics& problems) {
  ComponentSet set = 0;
  for (const auto& [word, place] : words) {
    const auto found = std::find_if(known.begin(), known.end(), [&, &name = word](const Word& each) { return each.name == name; });
    if (found == known.end()) {
      std::vector<std::string_view> names;
      for (const Word& each : known) names.push_back(each.name);
      problems.push_back(error("unknown-word", "'" + word + "' is no part that can be counted", place, suggestion(word, names)));
      continue;
    }
    set |= found->set;
    text += (text.empty() ? "" : ", ") + word;
  }
  return set;
}

template <class N>
Integer whole(N value) {
  if constexpr (std::is_same_v<N, Integer>) return value;
  else return Integer(static_cast<std::int64_t>(value));
}

template <class N>
Integer training_flop(const Measure<N>& m, bool others) {
  Integer flop = whole(m.forward.matmul) + whole(m.backward_matmul());
  if (others) flop += whole(m.forward.other) + whole(m.backward_other());
  return flop;
}

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
  out.flop_per_token = out.flop_per_sample % out.sequence == Integer(0) ? out.flop_per_sample / out.sequence : Integer::overflowed();
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

class DecoderCounter final : public ModelCounter {
 public:
  DecoderCounter(const Plan& plan, PlanConvention convention)
      : convention_(std::move(convention)), sink_(Rules{convention_.pairs}) {
    fixed_.gated = plan.gated;
    fixed_.tied = plan.tied;
    fixed_.loss = convention_.others;  // a loss is no matrix product
    fixed_.norm = plan.norm == "rms" ? NormKind::rms
                  : plan.norm == "layer" ? NormKind::layer
                  : plan.norm == "layer_scale_only" ? NormKind::layer_scale_only : NormKind::none;
    fixed_.positions = plan.positions == "learned" ? Positions::learned
                       : plan.positions == "rotary" ? Positions::rotary : Positions::none;
  }

  // Layers that are all alike are one block with a repeat count, and every count is linear in it: models that differ in
  // their depth alone are counted once, at one and at two layers.
  bool count(const FieldValues& fields, ModelCount& out, Diagnostics* problems) override {
    constexpr std::size_t kLayers = static_cast<std::size_t>(FieldId::layers);
    const std::int64_t layers = fields[kLayers];
    FieldValues key = fields;
    key[kLayers] = 1;
    if (layers >= 1 && layers <= kDeepest && remembered_ && key == key_) {
      deepen(layers - 1, out);
      return true;
    }
    DecoderShape shape;
    if (!shape_of(fields, shape, problems)) return false;
    const bool again = key == last_;  // the second depth of this shape: more may come
    last_ = key;
    if (!again || shape.experts > 0) {
      out = counted(shape);
      return true;
    }
    shape.layers = 1;
    one_ = counted(shape);
    shape.layers = 2;
    const ModelCount two = counted(shape);
    step_ = two;
    step_.flop_per_sample = two.flop_per_sample - one_.flop_per_sample;
    step_.parameters = two.parameters - one_.parameters;
    step_.non_embedding = two.non_embedding - one_.non_embedding;
    step_.active = two.active - one_.active;
    if (one_.flop_per_token.valid() && two.flop_per_token.valid()) step_.flop_per_token = two.flop_per_token - one_.flop_per_token;
    key_ = key;
    remembered_ = true;
    deepen(layers - 1, out);
    return true;
  }

  std::vector<ModelPart> parts(const FieldValues& fields) override {
    DecoderShape shape;
    if (!shape_of(fields, shape, nullptr)) return {};
    NetworkBuilder builder;
    describe_decoder(shape, builder);
    return split(floptally::count(builder.finish(), {{convention_.pairs}, true}), convention_);
  }

  [[nodiscard]] std::string_view source() const override { return "the operators of a decoder (src/network/blocks/decoder.cpp)"; }

 private:
  static constexpr std::int64_t kDeepest = std::int64_t{1} << 31;

  void deepen(std::int64_t more_layers, ModelCount& out) const {
    const Integer more(static_cast<long>(more_layers));
    out.sequence = one_.sequence;
    out.flop_per_sample = one_.flop_per_sample + step_.flop_per_sample * more;
    out.parameters = one_.parameters + step_.parameters * more;
    out.non_embedding = one_.non_embedding + step_.non_embedding * more;
    out.active = one_.active + step_.active * more;
    out.flop_per_token = one_.flop_per_token + step_.flop_per_token * more;
    out.at_least = one_.at_least;
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
        problems->push_back(error("missing-key", "'" + std::string(kFieldNames[static_cast<std::size_t>(id)]) + "' of the decoder is not given"));
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

  ModelCount counted(const DecoderShape& shape) {
    ModelCount result;
    result.sequence = shape.sequence;
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
  TallySink sink_;
  DecoderShape fixed_;
  bool remembered_ = false;
  FieldValues key_{}, last_{};
  ModelCount one_, step_;
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

void add_up_network(const Tally<Integer>& tally, const PlanConvention& convention, ModelCount& out) { add_up(tally, convention, out); }
std::vector<ModelPart> split_network(const Tally<Integer>& tally, const PlanConvention& convention) { return split(tally, convention); }

}  // namespace floptally
