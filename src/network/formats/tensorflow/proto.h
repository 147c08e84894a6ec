// The parts of TensorFlow's protobufs that shapes and costs need.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "network/dtype.h"
#include "network/formats/wire/protobuf.h"

namespace floptally::tensorflow {

struct Shape {
  std::vector<std::int64_t> dims;  // -1: free
  bool ranked = false;
};

// A NodeDef; its attributes stay as bytes until they are asked for.
struct NodeDef {
  std::string_view name, op, bytes;
  std::vector<std::string_view> inputs;
  std::map<std::string_view, std::string_view> attributes;
};

struct FunctionDef {
  std::string_view name;
  std::vector<std::string_view> arguments, outputs;  // names of the signature
  std::vector<NodeDef> nodes;
  std::map<std::string_view, std::string_view> returns;  // output -> "node:out:0"
};

struct GraphDef {
  std::vector<NodeDef> nodes;
  std::map<std::string_view, FunctionDef> functions;
  std::vector<std::string_view> signature_outputs;  // "StatefulPartitionedCall:0"; empty: a GraphDef
};

struct ProtoReader {
  const char* file;
  wire::WireError& error;
  void graph(std::string_view bytes, GraphDef& out);
  void meta_graph(std::string_view bytes, GraphDef& out);
  NodeDef node(std::string_view bytes);
  Shape shape(std::string_view bytes);                                   // a TensorShapeProto
  Shape shape_attribute(std::string_view value);                         // an AttrValue that holds one
  std::vector<Shape> shapes(std::string_view value);                     // an AttrValue with a list of shapes
  std::int64_t integer(std::string_view value, std::int64_t otherwise);  // i, b or type
  std::string_view text(std::string_view value);                         // s, or the name of a function
  std::vector<std::int64_t> integers(std::string_view value);            // a list
  // A TensorProto: its shape, its type, and its elements if they are few whole numbers.
  Shape tensor(std::string_view value, Dtype& dtype, std::vector<std::int64_t>& elements);
  static Dtype dtype_of(std::int64_t code);

 private:
  std::pair<std::string_view, std::string_view> map_entry(std::string_view bytes);  // key and value of a map
  void function(std::string_view bytes, GraphDef& out);
};

}  // namespace floptally::tensorflow
