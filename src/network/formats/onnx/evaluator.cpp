// The walk over graphs: order, gradients, which weights are learned, functions.
#include <algorithm>
#include <cstdio>

#include "base/embedded.h"
#include "network/formats/onnx/eval.h"
#include "network/formats/wire/protobuf.h"

namespace floptally::onnx {

Evaluator::Evaluator(Model& model, graph::Recorder& recorder, const Bindings& bindings)
    : model_(model), recorder_(recorder), bindings_(bindings), storage_(model.values.size(), kNoValue) {}

void Evaluator::record(const graph::Step& step) {
  if (mute == nullptr) {
    recorder_.record(step);
    return;
  }
  const Integer product = Integer(step.batch) * step.rows * step.columns * step.inner;
  mute->flop += product * Integer(2) * Integer(step.times);
  mute->unknown = mute->unknown || step.kind == graph::Kind::unknown;
}

void Evaluator::note_unknown_operator(std::string_view op) {
  if (mute != nullptr) return;
  for (auto& [name, count] : unknown_operators_)
    if (name == op) {
      ++count;
      return;
    }
  if (unknown_operators_.size() < 1000) unknown_operators_.emplace_back(op, 1);
}

void Evaluator::note_unknown_size(const std::string& where) {
  if (mute != nullptr)
    mute->unknown = true;
  else
    unknown_sizes_.push_back(where);
}

void Evaluator::note_needed(const Type& type) {
  for (int i = 0; mute == nullptr && type.ranked() && i < type.rank; ++i) {
    if (type.dims[i] > -2) continue;
    const auto symbol = static_cast<std::size_t>(-2 - type.dims[i]);
    if (symbol < model_.symbols.size() && std::find(needed_.begin(), needed_.end(), symbol) == needed_.end())
      needed_.push_back(symbol);
  }
}

std::int64_t Evaluator::symbol(const std::string& name, const std::string& where) {
  for (const auto& [bound, size] : bindings_.let) {
    if (bound != name) continue;
    bindings_.met.push_back(name);
    return size;
  }
  for (std::size_t i = 0; i < model_.symbols.size(); ++i)
    if (model_.symbols[i].name == name) return -2 - static_cast<std::int64_t>(i);
  if (model_.symbols.size() >= 10'000) return kUnknown;
  model_.symbols.push_back({name, where, true});
  return -2 - static_cast<std::int64_t>(model_.symbols.size() - 1);
}

namespace {

// Rows of data/network/graph_constants.csv: names that mark an initializer as held, not learned.
bool named_constant(std::string_view name, std::int64_t elements) {
  const auto table = embedded_file("network/graph_constants.csv");
  if (!table) return false;
  std::string_view rest = *table;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) continue;
    const std::string_view kind = line.substr(0, comma);
    std::string_view word = line.substr(comma + 1);
    word = word.substr(0, word.find(','));
    if (kind == "last" && name.size() >= word.size() && name.substr(name.size() - word.size()) == word) {
      const std::size_t before = name.size() - word.size();
      if (before == 0 || name[before - 1] == '.' || name[before - 1] == '/' || name[before - 1] == '_') return true;
    }
    if (kind == "single" && elements == 1 && name.substr(0, word.size()) == word) return true;
  }
  return false;
}

}  // namespace

void Evaluator::decide_trained() {
  for (Initializer& w : model_.initializers) {
    Value& v = model_.values[w.value];
    w.trained = is_float(w.elem) && (v.flags & kSetting) == 0 && w.elements > 0 && !named_constant(w.name, w.elements);
    if (w.elements == 1 && !w.name.empty() && w.name[0] >= '0' && w.name[0] <= '9') w.trained = false;
    if (w.trained) v.type.flags |= kGradient;
  }
}

// What lies on a differentiable path to an output of the model: a gradient reaches only these values.
void Evaluator::mark_useful(const Graph& graph, int depth) {
  for (ValueId id : graph.outputs)
    if (id != kNoValue) model_.values[id].flags |= kUseful;
  mark_nodes(graph, depth);
}

