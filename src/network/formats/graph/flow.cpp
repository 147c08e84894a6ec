#include "network/formats/graph/flow.h"

#include <algorithm>

namespace floptally::graph {

bool is_float(Dtype dtype) { return dtype != Dtype::unspecified && dtype < Dtype::int64; }

std::int64_t FlowValue::elements() const {
  if (!ranked) return -1;
  std::int64_t product = 1;
  for (std::int64_t d : dims)
    if (d < 0 || __builtin_mul_overflow(product, d, &product)) return -1;
  return product;
}

std::int64_t FlowValue::dim(std::int64_t axis) const {
  if (axis < 0) axis += rank();
  return ranked && axis >= 0 && axis < rank() ? dims[static_cast<std::size_t>(axis)] : -1;
}

FlowId Flow::id(std::string_view name) {
  const auto at = names_.find(name);
  if (at != names_.end()) return at->second;
  const auto made = static_cast<FlowId>(values_.size());
  values_.emplace_back();
  values_.back().name = std::string(name);
  names_.emplace(values_.back().name, made);
  return made;
}

FlowId Flow::find(std::string_view name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? kNothing : at->second;
}

std::string_view Flow::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

Work& Flow::work(Kind kind, std::string_view op, std::string_view name) {
  Work& w = works_.emplace_back();
  w.step.kind = kind;
  w.step.op = op;
  w.step.name = name;
  return w;
}

namespace {

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product) ? -1 : product;
}

}  // namespace

Work& Flow::product(Kind kind, std::string_view op, std::string_view name, FlowId left, FlowId right, const Sizes& s) {
  Work& w = work(kind, op, name);
  w.inputs = {left, right};
  w.left = 0;
  w.right = 1;
  if (s.batch < 0 || s.rows < 0 || s.columns < 0 || s.inner < 0) {
    w.step.kind = Kind::unknown;
    unsized_.push_back(std::string(op) + " '" + std::string(name.substr(0, 100)) + "'");
    return w;
  }
  w.step.batch = s.batch;
  w.step.rows = s.rows;
  w.step.columns = s.columns;
  w.step.inner = s.inner;
  w.step.kernel = s.kernel;
  w.step.transposed = s.transposed;
  return w;
}

Work& Flow::matmul(std::string_view op, std::string_view name, FlowId left, FlowId right, bool turn_left,
                   bool turn_right) {
  const FlowValue &a = values_[left], &b = values_[right];
  Sizes s;
  const bool row = a.rank() == 1, column = b.rank() == 1;
  s.rows = row ? 1 : a.dim(turn_left ? -1 : -2);
  s.inner = a.dim(turn_left && !row ? -2 : -1);
  s.columns = column ? 1 : b.dim(turn_right ? -2 : -1);
  const int rank = std::max(a.rank(), b.rank());
  for (int i = 3; i <= rank; ++i) {
    const std::int64_t x = i <= a.rank() ? a.dim(-i) : 1, y = i <= b.rank() ? b.dim(-i) : 1;
    s.batch = times(s.batch, x < 0 || y < 0 ? -1 : std::max(x, y));
  }
  if (b.rank() <= 2) {  // one matrix for the whole batch: a taller product
    s.rows = times(s.rows, s.batch);
    s.batch = 1;
  }
  const FlowValue& source = values_[root(right)];
  return product(source.weight ? Kind::product : Kind::attention, op, name, left, right, s);
}

void Flow::unknown(std::string_view op, std::string_view name, const std::vector<FlowId>& inputs,
                   const std::vector<FlowId>& outputs) {
  Work& w = work(Kind::unknown, op, name);
  w.inputs = inputs;
  w.outputs = outputs;
  for (auto& [known, count] : unknown_)
    if (known == op) {
      ++count;
      return;
    }
  if (unknown_.size() < 1000) unknown_.emplace_back(op, 1);
}

void Flow::find_gradients() {
  for (FlowValue& v : values_) v.gradient = v.weight && v.trained;
  for (FlowId id : outputs_) values_[id].useful = true;
  const auto carried = [](const Work& w, std::size_t i) {
    return w.inputs[i] != kNothing && (i >= 32 || (w.carries >> i & 1) != 0);
  };
  bool changed = true;
  for (int round = 0; changed && round < 64; ++round) {  // more than one only for loops
    for (const Work& w : works_) {
      bool gradient = false;
      for (std::size_t i = 0; i < w.inputs.size(); ++i)
        gradient = gradient || (carried(w, i) && values_[w.inputs[i]].gradient);
      for (FlowId out : w.outputs) {
        FlowValue& v = values_[out];
        if (gradient && (is_float(v.dtype) || v.dtype == Dtype::unspecified)) v.gradient = true;
      }
    }
    for (std::size_t n = works_.size(); n-- > 0;) {
      const Work& w = works_[n];
      bool useful = false;
      for (FlowId out : w.outputs) useful = useful || (values_[out].useful && values_[out].gradient);
      for (std::size_t i = 0; useful && i < w.inputs.size(); ++i)
        if (carried(w, i)) values_[w.inputs[i]].useful = true;
    }
    changed = false;
    for (const auto& [from, to] : links_) {
      if (values_[from].gradient && !values_[to].gradient) values_[to].gradient = changed = true;
      if (values_[to].useful && !values_[from].useful) values_[from].useful = changed = true;
    }
  }
}

