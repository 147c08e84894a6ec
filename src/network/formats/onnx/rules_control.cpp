// Branches, loops, sequences and optionals.
//
// A loop whose shapes settle after a step is counted once and multiplied by its trip count; one whose shapes keep
// changing (a growing cache) is unrolled. A branch whose condition is not known counts the cheaper side, and says so.
#include <algorithm>
#include <new>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

Type& value_type(Model& m, ValueId id) { return m.values[id].type; }

bool same_shape(const Type& a, const Type& b) {
  if (a.has(kSequence) || b.has(kSequence))
    return a.has(kSequence) && b.has(kSequence) && a.sequence->counted && b.sequence->counted &&
           a.sequence->count == b.sequence->count;
  return a.ranked() && b.ranked() && a.rank == b.rank && std::equal(a.dims, a.dims + a.rank, b.dims);
}

// What is known of a value that may be either of two.
Type merge(Model& m, const Type& a, const Type& b) {
  Type r = a;
  r.flags |= b.flags & kGradient;
  r.origin = a.origin == b.origin ? a.origin : 0;
  if (a.has(kSequence) || b.has(kSequence)) {
    if (!same_shape(a, b)) r.sequence = new (m.arena.take(sizeof(Sequence))) Sequence{0, false, nullptr};
    r.flags |= kSequence;
    return r;
  }
  r.data = nullptr;
  if (!a.ranked() || !b.ranked() || a.rank != b.rank) {
    r.dims = nullptr;
    r.rank = 0;
    r.flags &= static_cast<std::uint16_t>(~kRanked);
    return r;
  }
  std::int64_t dims[kMaxRank];
  for (int i = 0; i < a.rank; ++i) dims[i] = a.dims[i] == b.dims[i] ? a.dims[i] : kUnknown;
  r.dims = m.keep(dims, a.rank);
  return r;
}

// Runs a body without recording; what it would have cost comes back.
bool try_body(Eval& e, Graph& body, Evaluator::Muted& cost) {
  Evaluator& owner = e.owner();
  Evaluator::Muted* outer = owner.mute;
  owner.mute = &cost;
  const bool good = owner.run_graph(body, e.frame());
  owner.mute = outer;
  return good;
}

bool run_body(Eval& e, Graph& body, std::int64_t times) {
  Evaluator& owner = e.owner();
  const std::int64_t outer = owner.times;
  owner.times = std::max<std::int64_t>(0, size_times(outer, times));
  const bool good = owner.run_graph(body, e.frame());
  owner.times = outer;
  return good;
}

bool if_node(Eval& e) {
  Model& m = e.model();
  const std::uint32_t then_at = e.body("then_branch"), else_at = e.body("else_branch");
  if (then_at == kNoValue || else_at == kNoValue) return e.fail("onnx-malformed", "lacks a branch");
  Graph* sides[2] = {m.graphs[then_at].get(), m.graphs[else_at].get()};
  std::int64_t condition = 0;
  const bool known = Eval::scalar(e.in(0), condition);
  if (known) {
    Graph& body = *sides[condition != 0 ? 0 : 1];
    if (!run_body(e, body, 1)) return false;
    for (int i = 0; i < e.outputs() && i < static_cast<int>(body.outputs.size()); ++i)
      if (body.outputs[i] != kNoValue) e.out(i) = value_type(m, body.outputs[i]);
    return true;
  }
  Evaluator::Muted cost[2];
  std::vector<Type> results[2];
  bool runs[2];
  for (int s = 0; s < 2; ++s) {  // a side that contradicts itself is the side that is never taken
    const std::size_t before = e.owner().problems().size();
    runs[s] = try_body(e, *sides[s], cost[s]);
    if (e.owner().out_of_work) return false;
    if (!runs[s]) e.owner().problems().resize(before);
    for (ValueId id : sides[s]->outputs) results[s].push_back(id == kNoValue || !runs[s] ? Type{} : value_type(m, id));
  }
  if (!runs[0] && !runs[1]) return e.fail("shape-mismatch", "contradicts itself in both branches");
  const int taken = !runs[0] ? 1 : !runs[1] ? 0 : cost[1].flop < cost[0].flop ? 1 : 0;
  if (!run_body(e, *sides[taken], 1)) return false;
  for (int i = 0; i < e.outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at >= results[0].size() || at >= results[1].size()) break;
    e.out(i) = runs[0] && runs[1] ? merge(m, results[0][at], results[1][at]) : results[taken][at];
  }
  if (runs[0] && runs[1] && !(cost[0].flop == cost[1].flop))
    e.owner().note_unknown_size("the condition of " + e.describe());
  if (runs[0] && runs[1] && !(cost[0].flop == cost[1].flop)) e.record(e.step(graph::Kind::unknown), 0);
  return true;
}

