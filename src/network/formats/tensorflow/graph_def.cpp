#include "network/formats/tensorflow/graph_def.h"

#include <algorithm>

#include "network/formats/tensorflow/ops.h"

namespace floptally::tensorflow {
namespace {

using graph::FlowId;
using graph::FlowValue;
using graph::kNothing;

constexpr std::int64_t kMostNodes = 2'000'000;
constexpr int kMostCalls = 64;

// "node", "node:1", "node:out:1", "^node": the node's name, and which output.
std::string_view split_reference(std::string_view text, std::size_t& output) {
  output = 0;
  if (!text.empty() && text[0] == '^') return text.substr(1);
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos) return text;
  for (char c : text.substr(last + 1))
    output = c >= '0' && c <= '9' && output < 10000 ? output * 10 + static_cast<std::size_t>(c - '0') : output;
  return text.substr(0, first);
}

using Scope = std::map<std::string_view, std::vector<FlowId>>;

class Builder {
 public:
  Builder(std::string_view file, const Source* source, const Inputs& inputs, Read& out)
      : reader_{file.data(), error_}, source_(source), inputs_(inputs), out_(out) {}

  Result<bool> run(std::string_view file, bool saved_model) {
    if (saved_model) {
      wire::Message field(file, file.data(), error_);
      while (field.next())
        if (field.text(2) && graph_.nodes.empty()) reader_.meta_graph(field.bytes, graph_);
    } else {
      reader_.graph(file, graph_);
    }
    if (error_.reason == nullptr && graph_.nodes.empty()) error_ = {"the file holds no graph", 0};
    if (error_.reason != nullptr)
      return error("tensorflow-malformed", std::string(error_.reason) + " (byte " + std::to_string(error_.offset) + ")",
                   Span{source_, error_.offset, error_.offset},
                   "the file is damaged or cut short, or is no TensorFlow graph");
    Scope scope;
    if (!nodes(graph_.nodes, graph_.signature_outputs, scope, 0)) return std::move(problems_);
    if (!open_.empty())
      return error(
          "missing-dimension", "the graph leaves open: " + open_, Span{source_, 0, 0},
          "give sizes with --let NAME.AXIS=8, --batch 8, or all of the first input's with --input 1x224x224x3");
    mark_outputs(scope);
    if (saved_model && graph_.signature_outputs.empty() && !graph_.functions.empty()) no_signature();
    return true;
  }

 private:
  // Nothing says which of the functions is the model (a module to be called from Python): none of them is counted.
  void no_signature() {
    const auto larger = [](const auto& a, const auto& b) { return a.second.nodes.size() < b.second.nodes.size(); };
    const auto& [name, largest] = *std::max_element(graph_.functions.begin(), graph_.functions.end(), larger);
    const std::string what = "functions without a signature, the largest '" + std::string(name.substr(0, 100)) +
                             "' of " + std::to_string(largest.nodes.size()) + " nodes";
    out_.flow.unknown(out_.flow.keep(what), "functions", {}, {});
  }

  void mark_outputs(const Scope& scope) {
    std::size_t index = 0;
    for (std::string_view text : graph_.signature_outputs) {
      const auto at = scope.find(split_reference(text, index));
      if (at != scope.end() && index < at->second.size()) out_.flow.output(at->second[index]);
    }
    if (!graph_.signature_outputs.empty()) return;
    std::map<std::string_view, bool> read;
    for (const NodeDef& n : graph_.nodes)
      for (std::string_view input : n.inputs) read[split_reference(input, index)] = true;
    for (const NodeDef& n : graph_.nodes)
      if (read.count(n.name) == 0)
        for (FlowId id : scope.at(n.name)) out_.flow.output(id);
  }

  // In an order in which each comes after what it reads; only what `wanted` needs, if it names anything.
  bool nodes(const std::vector<NodeDef>& list, const std::vector<std::string_view>& wanted, Scope& scope, int depth) {
    std::map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < list.size(); ++i) index.emplace(list[i].name, i);
    enum : std::uint8_t { kNew, kOpen, kDone };
    std::vector<std::uint8_t> state(list.size(), kNew);
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // node, next input to look at
    std::size_t output = 0;
    const auto start = [&](std::size_t node) -> bool {
      if (state[node] != kNew) return true;
      stack.emplace_back(node, 0);
      state[node] = kOpen;
      while (!stack.empty()) {
        auto& [n, next] = stack.back();
        const NodeDef& def = list[n];
        if (next == def.inputs.size()) {
          if (!apply(def, scope, depth)) return false;
          state[n] = kDone;
          stack.pop_back();
          continue;
        }
        const std::string_view input = def.inputs[next++];
        if (!input.empty() && input[0] == '^') continue;  // order, no data
        const auto at = index.find(split_reference(input, output));
        if (at == index.end() || state[at->second] == kDone) continue;
        const bool back_edge = def.op == "Merge" || def.op == "NextIteration";
        if (state[at->second] == kOpen) {
          if (back_edge) continue;
          return fail("graph-cycle", "node '" + std::string(def.name.substr(0, 100)) + "' depends on itself", def);
        }
        state[at->second] = kOpen;
        stack.emplace_back(at->second, 0);
      }
      return true;
    };
    for (std::string_view text : wanted) {
      const auto at = index.find(split_reference(text, output));
      if (at != index.end() && !start(at->second)) return false;
    }
    for (std::size_t i = 0; wanted.empty() && i < list.size(); ++i)
      if (!start(i)) return false;
    return true;
  }