// A view's numbers are those of what it is a view of. PyTorch's reshape copies what was expanded; a device has its part
// to itself.
void Flow::find_storage() {
  for (const Work& w : works_) {
    if (!w.view || w.inputs.empty() || w.inputs[0] == kNothing) continue;
    const FlowValue& from = values_[w.inputs[0]];
    for (FlowId out : w.outputs) {
      FlowValue& to = values_[out];
      const std::string_view op = w.step.op;
      const bool grown = op.starts_with("expand") && to.elements() != from.elements();
      const bool own = grown || op.starts_with("sdy.") || op.ends_with("custom_call");
      if (out == w.inputs[0] || to.dtype != from.dtype || own) continue;
      to.storage = from.storage == kNothing ? w.inputs[0] : from.storage;
    }
  }
}

void Flow::find_roles(const Source* source) {
  std::vector<std::uint32_t> uses(values_.size(), 0);
  for (const Work& w : works_)
    for (FlowId in : w.inputs)
      if (in != kNothing) ++uses[in];
  for (FlowId out : outputs_) uses[out] += 2;
  for (const auto& [from, to] : links_) uses[from] += 2, uses[to] += 2;
  std::vector<Piece> pieces;
  natures_.reserve(works_.size());
  pieces.reserve(works_.size());
  for (const Work& w : works_) {
    Piece& p = pieces.emplace_back();
    p.nature = natures_.emplace_back(nature_of(w.step.op));
    if (w.view && w.outputs.size() == 1) p.nature = {Needs::nothing, Trait::view};
    if (w.left >= 0) p.nature.trait = Trait::product;
    for (FlowId in : w.inputs) {
      if (in == kNothing) continue;
      const FlowValue& v = values_[in];
      const bool weight = values_[root(in)].weight && v.gradient;
      p.weight = p.weight || weight;
      p.constant = p.constant || !v.gradient;
      if (weight || !v.gradient) continue;
      if (p.inputs < 3)
        p.in[p.inputs++] = in;
      else
        p.nature.trait = Trait::none;
    }
    if (w.outputs.size() == 1 && w.step.kind != Kind::unknown) p.out = w.outputs[0];
  }
  Wholes found = find_wholes(pieces, uses);
  roles_ = std::move(found.roles);
  if (found.any()) notes_.push_back(note("whole-operators", found.text(), Span{source, 0, 0}));
}

// Notes that the backward pass needs a value; the elements that nothing kept before.
// A part of something larger that is copied first, as batched products do, is a value of its own.
std::int64_t Flow::hold(FlowId id, bool copied) {
  if (id == kNothing || values_[root(id)].weight) return 0;
  const FlowId whole = values_[id].storage == kNothing ? id : values_[id].storage;
  const bool part = copied && values_[id].elements() < values_[whole].elements();
  FlowValue& v = values_[part ? id : whole];
  if (v.held || !(is_float(v.dtype) || v.dtype == Dtype::unspecified)) return 0;
  v.held = true;
  return std::max<std::int64_t>(v.elements(), 0);
}

std::int64_t Flow::keep(const Work& w, const Nature& nature, std::uint16_t role) {
  const Step& s = w.step;
  if (!s.left_gradient && !s.right_gradient) return 0;
  std::int64_t kept = 0;
  const FlowId out = w.outputs.empty() ? kNothing : w.outputs[0];
  if (w.left >= 0 || w.right >= 0) {
    const FlowId left = w.left >= 0 ? w.inputs[static_cast<std::size_t>(w.left)] : kNothing,
                 right = w.right >= 0 ? w.inputs[static_cast<std::size_t>(w.right)] : kNothing;
    const bool batched = s.kind == Kind::attention && !w.fused;
    if (s.right_gradient && (role & forgets_left) == 0) kept = hold(left, batched);
    if (s.left_gradient) add_elements(kept, hold(right, batched));
    if (w.fused || (role & keeps_output) != 0) add_elements(kept, hold(out));
    add_elements(kept, w.own);
    return kept;
  }
  if ((role & decided) != 0) {
    for (FlowId in : w.inputs)
      if ((role & keeps_input) != 0 && in != kNothing && values_[in].gradient) add_elements(kept, hold(in));
    if ((role & keeps_output) != 0) add_elements(kept, hold(out));
    const std::int64_t width = out == kNothing ? -1 : values_[out].dim(-1);
    if ((role & keeps_rows) != 0 && width > 0)
      add_elements(kept, std::max<std::int64_t>(values_[out].elements(), 0) / width);
    return kept;
  }
  if (s.kind == Kind::normalization) return w.inputs.empty() ? 0 : hold(w.inputs[0]);
  const bool moved = s.kind == Kind::movement || (nature.needs == Needs::unknown && s.flop_per_element == 0);
  if (nature.needs == Needs::nothing || moved) return 0;
  const auto learned = std::count_if(w.inputs.begin(), w.inputs.end(),
                                     [this](FlowId in) { return in != kNothing && values_[in].gradient; });
  const bool bounded =
      nature.needs == Needs::inputs && nature.trait == Trait::arithmetic && learned == 1;  // max(x, 0): a ReLU
  if (nature.needs == Needs::output || bounded) return hold(out);
  for (std::size_t i = 0; i < w.inputs.size(); ++i) {
    if (i > 0 && nature.needs == Needs::input) break;
    bool other = nature.needs != Needs::other_sides;
    for (std::size_t k = 0; k < w.inputs.size() && !other; ++k)
      other = k != i && w.inputs[k] != kNothing && values_[w.inputs[k]].gradient;
    if (other) add_elements(kept, hold(w.inputs[i]));
  }
  return kept;
}

