// From bytes to the records of model.h: one walk over the file, names interned as they come.
#include <algorithm>
#include <functional>
#include <unordered_map>

#include "network/formats/onnx/model.h"
#include "network/formats/onnx/names.h"
#include "network/formats/onnx/rules.h"
#include "network/formats/wire/protobuf.h"

namespace floptally::onnx {
namespace {

using wire::Message;
using wire::WireError;

class Reader {
 public:
  Reader(Model& model, const Bindings& bindings) : m_(model), bind_(bindings) {}
  Result<bool> run();

 private:
  static constexpr std::uint32_t kNoScope = 0xffffffffu;
  bool top_level(std::string_view& graph);
  std::uint32_t new_graph(std::uint32_t parent);
  bool read_graph(std::string_view bytes, std::uint32_t index, int depth);
  bool read_node(std::string_view bytes, Graph& graph, int depth);
  bool read_bodies(const Node& node, Graph& graph, int depth);
  bool read_initializer(std::string_view bytes, Graph& graph, bool sparse);
  bool read_input(std::string_view bytes, Graph& graph, bool main_graph);
  void add_initializer(ValueId id, std::uint8_t elem, const char* place);
  bool read_type(std::string_view bytes, Type& type, std::string_view input, int depth);
  bool read_shape(std::string_view bytes, Type& type, std::string_view input);
  bool read_function(Function& function);
  void find_copies();
  std::int64_t bind_size(std::string_view symbol, std::string_view input, int axis);
  bool bind_shape(Type& type, std::string_view input);
  ValueId define(std::string_view name, Graph& graph, const char* place);
  ValueId use(std::string_view name, Graph& graph);
  bool fail(std::string code, std::string message, const char* place, std::string help = {});
  bool malformed();
  std::string quoted(std::string_view name) const;

