#include "network/formats/pt2/program.h"

#include <algorithm>
#include <map>

#include "network/formats/pt2/aten.h"
#include "network/formats/wire/size_expression.h"

namespace floptally::pt2 {
namespace {

using graph::FlowId;
using graph::FlowValue;

// torch.ScalarType as the schema numbers it.
Dtype dtype_of(std::int64_t code) {
  switch (code) {
    case 1:
      return Dtype::uint8;
    case 2:
      return Dtype::int8;
    case 3:
      return Dtype::int16;
    case 4:
      return Dtype::int32;
    case 5:
      return Dtype::int64;
    case 6:
      return Dtype::float16;
    case 7:
      return Dtype::float32;
    case 8:
      return Dtype::float64;
    case 10:
      return Dtype::complex64;
    case 11:
      return Dtype::complex128;
    case 12:
      return Dtype::boolean;
    case 13:
      return Dtype::bfloat16;
    case 28:
      return Dtype::uint16;
    case 29:
    case 31:
      return Dtype::float8_e4m3;
    case 30:
    case 32:
      return Dtype::float8_e5m2;
    default:
      return Dtype::unspecified;
  }
}

class Reader {
 public:
  Reader(const Document& document, const Inputs& inputs, Program& program)
      : root_(document.root()), inputs_(inputs), program_(program) {}

  Result<bool> run() {
    const Node module = root_["graph_module"];
    const Node graph = module["graph"];
    if (!graph["nodes"].is_sequence() || !graph["tensor_values"].is_mapping())
      return error("pt2-malformed", "the program has no graph_module.graph with nodes and tensor_values", root_.span(),
                   "expected the JSON that torch.export.save writes");
    bind_inputs(module["signature"]["input_specs"], graph["tensor_values"]);
    if (!problems_.empty()) return std::move(problems_);
    read_values(graph["tensor_values"]);
    if (!open_.empty()) {
      std::string names;
      for (const auto& [name, where] : open_) names += (names.empty() ? "" : ", ") + ("'" + name + "'" + where);
      return error("missing-dimension", "the program leaves open: " + names, graph["tensor_values"].key_span(),
                   "give a size with --let " + open_.begin()->first +
                       "=8, or all of the first input's with --input 1x3x224x224");
    }
    read_signature(module["signature"]);
    read_nodes(graph["nodes"]);
    read_outputs(graph["outputs"], module["signature"]["output_specs"]);
    return true;
  }

 private:
  // Symbols that stand alone in an input's sizes are bound by the options.
  void bind_inputs(Node specs, Node values) {
    for (const auto& [name, size] : inputs_.let) symbols_[name] = size;
    bool first = true;
    for (Node spec : specs) {
      const std::string_view name = spec["user_input"]["arg"]["as_tensor"]["name"].text();
      if (name.empty()) continue;
      const Node sizes = values[name]["sizes"];
      if (first && !inputs_.shape.empty() && inputs_.shape.size() != sizes.size())
        problems_.push_back(error("input-shape",
                                  "input '" + std::string(name) + "' has " + std::to_string(sizes.size()) +
                                      " dimensions, --input gives " + std::to_string(inputs_.shape.size()),
                                  sizes.span()));
      for (std::size_t axis = 0; axis < sizes.size() && problems_.empty(); ++axis) {
        const std::string symbol(sizes[axis]["as_expr"]["expr_str"].text());
        if (symbol.empty()) continue;
        const std::string place = std::string(name) + "." + std::to_string(axis);
        if (first && !inputs_.shape.empty()) symbols_.try_emplace(symbol, inputs_.shape[axis]);
        for (const auto& [let, size] : inputs_.let)
          if (let == place || (let == "batch" && axis == 0)) symbols_.try_emplace(symbol, size);
        if (inputs_.batch > 0 && axis == 0) symbols_.try_emplace(symbol, inputs_.batch);
        if (axis == 0 && symbols_.count(symbol) != 0 && symbols_[symbol] > 0) program_.samples = symbols_[symbol];
        if (symbols_.count(symbol) == 0)
          open_.try_emplace(symbol, " (dimension " + std::to_string(axis) + " of input '" + std::string(name) + "')");
      }
      first = false;
    }
  }