void Flow::own(Step& step, FlowId id) {
  FlowValue& w = values_[root(id)];
  if (!w.weight || w.owned) return;
  w.owned = true;
  const std::int64_t count = std::max<std::int64_t>(w.elements(), 0);
  const bool product = step.kind == Kind::product || step.kind == Kind::convolution || step.kind == Kind::recurrent;
  const bool quantized = product && !is_float(w.dtype) && w.dtype != Dtype::unspecified;
  if (!w.trained && !quantized) {
    add_elements(step.buffers, count);
    return;
  }
  add_elements(step.parameters, count);
  if (!w.trained) add_elements(step.frozen, count);
  step.stored = w.dtype;
  const std::string_view name = w.path.empty() ? w.name : w.path;
  const std::size_t dot = name.rfind('.');
  if (step.module.empty() && dot != std::string_view::npos && dot > 0) step.module = name.substr(0, dot);
}

void Flow::finish(Recorder& recorder, const Source* source) {
  for (Work& w : works_) std::erase(w.outputs, kNothing);
  for (Work& w : works_) {
    if (!w.view || w.inputs.empty() || w.outputs.empty() || w.inputs[0] == kNothing) continue;
    const FlowId from = root(w.inputs[0]);
    for (FlowId out : w.outputs)
      if (values_[from].weight && out != from) values_[out].source = from;
  }
  find_gradients();
  find_storage();
  find_roles(source);
  for (std::size_t n = 0; n < works_.size(); ++n) {
    Work& w = works_[n];
    if (w.view) continue;
    Step& s = w.step;
    bool useful = false, gradient = false;
    for (FlowId out : w.outputs) {
      useful = useful || values_[out].useful;
      gradient = gradient || values_[out].gradient;
    }
    for (FlowId in : w.inputs)
      if (in != kNothing) own(s, in);
    if (w.left >= 0) s.left_gradient = useful && values_[w.inputs[static_cast<std::size_t>(w.left)]].gradient;
    if (w.right >= 0) {
      const FlowId right = w.inputs[static_cast<std::size_t>(w.right)];
      s.right_gradient = useful && values_[right].gradient;
      s.right_weight = values_[root(right)].weight;
    }
    if (w.left < 0 && w.right < 0) s.left_gradient = s.right_gradient = useful && gradient;
    for (FlowId in : w.inputs)
      if (in != kNothing && !values_[root(in)].weight)
        add_elements(s.read, std::max<std::int64_t>(values_[in].elements(), 0));
    if (!w.outputs.empty()) s.written = std::max<std::int64_t>(values_[w.outputs[0]].elements(), 0);
    if (s.kind == Kind::elementwise && !w.outputs.empty() && !is_float(values_[w.outputs[0]].dtype))
      s.flop_per_element = 0;
    if (s.kind != Kind::lookup && s.kind != Kind::unknown) s.kept = keep(w, natures_[n], roles_[n]);
    if (natures_[n].trait == Trait::pool_maximum) s.indices = s.written;
    recorder.record(s);
  }
  const Span file{source, 0, 0};
  for (const auto& [op, count] : unknown_)
    notes_.push_back(warning("unknown-operator",
                             "operator '" + op + "' (" + std::to_string(count) + (count == 1 ? " node" : " nodes") +
                                 ") is not known: totals are \"at least\"",
                             file));
  if (!unsized_.empty())
    notes_.push_back(warning("data-dependent-size",
                             std::to_string(unsized_.size()) +
                                 (unsized_.size() == 1 ? " node has a size that is not known: "
                                                       : " nodes have sizes that are not known, first ") +
                                 unsized_.front() + ": totals are \"at least\"",
                             file));
}

}  // namespace floptally::graph