  Model& m_;
  const Bindings& bind_;
  WireError error_;
  Names names_;
  std::vector<std::uint32_t> parents_;  // of each scope
  Diagnostics problems_;
  bool shape_used_ = false;
  bool free_batch_ = false;  // the input read last leaves its batch open
  std::unordered_multimap<std::string_view, std::uint32_t> functions_;
};

std::string Reader::quoted(std::string_view name) const {
  std::string text = "'";
  for (char c : name.substr(0, 80)) {
    if (static_cast<unsigned char>(c) >= 32 && c != 127)
      text += c;
    else
      text += '?';
  }
  return text + (name.size() > 80 ? "...'" : "'");
}

bool Reader::fail(std::string code, std::string message, const char* place, std::string help) {
  problems_.push_back(
      error(std::move(code), std::move(message), place == nullptr ? Span{} : m_.at(place), std::move(help)));
  return false;
}

bool Reader::malformed() {
  if (error_.reason == nullptr) return false;
  problems_.push_back(error("onnx-malformed",
                            std::string(error_.reason) + " (byte " + std::to_string(error_.offset) + " of " +
                                std::to_string(m_.file.size()) + ")",
                            Span{m_.source, error_.offset, error_.offset},
                            "the file is damaged or cut short, or is no ONNX model"));
  error_.reason = nullptr;
  return true;
}

std::uint32_t Reader::new_graph(std::uint32_t parent) {
  m_.graphs.push_back(std::make_unique<Graph>());
  m_.graphs.back()->scope = static_cast<std::uint32_t>(parents_.size());
  parents_.push_back(parent);
  return static_cast<std::uint32_t>(m_.graphs.size() - 1);
}

ValueId Reader::define(std::string_view name, Graph& graph, const char* place) {
  const std::size_t known = m_.values.size();
  const ValueId id = names_.intern(m_, name, graph.scope);
  Value& v = m_.values[id];
  if (id < known) graph.ordered = false;  // something read it already
  if ((v.flags & kDefined) != 0) {
    fail("duplicate-name", "two values of one graph are called " + quoted(name), place,
         "each value of an ONNX graph must be made once");
    return kNoValue;
  }
  v.flags |= kDefined;
  return id;
}

ValueId Reader::use(std::string_view name, Graph& graph) {
  for (std::uint32_t scope = graph.scope; scope != kNoScope; scope = parents_[scope]) {
    const ValueId id = names_.find(m_, name, scope);
    if (id == kNoValue) continue;
    if (scope != graph.scope) graph.captures.push_back(id);
    return id;
  }
  return names_.intern(m_, name, graph.scope);  // made further down, or never: found out when it is evaluated
}

bool Reader::top_level(std::string_view& graph) {
  Message field(m_.file, m_.file.data(), error_);
  bool any = false;
  while (field.next()) {
    if (field.varint(1)) {
      m_.ir_version = field.integer();
    } else if (field.text(2)) {
      m_.producer = field.bytes;
    } else if (field.text(7)) {
      graph = field.bytes;
      any = true;
    } else if (field.text(8)) {
      Opset opset{{}, 1};
      Message inner(field.bytes, m_.file.data(), error_);
      while (inner.next()) {
        if (inner.text(1)) opset.domain = inner.bytes;
        if (inner.varint(2)) opset.version = inner.integer();
      }
      m_.opsets.push_back(opset);
    } else if (field.text(25)) {
      Function function;
      function.bytes = field.bytes;
      Message inner(field.bytes, m_.file.data(), error_);
      while (inner.next()) {
        if (inner.text(1)) function.name = inner.bytes;
        if (inner.text(10)) function.domain = inner.bytes;
        if (inner.text(6)) function.attributes.push_back(inner.bytes);
      }
      functions_.emplace(function.name, static_cast<std::uint32_t>(m_.functions.size()));
      m_.functions.push_back(std::move(function));
    }
  }
  if (malformed()) return false;
  if (!any)
    return fail("not-onnx", "the file holds no ONNX graph", m_.file.data(), "an ONNX model has a graph in field 7");
  return true;
}

// A free dimension that counts samples: called batch, or the first one without a telling name.
bool is_batch(std::string_view symbol, int axis) {
  std::string lower;
  for (char c : symbol) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower.find("batch") != std::string::npos || (axis == 0 && (lower.empty() || lower == "n"));
}

std::int64_t Reader::bind_size(std::string_view symbol, std::string_view input, int axis) {
  const std::string place = std::string(input) + "." + std::to_string(axis);
  const bool batch = is_batch(symbol, axis);
  for (const auto& [name, size] : bind_.let)
    if ((!symbol.empty() && name == symbol) || name == place) {
      if (batch && size > 0) m_.samples = size;
      bind_.met.push_back(name);
      return size;
    }
  if (bind_.batch > 0 && batch) return m_.samples = bind_.batch;
  std::string name = symbol.empty() ? place : std::string(symbol);
  for (std::size_t i = 0; i < m_.symbols.size(); ++i)
    if (m_.symbols[i].name == name) return -2 - static_cast<std::int64_t>(i);
  m_.symbols.push_back({name, "dimension " + std::to_string(axis) + " of input " + quoted(input), false});
  return -2 - static_cast<std::int64_t>(m_.symbols.size() - 1);
}

bool Reader::read_shape(std::string_view bytes, Type& type, std::string_view input) {
  std::int64_t dims[kMaxRank];
  int rank = 0;
  Message field(bytes, m_.file.data(), error_);
  while (field.next()) {
    if (!field.text(1)) continue;
    if (rank == kMaxRank) return field.fail("a shape has more than 32 dimensions");
    std::int64_t size = kUnknown;
    std::string_view symbol;
    Message dim(field.bytes, m_.file.data(), error_);
    while (dim.next()) {
      if (dim.varint(1)) size = dim.integer();
      if (dim.text(2)) symbol = dim.bytes;
    }
    if (size < -1 || size > (std::int64_t{1} << 62)) return field.fail("a dimension is negative or beyond 2^62");
    if (size < 0 || (size == 0 && !symbol.empty())) {
      if (rank == 0) free_batch_ = is_batch(symbol, 0);
      size = input.empty() ? kUnknown : bind_size(symbol, input, rank);
    }
    dims[rank++] = size;
  }
  type.dims = m_.keep(dims, rank);
  type.rank = static_cast<std::uint8_t>(rank);
  type.flags |= kRanked;
  return true;
}

bool Reader::read_type(std::string_view bytes, Type& type, std::string_view input, int depth) {
  if (depth > kMaxNesting) return fail("nested-too-deep", "a type is nested more than 32 deep", bytes.data());
  Message field(bytes, m_.file.data(), error_);
  while (field.next()) {
    if (field.text(1) || field.text(8)) {
      Message tensor(field.bytes, m_.file.data(), error_);
      while (tensor.next()) {
        if (tensor.varint(1))
          type.elem = tensor.value < 64 ? static_cast<std::uint8_t>(tensor.value) : std::uint8_t{kNone};
        if (tensor.text(2) && !read_shape(tensor.bytes, type, input)) return false;
      }
    } else if (field.text(4)) {
      auto* element = new (m_.arena.take(sizeof(Type))) Type;
      Message inner(field.bytes, m_.file.data(), error_);
      while (inner.next())
        if (inner.text(1) && !read_type(inner.bytes, *element, {}, depth + 1)) return false;
      auto* sequence = new (m_.arena.take(sizeof(Sequence))) Sequence{1, false, element};
      type.flags |= kSequence;
      type.sequence = sequence;
    } else if (field.text(9)) {
      Message inner(field.bytes, m_.file.data(), error_);
      while (inner.next())
        if (inner.text(1) && !read_type(inner.bytes, type, input, depth + 1)) return false;
    }
  }
  return true;
}

bool Reader::bind_shape(Type& type, std::string_view input) {
  shape_used_ = true;
  if (free_batch_ && !bind_.shape.empty() && bind_.shape[0] > 0) m_.samples = bind_.shape[0];
  const std::vector<std::int64_t>& shape = bind_.shape;
  if (type.ranked() && type.rank != shape.size())
    return fail("input-shape",
                "input " + quoted(input) + " has " + std::to_string(type.rank) + " dimensions, --input gives " +
                    std::to_string(shape.size()),
                nullptr, "give as many sizes as the input has dimensions");
  type.dims = m_.keep(shape.data(), static_cast<int>(shape.size()));
  type.rank = static_cast<std::uint8_t>(shape.size());
  type.flags |= kRanked;
  return true;
}

// "layer1.0.conv1.weight": a parameter, whether it is an initializer or an input.
bool is_weight_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view last = name.substr(dot + 1);
  return last.ends_with("weight") || last.ends_with("bias") || last == "running_mean" || last == "running_var";
}

bool fixed(const Type& type) {
  return type.ranked() && !type.has(kSequence) &&
         std::all_of(type.dims, type.dims + type.rank, [](std::int64_t d) { return d >= 0; });
}

void Reader::add_initializer(ValueId id, std::uint8_t elem, const char* place) {
  Type& type = m_.values[id].type;
  type.flags = kRanked | kWeight | kConstant;
  Initializer initializer;
  initializer.name = m_.values[id].name;
  initializer.value = id;
  initializer.elements = 1;
  for (int i = 0; i < type.rank; ++i)
    if (__builtin_mul_overflow(initializer.elements, type.dims[i], &initializer.elements)) initializer.elements = 0;
  initializer.offset = m_.offset(place);
  initializer.elem = elem;
  m_.initializers.push_back(initializer);
  type.origin = static_cast<std::uint32_t>(m_.initializers.size());
}

bool Reader::read_input(std::string_view bytes, Graph& graph, bool main_graph) {
  std::string_view name, type_bytes;
  Message field(bytes, m_.file.data(), error_);
  while (field.next()) {
    if (field.text(1)) name = field.bytes;
    if (field.text(2)) type_bytes = field.bytes;
  }
  const ValueId known = names_.find(m_, name, graph.scope);
  if (known != kNoValue && m_.values[known].type.has(kWeight)) return true;  // an initializer listed as an input (IR 3)
  const ValueId id = define(name, graph, bytes.data());
  if (id == kNoValue) return false;
  Type type;
  free_batch_ = false;
  const bool by_option = main_graph && !bind_.shape.empty() && !shape_used_;
  if (!read_type(type_bytes, type, main_graph && !by_option ? name : std::string_view{}, 0)) return false;
  if (by_option && !type.has(kSequence) && !bind_shape(type, name)) return false;
  m_.values[id].type = type;
  if (main_graph && is_weight_name(name) && fixed(type)) {  // exported without weights: they are fed
    add_initializer(id, type.elem, bytes.data());
    return true;
  }
  m_.values[id].flags |= kGraphInput;
  graph.inputs.push_back(id);
  return true;
}

bool Reader::read_initializer(std::string_view bytes, Graph& graph, bool sparse) {
  TensorHeader header;
  const Data* data = nullptr;
  const char* reason = nullptr;
  if (sparse) {  // the values tensor carries the name; the dense dims follow in field 3
    TensorHeader values;
    Message field(bytes, m_.file.data(), error_);
    while (field.next()) {
      if (field.text(1) && !read_tensor(m_, field.bytes, values, nullptr, reason)) return field.fail(reason);
      if (field.number == 3)
        wire::each_integer(field, [&](std::int64_t d) {
          if (header.rank < kMaxRank) header.dims[header.rank++] = d;
        });
    }
    header.name = values.name;
    header.elem = values.elem;
    header.elements = values.elements;
  } else if (!read_tensor(m_, bytes, header, &data, reason)) {
    return fail("onnx-malformed",
                std::string(reason) + " (initializer " + quoted(header.name) + ", byte " +
                    std::to_string(m_.offset(bytes.data())) + ")",
                bytes.data());
  }
  const ValueId id = define(header.name, graph, bytes.data());
  if (id == kNoValue) return false;
  Type& type = m_.values[id].type;
  type.dims = m_.keep(header.dims, header.rank);
  type.rank = static_cast<std::uint8_t>(header.rank);
  type.elem = header.elem;
  type.data = data;
  add_initializer(id, header.elem, bytes.data());
  m_.initializers.back().elements = header.elements;
  m_.initializers.back().raw = header.raw;
  return true;
}

bool Reader::read_bodies(const Node& node, Graph& graph, int depth) {
  Message field({node.bytes, node.size}, m_.file.data(), error_);
  while (field.next()) {
    if (!field.text(5)) continue;
    std::string_view name, body;
    Message attribute(field.bytes, m_.file.data(), error_);
    while (attribute.next()) {
      if (attribute.text(1)) name = attribute.bytes;
      if (attribute.text(6)) body = attribute.bytes;
    }
    if (body.data() == nullptr) continue;
    const std::uint32_t index = new_graph(graph.scope);
    m_.bodies.push_back({node.bytes, name, index});
    if (!read_graph(body, index, depth + 1)) return false;
    for (ValueId captured : m_.graphs[index]->captures)  // what the body reads from further out, this graph reads too
      if (m_.values[captured].scope != graph.scope) graph.captures.push_back(captured);
  }
  return true;
}

bool Reader::read_node(std::string_view bytes, Graph& graph, int depth) {
  Node node{bytes.data(),
            static_cast<std::uint32_t>(bytes.size()),
            static_cast<std::uint32_t>(m_.operands.size()),
            0,
            0,
            kNoRule,
            0,
            0};
  std::string_view type, domain;
  Message field(bytes, m_.file.data(), error_);
  while (field.next()) {
    if (field.text(1)) {
      if (node.outputs > 0) return field.fail("a node lists inputs after outputs");
      if (node.inputs == 0xffff) return field.fail("a node has more than 65,535 inputs");
      m_.operands.push_back(field.bytes.empty() ? kNoValue : use(field.bytes, graph));
      ++node.inputs;
    } else if (field.text(2)) {
      if (node.outputs == 0xffff) return field.fail("a node has more than 65,535 outputs");
      ValueId id = kNoValue;
      if (!field.bytes.empty()) {
        id = define(field.bytes, graph, bytes.data());
        if (id == kNoValue) return false;
      }
      m_.operands.push_back(id);
      ++node.outputs;
    } else if (field.text(4)) {
      type = field.bytes;
    } else if (field.text(7)) {
      domain = field.bytes;
    }
  }
  if (error_.reason != nullptr) return false;
  if (type.empty()) return fail("onnx-malformed", "a node names no operator", bytes.data());
  const auto [first, last] = functions_.equal_range(type);
  for (auto at = first; at != last; ++at)
    if (m_.functions[at->second].domain == domain) {
      node.rule = kLocalFunction;
      node.function = at->second;
    }
  if (node.rule == kNoRule) node.rule = find_rule(domain, type);
  if (node.rule < kLocalFunction) {
    const Rule& rule = rule_at(node.rule);
    for (int i = 0; rule.settings >> i != 0 && i < node.inputs; ++i)
      if ((rule.settings >> i & 1) != 0 && m_.operands[node.operands + i] != kNoValue)
        m_.values[m_.operands[node.operands + i]].flags |= kSetting;
    const bool product = type == "Conv" || type == "ConvTranspose" || type == "Gemm" || type == "MatMul";
    if (product && node.inputs > 1 && m_.operands[node.operands + 1] != kNoValue)
      m_.values[m_.operands[node.operands + 1]].flags |= kMatrix;
    if (rule.bodies && !read_bodies(node, graph, depth)) return false;
  }
  graph.nodes.push_back(node);
  return true;
}

bool Reader::read_graph(std::string_view bytes, std::uint32_t index, int depth) {
  if (depth > kMaxNesting) return fail("nested-too-deep", "subgraphs are nested more than 32 deep", bytes.data());
  Graph& graph = *m_.graphs[index];
  graph.first_value = static_cast<ValueId>(m_.values.size());
  {  // initializers and inputs first, wherever they stand: nodes refer to them
    Message field(bytes, m_.file.data(), error_);
    std::size_t nodes = 0;
    while (field.next()) {
      if (field.text(1))
        ++nodes;
      else if (field.text(2))
        graph.name = field.bytes;
      else if ((field.text(5) || field.text(15)) && !read_initializer(field.bytes, graph, field.number == 15))
        return false;
    }
    graph.nodes.reserve(nodes);
    Message again(bytes, m_.file.data(), error_);
    while (again.next())
      if (again.text(11) && !read_input(again.bytes, graph, index == 0)) return false;
  }
  Message field(bytes, m_.file.data(), error_);
  while (field.next())
    if (field.text(1) && !read_node(field.bytes, graph, depth)) return false;
  Message last(bytes, m_.file.data(), error_);
  while (last.next()) {
    if (!last.text(12)) continue;
    Message output(last.bytes, m_.file.data(), error_);
    while (output.next())
      if (output.text(1)) graph.outputs.push_back(use(output.bytes, graph));
  }
  graph.end_value = static_cast<ValueId>(m_.values.size());
  return error_.reason == nullptr;
}

bool Reader::read_function(Function& function) {
  function.graph = new_graph(kNoScope);
  Graph& graph = *m_.graphs[function.graph];
  graph.name = function.name;
  Message field(function.bytes, m_.file.data(), error_);
  while (field.next())
    if (field.text(4)) {
      const ValueId id = define(field.bytes, graph, function.bytes.data());
      if (id == kNoValue) return false;
      graph.inputs.push_back(id);
    }
  Message nodes(function.bytes, m_.file.data(), error_);
  while (nodes.next())
    if (nodes.text(7) && !read_node(nodes.bytes, graph, 0)) return false;
  Message outputs(function.bytes, m_.file.data(), error_);
  while (outputs.next())
    if (outputs.text(5)) graph.outputs.push_back(use(outputs.bytes, graph));
  return error_.reason == nullptr;
}

// Folding constants writes a matrix that two layers share a second time, under a made name and often transposed. Where
// the numbers are in the file, a copy is known by them: as many different ones as are looked at, each in its place.
void Reader::find_copies() {
  constexpr int kLooked = 256, kMostCompared = 4096;
  int compared = 0;
  for (Initializer& copy : m_.initializers) {
    const Type& made = m_.values[copy.value].type;
    if (!copy.name.starts_with("onnx::") || made.rank != 2 || copy.elements <= 0 || !is_float(copy.elem)) continue;
    const std::size_t width = copy.raw.size() / static_cast<std::size_t>(copy.elements);
    if (width == 0 || width * static_cast<std::size_t>(copy.elements) != copy.raw.size()) continue;
    for (std::size_t k = 0; k < m_.initializers.size(); ++k) {
      const Initializer& first = m_.initializers[k];
      const Type& other = m_.values[first.value].type;
      if (first.elem != copy.elem || first.raw.size() != copy.raw.size() || other.rank != 2 || &first == &copy ||
          first.name.starts_with("onnx::") || other.dims[0] != made.dims[1] || other.dims[1] != made.dims[0])
        continue;
      if (++compared > kMostCompared) return;
      const auto rows = static_cast<std::uint64_t>(made.dims[0]), columns = static_cast<std::uint64_t>(made.dims[1]);
      bool same = true, different = false;
      for (std::uint64_t n = 0; n < kLooked && same; ++n) {
        const std::uint64_t at = n * 0x9e3779b97f4a7c15ull % (rows * columns);
        const char* here = copy.raw.data() + at * width;
        same = std::memcmp(here, first.raw.data() + (at % columns * rows + at / columns) * width, width) == 0;
        different = different || std::memcmp(here, copy.raw.data(), width) != 0;
      }
      if (!same || !different) continue;
      m_.values[copy.value].type.origin = static_cast<std::uint32_t>(k + 1);
      break;
    }
  }
}

Result<bool> Reader::run() {
  std::string_view graph;
  if (!top_level(graph)) return std::move(problems_);
  bool good = read_graph(graph, new_graph(kNoScope), 0);
  for (std::size_t i = 0; good && i < m_.functions.size(); ++i) good = read_function(m_.functions[i]);
  if (!good || error_.reason != nullptr) {
    malformed();
    return std::move(problems_);
  }
  find_copies();
  m_.weights_are_literals = std::none_of(m_.initializers.begin(), m_.initializers.end(),
                                         [](const Initializer& w) { return is_float(w.elem) && w.elements > 1; });
  std::sort(m_.bodies.begin(), m_.bodies.end(), [](const Model::Body& a, const Model::Body& b) {
    return a.node != b.node ? std::less<const char*>{}(a.node, b.node) : a.attribute < b.attribute;
  });
  return true;
}

}  // namespace

Result<std::unique_ptr<Model>> read_model(std::string_view file, const Source* source, const Bindings& bindings) {
  auto model = std::make_unique<Model>();
  model->file = file;
  model->source = source;
  Reader reader(*model, bindings);
  Result<bool> done = reader.run();
  if (!done) return done.take_problems();
  return model;
}

}  // namespace floptally::onnx