void Evaluator::mark_body(Graph& body, const std::vector<bool>& outputs) {
  for (ValueId id = body.first_value; id < body.end_value; ++id)
    model_.values[id].flags &= static_cast<std::uint8_t>(~kUseful);
  for (std::size_t i = 0; i < body.outputs.size() && i < outputs.size(); ++i)
    if (outputs[i] && body.outputs[i] != kNoValue) model_.values[body.outputs[i]].flags |= kUseful;
  mark_nodes(body, 0);
}

void Evaluator::mark_nodes(const Graph& graph, int depth) {
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const Rule* rule = node.rule < kLocalFunction ? &rule_at(node.rule) : nullptr;
    bool useful = false;
    for (unsigned i = 0; i < node.outputs; ++i) {
      const ValueId id = model_.operands[node.operands + node.inputs + i];
      const bool yields = rule == nullptr || i >= 32 || (rule->yields >> i & 1) != 0;
      useful = useful || (id != kNoValue && yields && (model_.values[id].flags & kUseful) != 0);
    }
    if (!useful) continue;
    if (rule != nullptr && rule->name == "Cast") {
      Attribute to;
      if (find_attribute(model_, {node.bytes, node.size}, "to", nullptr, to) && to.given &&
          !is_float(static_cast<std::uint8_t>(to.i)))
        continue;
    }
    const Graph* loop_body = nullptr;
    if (rule != nullptr && rule->bodies) {
      for (const Model::Body& body : model_.bodies_of(node)) {
        mark_useful(*model_.graphs[body.graph], depth + 1);
        for (ValueId captured : model_.graphs[body.graph]->captures) model_.values[captured].flags |= kUseful;
        if (rule->name == "Loop") loop_body = model_.graphs[body.graph].get();
      }
    }
    for (unsigned i = 0; i < node.inputs; ++i) {
      const ValueId id = model_.operands[node.operands + i];
      const bool carries = rule == nullptr || i >= 32 || (rule->carries >> i & 1) != 0;
      const bool read = loop_body == nullptr || i >= loop_body->inputs.size() ||  // a loop reads what its body reads
                        (model_.values[loop_body->inputs[i]].flags & kUseful) != 0;
      if (id != kNoValue && carries && read) model_.values[id].flags |= kUseful;
    }
    if (node.rule == kLocalFunction && depth < 2 * kMaxNesting) {
      const Function& f = model_.functions[node.function];
      const Graph& inner = *model_.graphs[f.graph];
      bool marked = true;
      for (ValueId id : inner.outputs) marked = marked && (id == kNoValue || (model_.values[id].flags & kUseful) != 0);
      if (!marked) mark_useful(inner, depth + 1);
    }
  }
}