struct LoopState {
  std::vector<Type> carried;
};

void set_inputs(Model& m, const Graph& body, const LoopState& state, std::size_t first) {
  for (std::size_t i = 0; i < state.carried.size() && first + i < body.inputs.size(); ++i)
    value_type(m, body.inputs[first + i]) = state.carried[i];
}

// The carried values after a step; false where their shapes (or what is known of their contents) changed.
bool take_carried(Model& m, const Graph& body, std::size_t first_output, LoopState& state, bool& contents_changed) {
  bool same = true;
  for (std::size_t i = 0; i < state.carried.size() && first_output + i < body.outputs.size(); ++i) {
    const ValueId id = body.outputs[first_output + i];
    Type after = id == kNoValue ? Type{} : value_type(m, id);
    Type& before = state.carried[i];
    after.flags |= before.flags & kGradient;
    if ((after.flags & kGradient) != (before.flags & kGradient)) contents_changed = true;
    same = same && same_shape(before, after);
    const Data *x = before.known(), *y = after.known();
    const bool equal = x == y || (x != nullptr && y != nullptr && x->count == y->count && x->real == y->real &&
                                  std::equal(x->integers(), x->integers() + x->count, y->integers()));
    if (!equal) contents_changed = true;
    before = after;
  }
  return same;
}

void scalar_value(Model& m, ValueId id, std::uint8_t elem, std::int64_t value) {
  Type& t = value_type(m, id);
  t = Type{};
  t.elem = elem;
  t.flags = kRanked | kConstant;
  Data* data = m.new_data(1, false);
  data->integers()[0] = value;
  t.data = data;
}

// Copies a scan output: one more axis in front (or at `axis`), as long as the loop.
void stack(Eval& e, int output, const Type& step, std::int64_t length, int axis) {
  if (!step.ranked()) {
    e.unranked(output, step.elem);
    return;
  }
  Dims dims;
  for (int i = 0, from = 0; i <= step.rank; ++i) dims.push(i == axis ? length : step.dims[from++]);
  e.shape(output, step.elem, dims);
  e.out(output).flags |= step.flags & kGradient;
}

// Which outputs of a loop's body a gradient comes back to: in its last step, and in all earlier ones (where a carried
// value counts only if the next step reads it).
struct Reach {
  std::vector<bool> last, earlier;
};

Reach reach_of(Eval& e, Graph& body, std::size_t first, std::size_t first_output, std::size_t carried) {
  Model& m = e.model();
  Reach reach;
  reach.last.assign(body.outputs.size(), false);
  for (std::size_t i = first_output; i < body.outputs.size(); ++i)
    reach.last[i] = e.useful_output(static_cast<int>(i - first_output));
  reach.earlier = reach.last;
  for (std::size_t i = 0; i < carried; ++i) reach.earlier[first_output + i] = false;
  e.owner().mark_body(body, reach.last);
  for (int round = 0; round < 16; ++round) {
    bool grew = false;
    for (std::size_t i = 0; i < carried; ++i) {
      const bool read = (m.values[body.inputs[first + i]].flags & kUseful) != 0;
      if (read && !reach.earlier[first_output + i]) reach.earlier[first_output + i] = grew = true;
    }
    if (!grew) break;
    e.owner().mark_body(body, reach.earlier);
  }
  return reach;
}

bool same_gradients(const LoopState& a, const LoopState& b) {
  for (std::size_t i = 0; i < a.carried.size(); ++i)
    if (a.carried[i].has(kGradient) != b.carried[i].has(kGradient)) return false;
  return true;
}

// Runs the settled body for steps that cost the same; afterwards state is what they leave.
bool run_steps(Eval& e, Graph& body, std::size_t first, std::size_t first_output, LoopState& state, std::int64_t steps,
               const std::vector<bool>& reach) {
  if (steps == 0) return true;
  Model& m = e.model();
  set_inputs(m, body, state, first);
  if (first == 2) value_type(m, body.inputs[0]).data = nullptr;
  e.owner().mark_body(body, reach);
  if (!run_body(e, body, steps)) return false;
  bool changed = false;
  take_carried(m, body, first_output, state, changed);
  return true;
}