  std::int64_t size_of(Node size) {
    if (size["as_int"]) return size["as_int"].as_integer().value_or(Integer(-1)).to_int64();
    const Node expression = size["as_expr"]["expr_str"];
    return wire::evaluate_size(expression.text(),
                               [&](std::string_view name) -> std::int64_t {
                                 const auto at = symbols_.find(name);
                                 return at == symbols_.end() ? -1 : at->second;
                               })
        .value_or(-1);
  }

  void read_values(Node values) {
    for (Node meta : values) {
      FlowValue& v = program_.flow.value(program_.flow.id(meta.key()));
      v.dtype = dtype_of(meta["dtype"].as_integer().value_or(Integer(0)).to_int64());
      v.ranked = meta["sizes"].is_sequence();
      v.trained = meta["requires_grad"].as_bool().value_or(true);  // read again where it is a parameter
      for (Node size : meta["sizes"]) v.dims.push_back(std::max<std::int64_t>(size_of(size), -1));
    }
  }

  void weight(Node spec, std::string_view path_key, bool learned) {
    const std::string_view name = spec["arg"]["name"].text();
    if (name.empty()) return;
    FlowValue& v = program_.flow.value(program_.flow.id(name));
    v.weight = true;
    v.trained = learned && v.trained && graph::is_float(v.dtype);
    v.path = std::string(spec[path_key].text());
  }

  void read_signature(Node signature) {
    for (Node spec : signature["input_specs"]) {
      weight(spec["parameter"], "parameter_name", true);
      weight(spec["buffer"], "buffer_name", false);
      weight(spec["tensor_constant"], "tensor_constant_name", false);
    }
  }

  void collect(Node argument, std::vector<FlowId>& into) {
    const auto one = [&](Node tensor) {
      if (tensor["name"]) into.push_back(program_.flow.id(tensor["name"].text()));
    };
    one(argument["as_tensor"]);
    one(argument["as_optional_tensor"]["as_tensor"]);
    for (Node item : argument["as_tensors"]) one(item);
    for (Node item : argument["as_optional_tensors"]) one(item["as_tensor"]);
  }

  void read_nodes(Node nodes) {
    for (Node node : nodes) {
      std::string_view op = node["target"].text();     // "torch.ops.aten.conv2d.default"
      if (op.substr(0, 10) != "torch.ops.") continue;  // arithmetic on sizes
      op.remove_prefix(10);
      const bool aten = op.substr(0, 5) == "aten.";
      if (aten) op = op.substr(5, op.find('.', 5) - 5);
      Call call{program_.flow, program_.flow.keep(std::string(op)), {}, node["inputs"], {}, {}};
      for (Node argument : node["inputs"]) collect(argument["arg"], call.tensors);
      for (Node output : node["outputs"]) collect(output, call.outputs);
      call.name = call.outputs.empty() ? call.op : std::string_view(program_.flow.value(call.outputs[0]).name);
      apply(call);
    }
  }

  void read_outputs(Node outputs, Node specs) {
    std::vector<FlowId> ids;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (!specs || !specs[i]["buffer_mutation"]) collect(outputs[i], ids);
    for (FlowId id : ids) program_.flow.output(id);
  }

  Node root_;
  const Inputs& inputs_;
  Program& program_;
  Diagnostics problems_;
  std::map<std::string, std::int64_t, std::less<>> symbols_;
  std::map<std::string, std::string> open_;
};

}  // namespace

Result<bool> read_program(const Document& document, const Inputs& inputs, Program& program) {
  return Reader(document, inputs, program).run();
}

}  // namespace floptally::pt2