// Puts nodes in an order in which each comes after what it reads (Kahn). False on a cycle.
bool Evaluator::sort(Graph& graph) {
  std::vector<std::uint32_t> maker(model_.values.size(), kNoValue);
  const auto count = static_cast<std::uint32_t>(graph.nodes.size());
  for (std::uint32_t n = 0; n < count; ++n)
    for (unsigned i = 0; i < graph.nodes[n].outputs; ++i) {
      const ValueId id = model_.operands[graph.nodes[n].operands + graph.nodes[n].inputs + i];
      if (id != kNoValue) maker[id] = n;
    }
  std::vector<std::uint32_t> waits(count, 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> arrows;  // maker, reader
  auto arrow = [&](ValueId id, std::uint32_t reader) {
    if (id == kNoValue || maker[id] == kNoValue) return;
    arrows.emplace_back(maker[id], reader);
    ++waits[reader];
  };
  for (std::uint32_t n = 0; n < count; ++n) {
    const Node& node = graph.nodes[n];
    for (unsigned i = 0; i < node.inputs; ++i) arrow(model_.operands[node.operands + i], n);
    if (node.rule < kLocalFunction && rule_at(node.rule).bodies)
      for (const Model::Body& body : model_.bodies_of(node))
        for (ValueId id : model_.graphs[body.graph]->captures) arrow(id, n);
  }
  std::sort(arrows.begin(), arrows.end());
  std::vector<std::uint32_t> ready;
  for (std::uint32_t n = count; n-- > 0;)
    if (waits[n] == 0) ready.push_back(n);
  std::vector<Node> sorted;
  sorted.reserve(count);
  while (!ready.empty()) {
    const std::uint32_t n = ready.back();
    ready.pop_back();
    sorted.push_back(graph.nodes[n]);
    auto at = std::lower_bound(arrows.begin(), arrows.end(), std::make_pair(n, std::uint32_t{0}));
    for (; at != arrows.end() && at->first == n; ++at)
      if (--waits[at->second] == 0) ready.push_back(at->second);
  }
  if (sorted.size() == count) {
    graph.nodes = std::move(sorted);
    return true;
  }
  for (std::uint32_t n = 0; n < count; ++n)
    if (waits[n] > 0) {
      Eval e(*this, graph, graph.nodes[n], nullptr);
      return e.fail("graph-cycle", "is part of a cycle: what it reads depends on what it makes",
                    "an ONNX graph must have no cycles");
    }
  return false;
}

bool Evaluator::apply(Graph& graph, const Node& node, const Frame* frame) {
  if (++work > most_work) {
    out_of_work = true;
    problems_.push_back(error(
        "too-much-work", "the graph's loops and functions unroll to more than " + std::to_string(most_work) + " nodes",
        model_.at(node.bytes), "a loop whose shapes settle is counted once and multiplied; this one does not settle"));
    return false;
  }
  Eval e(*this, graph, node, frame);
  bool constant = true, gradient = false;
  for (unsigned i = 0; i < node.inputs; ++i) {
    const ValueId id = model_.operands[node.operands + i];
    if (id == kNoValue) continue;
    const Value& v = model_.values[id];
    if ((v.flags & kDefined) == 0)
      return e.fail("undefined-value", "reads '" + std::string(v.name.substr(0, 100)) + "', which nothing makes");
    const std::uint32_t carries = node.rule < kLocalFunction ? rule_at(node.rule).carries : kAll;
    constant = constant && v.type.has(kConstant);
    gradient = gradient || (v.type.has(kGradient) && (i >= 32 || (carries >> i & 1) != 0));
    if (v.type.origin != 0) model_.initializers[v.type.origin - 1].used = true;
  }
  if (node.rule == kLocalFunction) return run_function(e, model_.functions[node.function]);
  if (node.rule == kNoRule) {
    for (int i = 0; i < node.outputs; ++i)
      if (gradient) e.out(i).flags |= kGradient;
    e.unknown(e.op_name());
    return true;
  }
  const Rule& rule = rule_at(node.rule);
  if (!rule.bodies)
    for (unsigned i = 0; i < node.outputs; ++i) {
      Type& type = e.out(static_cast<int>(i));
      if (gradient && (i >= 32 || (rule.yields >> i & 1) != 0)) type.flags |= kGradient;
      if (constant) type.flags |= kConstant;
    }
  if (!rule.apply(e)) return false;
  e.view_outputs();
  if (gradient && !rule.bodies)  // whole numbers have no gradient
    for (unsigned i = 0; i < node.outputs; ++i) {
      Type& type = e.out(static_cast<int>(i));
      if (type.elem != kNone && !is_float(type.elem) && !type.has(kSequence))
        type.flags &= static_cast<std::uint16_t>(~kGradient);
    }
  return true;
}

bool Evaluator::run_graph(Graph& graph, const Frame* frame) {
  for (const Node& node : graph.nodes)
    if (!apply(graph, node, frame)) return false;
  return true;
}

// What a function reads and gives is what its caller has.
void Evaluator::pass(ValueId from, ValueId to) {
  if (to == kNoValue) return;
  model_.values[to].type = from == kNoValue ? Type{} : model_.values[from].type;
  storage_[to] = from == kNoValue ? kNoValue : storage(from);
}

bool Evaluator::run_function(Eval& call, Function& function) {
  if (function.active)
    return call.fail("graph-cycle", "function '" + std::string(function.name.substr(0, 60)) + "' calls itself");
  Graph& body = *model_.graphs[function.graph];
  for (std::size_t i = 0; i < body.inputs.size(); ++i) pass(call.input_id(static_cast<int>(i)), body.inputs[i]);
  int depth = 0;
  for (const Frame* f = call.frame(); f != nullptr; f = f->parent) ++depth;
  if (depth >= kMaxNesting) return call.fail("nested-too-deep", "functions call one another more than 32 deep");
  const Frame frame{&call.node(), &function, call.frame()};
  function.active = true;
  const bool good = run_graph(body, &frame);
  function.active = false;
  if (!good) return false;
  for (int i = 0; i < call.outputs() && i < static_cast<int>(body.outputs.size()); ++i)
    pass(body.outputs[static_cast<std::size_t>(i)], call.output_id(i));
  return true;
}

// Weights that are read only through steps that lose sight of them (a Concat of weights, say).
void Evaluator::hold_the_rest() {
  for (Initializer& w : model_.initializers) {
    if (w.owned || !w.used) continue;
    graph::Step s;
    s.kind = graph::Kind::held;
    s.op = "initializer";
    s.name = w.name;
    const std::size_t dot = w.name.rfind('.');
    if (dot != std::string_view::npos && dot > 0) s.module = w.name.substr(0, dot);
    s.stored = dtype_of(w.elem);
    if (w.trained)
      s.parameters = w.elements;
    else
      s.buffers = w.elements;
    recorder_.record(s);
    w.owned = true;
  }
}

Result<bool> Evaluator::run() {
  std::string missing;
  std::string first;
  for (const Symbol& s : model_.symbols) {
    if (missing.size() < 600) missing += (missing.empty() ? "" : ", ") + ("'" + s.name + "' (" + s.where + ")");
    if (first.empty()) first = s.name;
  }
  if (!missing.empty())
    return error("missing-dimension", "the graph leaves open: " + missing, Span{model_.source, 0, 0},
                 "give a size with --let " + first + "=8, or all of the first input's with --input 1x3x224x224");
  for (const Value& v : model_.values)
    if ((v.flags & kGraphInput) != 0 && v.scope == 0 && !v.type.ranked() && !v.type.has(kSequence))
      return error("missing-shape", "input '" + std::string(v.name.substr(0, 100)) + "' has no shape",
                   Span{model_.source, 0, 0}, "give it with --input, for example --input 1x3x224x224");
  decide_trained();
  for (const auto& graph : model_.graphs)
    if (!graph->ordered && !sort(*graph)) return std::move(problems_);
  mark_useful(*model_.graphs[0], 0);
  find_wholes();
  if (!run_graph(*model_.graphs[0], nullptr)) return std::move(problems_);
  hold_the_rest();
  for (const auto& [name, count] : unknown_operators_)
    notes_.push_back(warning("unknown-operator",
                             "operator '" + name + "' (" + std::to_string(count) + (count == 1 ? " node" : " nodes") +
                                 ") is not known: totals are \"at least\"",
                             Span{model_.source, 0, 0}));
  if (!unknown_sizes_.empty()) {
    std::string names;
    for (std::size_t s : needed_)
      if (names.size() < 300) names += (names.empty() ? "" : ", ") + model_.symbols[s].name;
    for (const Symbol& s : model_.symbols)
      if (needed_.empty() && s.from_data && names.size() < 300) names += (names.empty() ? "" : ", ") + s.name;
    notes_.push_back(warning("data-dependent-size",
                             std::to_string(unknown_sizes_.size()) +
                                 (unknown_sizes_.size() == 1 ? " node has a size that is not known: "
                                                             : " nodes have sizes that are not known, first ") +
                                 unknown_sizes_.front() + ": totals are \"at least\"",
                             Span{model_.source, 0, 0},
                             names.empty() ? "" : "bind them with --let NAME=SIZE: " + names));
  }
  return true;
}

}  // namespace floptally::onnx