// Does one step keep all shapes, whatever the contents? Then `state` becomes what every later step starts from.
bool settles(Eval& e, Graph& body, std::size_t first, std::size_t first_output, LoopState& state, bool& out_of_work) {
  Model& m = e.model();
  Evaluator& owner = e.owner();
  out_of_work = false;
  for (int round = 0; round < 4; ++round) {
    Evaluator::Muted cost;
    set_inputs(m, body, state, first);
    if (first == 2) value_type(m, body.inputs[0]).data = nullptr;
    const std::size_t before = owner.problems().size();
    const LoopState entered = state;
    if (!try_body(e, body, cost)) {
      out_of_work = owner.out_of_work;
      if (!out_of_work) owner.problems().resize(before);
      return false;
    }
    bool changed = false;
    const bool same = take_carried(m, body, first_output, state, changed);
    if (!same || cost.unknown) return false;
    if (!changed) return true;
    for (std::size_t i = 0; i < state.carried.size(); ++i) {
      const Type& was = entered.carried[i];
      if (!state.carried[i].has(kSequence) && was.known() != state.carried[i].known()) state.carried[i].data = nullptr;
    }
  }
  return false;
}

// One body, `trips` times, with `first` inputs before the carried ones. Afterwards state holds the final carried types.
bool iterate(Eval& e, Graph& body, std::size_t first, std::size_t first_output, LoopState& state, std::int64_t trips) {
  Model& m = e.model();
  const LoopState begin = state;
  const Reach reach = reach_of(e, body, first, first_output, state.carried.size());
  bool out_of_work = false;
  const bool settled = settles(e, body, first, first_output, state, out_of_work);
  if (out_of_work) return false;
  if (trips < 0) {  // once stands for at least
    if (!settled) state = begin;
    if (!run_steps(e, body, first, first_output, state, 1, reach.last)) return false;
    for (std::size_t i = 0; i < state.carried.size(); ++i)
      state.carried[i] = merge(m, begin.carried[i], state.carried[i]);
    return true;
  }
  if (settled) {
    LoopState now = state;
    for (std::size_t i = 0; i < now.carried.size(); ++i)  // nothing is learned before the first step
      if (!begin.carried[i].has(kGradient)) now.carried[i].flags &= static_cast<std::uint16_t>(~kGradient);
    std::int64_t left = trips;
    if (left > 1 && !same_gradients(now, state)) {
      if (!run_steps(e, body, first, first_output, now, 1, reach.earlier)) return false;
      now = state;
      --left;
    }
    const bool apart = reach.last != reach.earlier;
    if (apart && !run_steps(e, body, first, first_output, now, left - 1, reach.earlier)) return false;
    if (!run_steps(e, body, first, first_output, now, apart ? 1 : left, reach.last)) return false;
    state = now;
    return true;
  }
  state = begin;
  for (std::int64_t trip = 0; trip < trips; ++trip) {
    set_inputs(m, body, state, first);
    if (first == 2) scalar_value(m, body.inputs[0], kInt64, trip);
    if (trip == 0 || trip + 1 == trips) e.owner().mark_body(body, trip + 1 == trips ? reach.last : reach.earlier);
    if (!run_body(e, body, 1)) return false;
    bool changed = false;
    take_carried(m, body, first_output, state, changed);
    std::int64_t go_on = 1;
    if (first == 2 && !body.outputs.empty() && body.outputs[0] != kNoValue &&
        Eval::scalar(value_type(m, body.outputs[0]), go_on) && go_on == 0)
      break;
  }
  return true;
}

