// Writes small ONNX models for tests: just enough protobuf.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace onnx_writer {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
  return out + static_cast<char>(value);
}
inline std::string number(int field, std::int64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(int field, const std::string& value) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}

using Sizes = std::vector<std::int64_t>;

// A TensorProto; without values it is external data that is not there.
inline std::string tensor(const std::string& name, int elem, const Sizes& dims,
                          const std::vector<std::int64_t>& values = {}, bool inside = false) {
  std::string out;
  for (std::int64_t d : dims) out += number(1, d);
  out += number(2, elem) + bytes(8, name);
  for (std::int64_t v : values) out += number(7, v);
  if (values.empty() && !inside) out += number(14, 1);
  return out;
}
inline std::string attribute(const std::string& name, std::int64_t value) {
  return bytes(5, bytes(1, name) + number(3, value) + number(20, 2));
}
inline std::string attribute(const std::string& name, const std::string& text) {
  return bytes(5, bytes(1, name) + bytes(4, text) + number(20, 3));
}
inline std::string attribute(const std::string& name, const Sizes& list) {
  std::string body = bytes(1, name);
  for (std::int64_t v : list) body += number(8, v);
  return bytes(5, body + number(20, 7));
}
inline std::string attribute_graph(const std::string& name, const std::string& graph) {
  return bytes(5, bytes(1, name) + bytes(6, graph) + number(20, 5));
}
inline std::string attribute_tensor(const std::string& name, const std::string& value) {
  return bytes(5, bytes(1, name) + bytes(5, value) + number(20, 4));
}
inline std::string attribute_reference(const std::string& name, const std::string& to) {
  return bytes(5, bytes(1, name) + bytes(21, to) + number(20, 2));
}
inline std::string node(const std::string& op, std::initializer_list<const char*> inputs,
                        std::initializer_list<const char*> outputs, const std::string& attributes = {},
                        const std::string& domain = {}) {
  std::string out;
  for (const char* i : inputs) out += bytes(1, i);
  for (const char* o : outputs) out += bytes(2, o);
  out += bytes(4, op) + attributes;
  if (!domain.empty()) out += bytes(7, domain);
  return out;
}
// A ValueInfoProto; a negative size is free and called `symbol`.
inline std::string value(const std::string& name, int elem, const Sizes& dims, const std::string& symbol = "batch") {
  std::string shape;
  for (std::int64_t d : dims) shape += bytes(1, d >= 0 ? number(1, d) : bytes(2, symbol));
  return bytes(1, name) + bytes(2, bytes(1, number(1, elem) + bytes(2, shape)));
}

struct Graph {
  std::vector<std::string> nodes, initializers, inputs;
  std::vector<std::string> outputs;
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::string& n : nodes) out += bytes(1, n);
    out += bytes(2, "g");
    for (const std::string& i : initializers) out += bytes(5, i);
    for (const std::string& i : inputs) out += bytes(11, i);
    for (const std::string& o : outputs) out += bytes(12, bytes(1, o));
    return out;
  }
};

inline std::string model(const std::string& graph, int opset = 16, const std::string& more = {}) {
  return number(1, 8) + bytes(2, "test") + bytes(7, graph) + bytes(8, number(2, opset)) + more;
}

}  // namespace onnx_writer