  bool fail(std::string code, const std::string& what, const NodeDef& node) {
    const auto at = static_cast<std::uint64_t>(node.bytes.data() - reader_.file);
    problems_.push_back(error(std::move(code), what, Span{source_, at, at}));
    return false;
  }

  bool apply(const NodeDef& node, Scope& scope, int depth) {
    if (++work_ > kMostNodes) return fail("too-much-work", "function calls unroll to more than 2,000,000 nodes", node);
    OpCall call{out_.flow, reader_, node, {}, {}, elements_};
    for (std::string_view text : node.inputs) {
      if (!text.empty() && text[0] == '^') continue;
      std::size_t output = 0;
      const auto at = scope.find(split_reference(text, output));
      call.inputs.push_back(at != scope.end() && output < at->second.size() ? at->second[output] : kNothing);
    }
    if (node.op == "PartitionedCall" || node.op == "StatefulPartitionedCall") {
      if (!function(call, depth)) return false;
    } else if (node.op == "Placeholder" || node.op == "PlaceholderWithDefault") {
      placeholder(call);
    } else {
      apply_op(call, batch_);
    }
    scope[node.name] = call.outputs;
    return true;
  }

  bool function(OpCall& call, int depth) {
    const auto name = call.node.attributes.find("f");
    const auto found =
        name == call.node.attributes.end() ? graph_.functions.end() : graph_.functions.find(reader_.text(name->second));
    if (found == graph_.functions.end())
      return fail("undefined-value", "calls a function that is not in the library", call.node);
    if (depth >= kMostCalls || std::find(calls_.begin(), calls_.end(), found->first) != calls_.end())
      return fail("graph-cycle", "function '" + std::string(found->first.substr(0, 100)) + "' calls itself", call.node);
    const FunctionDef& f = found->second;
    Scope inner;
    for (std::size_t i = 0; i < f.arguments.size() && i < call.inputs.size(); ++i)
      inner[f.arguments[i]] = {call.inputs[i]};
    std::vector<std::string_view> wanted;
    for (std::string_view output : f.outputs)
      if (const auto at = f.returns.find(output); at != f.returns.end()) wanted.push_back(at->second);
    calls_.push_back(found->first);
    const bool good = wanted.empty() || nodes(f.nodes, wanted, inner, depth + 1);
    calls_.pop_back();
    if (!good) return false;
    for (std::string_view text : wanted) {
      std::size_t output = 0;
      const auto at = inner.find(split_reference(text, output));
      call.outputs.push_back(at != inner.end() && output < at->second.size() ? at->second[output] : kNothing);
    }
    for (FlowId& id : call.outputs)
      if (id == kNothing) id = out_.flow.id(std::string(call.node.name) + "#nothing" + std::to_string(++work_));
    return true;
  }

  void placeholder(OpCall& call) {
    FlowValue& v = call.make();
    const Shape shape = reader_.shape_attribute(call.attribute("shape"));
    v.dtype = ProtoReader::dtype_of(reader_.integer(call.attribute("dtype"), 1));
    v.ranked = shape.ranked;
    v.dims = shape.dims;
    const bool first = std::exchange(first_, false);
    if (first && !inputs_.shape.empty() && (!v.ranked || v.dims.size() == inputs_.shape.size())) {
      if (v.ranked && !v.dims.empty() && v.dims[0] < 0) batch_ = out_.samples = inputs_.shape[0];
      v.dims = inputs_.shape;
      v.ranked = true;
    }
    const std::string name(call.node.name.substr(0, 100));
    for (std::size_t axis = 0; axis < v.dims.size(); ++axis) {
      if (v.dims[axis] >= 0) continue;
      for (const auto& [let, size] : inputs_.let)
        if (let == name + "." + std::to_string(axis) || (axis == 0 && let == "batch")) v.dims[axis] = size;
      if (axis == 0 && inputs_.batch > 0) v.dims[axis] = inputs_.batch;
      if (axis == 0 && v.dims[axis] > 0) batch_ = out_.samples = v.dims[axis];
      if (v.dims[axis] < 0) open_ += (open_.empty() ? "'" : ", '") + name + "." + std::to_string(axis) + "'";
    }
    if (!v.ranked) open_ += (open_.empty() ? "" : ", ") + ("the shape of '" + name + "'");
  }

  wire::WireError error_;
  ProtoReader reader_;
  const Source* source_;
  const Inputs& inputs_;
  Read& out_;
  GraphDef graph_;
  Elements elements_;
  std::vector<std::string_view> calls_;
  Diagnostics problems_;
  std::string open_;
  std::int64_t work_ = 0, batch_ = -1;
  bool first_ = true;
};

}  // namespace

Result<bool> read_graph(std::string_view file, bool saved_model, const Source* source, const Inputs& inputs,
                        Read& out) {
  return Builder(file, source, inputs, out).run(file, saved_model);
}

}  // namespace floptally::tensorflow