bool loop(Eval& e) {
  Model& m = e.model();
  const std::uint32_t at = e.body("body");
  if (at == kNoValue) return e.fail("onnx-malformed", "lacks a body");
  Graph& body = *m.graphs[at];
  const auto carried = static_cast<std::size_t>(std::max(0, e.inputs() - 2));
  if (body.inputs.size() < carried + 2 || body.outputs.size() < carried + 1)
    return e.fail("onnx-malformed", "its body takes or makes fewer values than the loop carries");
  std::int64_t trips = kUnknown, keep_going = 1;
  if (e.has(0) && !Eval::scalar(e.in(0), trips)) trips = kUnknown;
  const bool condition = !e.has(1) || Eval::scalar(e.in(1), keep_going);
  if (condition && keep_going == 0) trips = 0;
  const bool endless = trips > (std::int64_t{1} << 40);  // "while": only the condition ends it
  if (endless || trips < 0)
    trips = e.owner().symbol(std::string(e.node_name().substr(0, 200)) + ".trips", "trip count of " + e.describe());
  LoopState state;
  for (std::size_t i = 0; i < carried; ++i) state.carried.push_back(e.in(static_cast<int>(i) + 2));
  scalar_value(m, body.inputs[0], kInt64, 0);
  scalar_value(m, body.inputs[1], kBool, 1);
  if (trips != 0) {
    if (!iterate(e, body, 2, 1, state, trips < 0 ? kUnknown : trips)) return false;
    if (trips < 0) {
      e.owner().note_unknown_size("the trip count of " + e.describe());
      e.record(e.step(graph::Kind::unknown), 0);
    }
  }
  for (int i = 0; i < e.outputs(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (k < carried)
      e.out(i) = state.carried[k];
    else if (k + 1 < body.outputs.size() && body.outputs[k + 1] != kNoValue && trips != 0)
      stack(e, i, Type(value_type(m, body.outputs[k + 1])), trips < 0 ? kUnknown : trips, 0);
  }
  return true;
}

bool scan(Eval& e) {
  Model& m = e.model();
  if (e.opset() == 8) {  // of that one version: a batch axis, lengths of each sequence, another order of inputs
    for (int i = 0; i < e.outputs(); ++i) e.unranked(i, e.in(i + 1).elem);
    e.unknown("Scan of opset 8");
    return true;
  }
  const std::uint32_t at = e.body("body");
  const std::int64_t scanned = e.integer("num_scan_inputs", 0);
  if (at == kNoValue || scanned <= 0 || scanned > e.inputs())
    return e.fail("onnx-malformed", "lacks a body or scan inputs");
  Graph& body = *m.graphs[at];
  const auto states = static_cast<std::size_t>(e.inputs() - scanned);
  if (body.inputs.size() < static_cast<std::size_t>(e.inputs()) || body.outputs.size() < states)
    return e.fail("onnx-malformed", "its body takes or makes fewer values than the scan carries");
  Integers in_axes, out_axes;
  e.integers("scan_input_axes", in_axes);
  e.integers("scan_output_axes", out_axes);
  std::int64_t trips = kUnknown;
  for (std::size_t i = 0; i < static_cast<std::size_t>(scanned); ++i) {
    const Type x = e.in(static_cast<int>(states + i));
    if (!x.ranked()) continue;
    int axis = 0;
    if (!e.to_axis(i < in_axes.n ? in_axes.v[i] : 0, x.rank, axis)) return false;
    if (x.dims[axis] >= 0) trips = x.dims[axis];
    Dims dims;
    for (int d = 0; d < x.rank; ++d)
      if (d != axis) dims.push(x.dims[d]);
    Type& step = value_type(m, body.inputs[states + i]);
    step = Type{};
    step.elem = x.elem;
    step.rank = static_cast<std::uint8_t>(dims.n);
    step.dims = m.keep(dims.v, dims.n);
    step.flags = static_cast<std::uint16_t>(kRanked | (x.flags & kGradient));
  }
  LoopState state;
  for (std::size_t i = 0; i < states; ++i) state.carried.push_back(e.in(static_cast<int>(i)));
  if (trips != 0 && !iterate(e, body, 0, 0, state, trips)) return false;
  if (trips < 0) e.owner().note_unknown_size("the length of " + e.describe());
  for (int i = 0; i < e.outputs(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (k < states) {
      e.out(i) = state.carried[k];
    } else if (k < body.outputs.size() && body.outputs[k] != kNoValue && trips != 0) {
      const Type step = value_type(m, body.outputs[k]);
      std::int64_t axis = k - states < out_axes.n ? out_axes.v[k - states] : 0;
      if (axis < 0) axis += step.rank + 1;
      stack(e, i, step, trips, static_cast<int>(std::clamp<std::int64_t>(axis, 0, step.rank)));
    }
  }
  return true;
}

// Sequences.
void make_sequence(Eval& e, const Type* elements, std::uint32_t count, bool counted) {
  Model& m = e.model();
  Type* kept = nullptr;
  if (count > 0) {
    kept = static_cast<Type*>(m.arena.take(count * sizeof(Type)));
    std::copy(elements, elements + count, kept);
  }
  Type& out = e.out(0);
  const std::uint16_t flags = out.flags & (kGradient | kConstant);
  out = Type{};
  out.sequence = new (m.arena.take(sizeof(Sequence))) Sequence{count, counted, kept};
  out.flags = static_cast<std::uint16_t>(flags | kSequence);
}

bool sequence_empty(Eval& e) {
  make_sequence(e, nullptr, 0, true);
  return true;
}

bool sequence_construct(Eval& e) {
  std::vector<Type> elements;
  for (int i = 0; i < e.inputs(); ++i) elements.push_back(e.in(i));
  make_sequence(e, elements.data(), static_cast<std::uint32_t>(elements.size()), true);
  return true;
}

bool sequence_insert(Eval& e) {
  const Type s = e.in(0);
  if (!s.has(kSequence) || !s.sequence->counted) {
    const Type element = e.in(1);
    make_sequence(e, &element, 1, false);
    return true;
  }
  if (s.sequence->count >= 4096) return e.fail("too-much-work", "a sequence grows beyond 4,096 tensors");
  std::vector<Type> elements(s.sequence->elements, s.sequence->elements + s.sequence->count);
  std::int64_t place = static_cast<std::int64_t>(elements.size());
  if (e.has(2) && Eval::scalar(e.in(2), place) && place < 0) place += static_cast<std::int64_t>(elements.size());
  place = std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(elements.size()));
  elements.insert(elements.begin() + place, e.in(1));
  make_sequence(e, elements.data(), static_cast<std::uint32_t>(elements.size()), true);
  return true;
}

bool sequence_erase(Eval& e) {
  const Type s = e.in(0);
  if (!s.has(kSequence) || !s.sequence->counted || s.sequence->count == 0) {
    make_sequence(e, nullptr, 0, false);
    return true;
  }
  std::vector<Type> elements(s.sequence->elements, s.sequence->elements + s.sequence->count);
  std::int64_t place = static_cast<std::int64_t>(elements.size()) - 1;
  if (e.has(1) && Eval::scalar(e.in(1), place) && place < 0) place += static_cast<std::int64_t>(elements.size());
  if (place >= 0 && place < static_cast<std::int64_t>(elements.size())) elements.erase(elements.begin() + place);
  make_sequence(e, elements.data(), static_cast<std::uint32_t>(elements.size()), true);
  return true;
}

bool sequence_at(Eval& e) {
  const Type s = e.in(0);
  std::int64_t place = 0;
  const std::uint16_t flags = e.out(0).flags;
  if (s.has(kSequence) && s.sequence->count > 0) {
    const bool known = s.sequence->counted && Eval::scalar(e.in(1), place);
    if (known && place < 0) place += s.sequence->count;
    if (known && place >= 0 && place < s.sequence->count) {
      e.out(0) = s.sequence->elements[place];
    } else {
      Type any = s.sequence->elements[0];
      for (std::uint32_t i = 1; i < s.sequence->count; ++i) any = merge(e.model(), any, s.sequence->elements[i]);
      e.out(0) = any;
    }
  }
  e.out(0).flags |= flags & kGradient;
  return true;
}

bool sequence_length(Eval& e) {
  const Type s = e.in(0);
  e.shape(0, kInt64, Dims{});
  if (s.has(kSequence) && s.sequence->counted) e.data(0, 1, false)->integers()[0] = s.sequence->count;
  return true;
}

bool split_to_sequence(Eval& e) {
  const Type x = e.in(0);
  int axis = 0;
  if (!x.ranked()) {
    make_sequence(e, nullptr, 0, false);
    return true;
  }
  if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
  const std::int64_t whole = x.dims[axis];
  Integers parts;
  e.list(1, {}, parts);
  const bool one_size = parts.present && parts.known && parts.n == 1 && e.in(1).rank == 0;
  std::vector<std::int64_t> sizes;
  if (whole >= 0 && (!parts.present || one_size)) {
    const std::int64_t each = one_size ? std::max<std::int64_t>(1, parts.v[0]) : 1;
    if (whole / each > 4096) return e.fail("too-much-work", "splits into more than 4,096 tensors");
    for (std::int64_t at = 0; at < whole; at += each) sizes.push_back(std::min(each, whole - at));
  } else if (parts.known) {
    for (std::uint32_t i = 0; i < parts.n; ++i) sizes.push_back(element_as_size(parts.v[i]));
  } else {
    make_sequence(e, nullptr, 0, false);
    return true;
  }
  const bool keep = e.integer("keepdims", 1) != 0 || parts.present;
  std::vector<Type> elements;
  for (std::int64_t size : sizes) {
    std::int64_t dims[kMaxRank];
    int n = 0;
    for (int i = 0; i < x.rank; ++i)
      if (i != axis)
        dims[n++] = x.dims[i];
      else if (keep)
        dims[n++] = size;
    Type t = x;
    t.data = nullptr;
    t.origin = 0;
    t.flags = static_cast<std::uint16_t>(kRanked | (x.flags & kGradient));
    t.rank = static_cast<std::uint8_t>(n);
    t.dims = e.model().keep(dims, n);
    elements.push_back(t);
  }
  make_sequence(e, elements.data(), static_cast<std::uint32_t>(elements.size()), true);
  return true;
}

bool concat_from_sequence(Eval& e) {
  const Type s = e.in(0);
  const bool fresh = e.integer("new_axis", 0) != 0;
  if (!s.has(kSequence) || !s.sequence->counted || s.sequence->count == 0 || !s.sequence->elements[0].ranked()) {
    e.unranked(0, kFloat);
    return true;
  }
  const Type first = s.sequence->elements[0];
  int axis = 0;
  if (!e.to_axis(e.integer("axis", 0), first.rank + (fresh ? 1 : 0), axis)) return false;
  Dims dims;
  for (int i = 0; i < first.rank; ++i) dims.push(first.dims[i]);
  if (fresh) {
    dims.n = 0;
    for (int i = 0, from = 0; i <= first.rank; ++i) dims.push(i == axis ? s.sequence->count : first.dims[from++]);
  } else {
    for (std::uint32_t i = 1; i < s.sequence->count; ++i) {
      const Type& t = s.sequence->elements[i];
      dims.v[axis] = t.ranked() && t.rank == first.rank ? size_plus(dims.v[axis], t.dims[axis]) : kUnknown;
    }
  }
  e.shape(0, first.elem, dims);
  return true;
}

bool sequence_map(Eval& e) {
  Model& m = e.model();
  const std::uint32_t at = e.body("body");
  const Type s = e.in(0);
  if (at == kNoValue) return e.fail("onnx-malformed", "lacks a body");
  Graph& body = *m.graphs[at];
  if (!s.has(kSequence) || !s.sequence->counted) {
    make_sequence(e, nullptr, 0, false);
    e.owner().note_unknown_size(e.describe());
    return true;
  }
  std::vector<Type> elements;
  for (std::uint32_t i = 0; i < s.sequence->count; ++i) {
    for (int k = 0; k < e.inputs() && k < static_cast<int>(body.inputs.size()); ++k) {
      const Type x = e.in(k);
      value_type(m, body.inputs[k]) = x.has(kSequence) && i < x.sequence->count ? x.sequence->elements[i] : x;
    }
    if (!run_body(e, body, 1)) return false;
    elements.push_back(body.outputs.empty() || body.outputs[0] == kNoValue ? Type{} : value_type(m, body.outputs[0]));
  }
  make_sequence(e, elements.data(), static_cast<std::uint32_t>(elements.size()), true);
  return true;
}

// Optionals are passed through: what they may hold is what is counted.
bool optional(Eval& e) {
  if (e.inputs() > 0 && e.has(0))
    e.out(0) = e.in(0);
  else
    e.out(0).flags |= kOptionalEmpty;
  return true;
}

bool optional_has(Eval& e) {
  e.shape(0, kBool, Dims{});
  e.data(0, 1, false)->integers()[0] = e.has(0) && !e.in(0).has(kOptionalEmpty) ? 1 : 0;
  return true;
}

}  // namespace

const Rule kControlRules[] = {
    {"If", if_node, 0, 0, kAll, 0, 0, true},
    {"Loop", loop, 0, ~std::uint32_t{3}, kAll, 0, 0, true},
    {"Scan", scan, 0, kAll, kAll, 0, 0, true},
    {"SequenceMap", sequence_map, 0, kAll, kAll, 0, 0, true},
    {"SequenceEmpty", sequence_empty},
    {"SequenceConstruct", sequence_construct},
    {"SequenceInsert", sequence_insert, 4, 3},
    {"SequenceErase", sequence_erase, 2, 1},
    {"SequenceAt", sequence_at, 2, 1},
    {"SequenceLength", sequence_length, 0, 0, 0},
    {"SplitToSequence", split_to_sequence, 2, 1},
    {"ConcatFromSequence", concat_from_sequence},
    {"Optional", optional},
    {"OptionalGetElement", optional},
    {"OptionalHasElement", optional_has, 0, 0, 0},
    {"", nullptr},
};

}  // namespace floptally::onnx
