// An ONNX model in memory: nodes, values and subgraphs as small records that point into the mapped file.
//
// Always holds: every ValueId is an index into Model::values; names and payloads are views of the file, which must
// outlive the model; weights are never read (only tensors of at most kMaxData elements, for shape arithmetic). A size
// >= 0 is known; kUnknown is a size that nobody named; smaller numbers name a symbol (an input's free dimension, a size
// that depends on data). Field numbers are those of onnx/onnx.proto3 (github.com/onnx/onnx, IR version 10).
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "floptally/diagnostic.h"

namespace floptally::onnx {

inline constexpr std::int64_t kUnknown = -1;
inline constexpr std::uint32_t kMaxData = 1024;  // elements of a tensor whose values are followed
inline constexpr int kMaxRank = 32;
inline constexpr int kMaxNesting = 32;  // subgraphs and functions inside one another

// Elements of onnx.TensorProto.DataType that the reader asks for by name.
enum Elem : std::uint8_t {
  kNone = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
};
inline bool is_float(std::uint8_t elem) {
  return elem == kFloat || elem == kFloat16 || elem == kDouble || elem == kBfloat16 || (elem >= 17 && elem <= 20) ||
         elem == 23;
}

// Bytes that live as long as the model.
class Arena {
 public:
  void* take(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) refill(bytes);
    char* result = at_;
    at_ += bytes;
    left_ -= bytes;
    return result;
  }

 private:
  void refill(std::size_t bytes);
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

// The elements of a small tensor: integers (and booleans) or reals, as its value's element type says.
// An integer below kDataFloor stands for the symbol or unknown size `integer - INT64_MIN` steps below zero; a NaN is a
// real that is not known.
struct Data {
  std::uint32_t count;
  bool real;
  [[nodiscard]] std::int64_t* integers() { return reinterpret_cast<std::int64_t*>(this + 1); }
  [[nodiscard]] const std::int64_t* integers() const { return reinterpret_cast<const std::int64_t*>(this + 1); }
  [[nodiscard]] double* reals() { return reinterpret_cast<double*>(this + 1); }
  [[nodiscard]] const double* reals() const { return reinterpret_cast<const double*>(this + 1); }
};
inline constexpr std::int64_t kDataUnknown = INT64_MIN + 1;
inline constexpr std::int64_t kDataFloor = INT64_MIN + (std::int64_t{1} << 40);
inline bool is_known(std::int64_t element) { return element >= kDataFloor; }
// A number of the file as an element: "as far down as it goes" stays that.
inline std::int64_t element(std::int64_t value) { return value < kDataFloor ? kDataFloor : value; }
inline std::int64_t size_as_element(std::int64_t size) { return size >= 0 ? size : INT64_MIN - size; }
inline std::int64_t element_as_size(std::int64_t e) { return is_known(e) ? (e >= 0 ? e : kUnknown) : INT64_MIN - e; }

enum TypeFlag : std::uint16_t {
  kRanked = 1,    // dims is known (rank may be 0)
  kGradient = 2,  // depends, differentiably, on something that is trained
  kSequence = 4,  // `sequence` instead of dims
  kOptionalEmpty = 8,
  kWeight = 16,    // an initializer, or one seen through reshapes: `origin` says which
  kConstant = 32,  // known before anything runs
  kHeld = 64,      // an operator keeps it, or what it is a view of, for the backward pass
};

struct Sequence;

// What is known of a value.
struct Type {
  const std::int64_t* dims = nullptr;
  union {
    const Data* data = nullptr;
    const Sequence* sequence;
  };
  std::uint32_t origin = 0;  // 1 + index of the initializer this is a view of
  std::uint8_t elem = kNone;
  std::uint8_t rank = 0;
  std::uint16_t flags = 0;

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool ranked() const { return has(kRanked); }
  [[nodiscard]] const Data* known() const { return has(kSequence) ? nullptr : data; }
};

struct Sequence {
  std::uint32_t count;
  bool counted;  // false: the length is not known; then elements[0] (if count is 1) describes any element
  const Type* elements;
};

using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = 0xffffffffu;

enum ValueFlag : std::uint8_t { kDefined = 1, kSetting = 2, kUseful = 4, kGraphInput = 8, kMatrix = 16 };
// kMatrix: some product or convolution reads it as its right side.

struct Value {
  std::string_view name;
  Type type;
  std::uint32_t scope = 0;
  std::uint8_t flags = 0;
};

struct Node {
  const char* bytes;  // its NodeProto
  std::uint32_t size;
  std::uint32_t operands;  // first of its inputs (then outputs) in Model::operands
  std::uint16_t inputs, outputs;
  std::uint16_t rule;      // rule_at(rule), or kLocalFunction, or kNoRule
  std::uint16_t role;      // graph::Role: what it keeps for the backward pass
  std::uint32_t function;  // of a kLocalFunction: which
};
inline constexpr std::uint16_t kNoRule = 0xffff;
inline constexpr std::uint16_t kLocalFunction = 0xfffe;

struct Graph {
  std::string_view name;
  std::uint32_t scope = 0;
  bool ordered = true;  // every value is made before it is read, as far as names were met in that order
  ValueId first_value = 0, end_value = 0;  // its values, and those of the graphs inside it
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;  // inputs without initializers
  std::vector<ValueId> captures;         // values of outer graphs that it reads
};

struct Initializer {
  std::string_view name;
  ValueId value = kNoValue;
  std::int64_t elements = 0;
  std::uint64_t offset = 0;  // where its TensorProto lies in the file
  std::uint8_t elem = kNone;
  std::string_view raw;  // its numbers, where the file holds them as bytes
  bool trained = false;  // a learned number, as far as the graph can say
  bool owned = false;    // some op carries it in its parameters
  bool used = false;
};

struct Function {
  std::string_view domain, name, bytes;
  std::vector<std::string_view> attributes;
  std::uint32_t graph = 0;  // index into Model::graphs
  bool active = false;      // being evaluated: a call inside it is a cycle
};

struct Symbol {
  std::string name;   // "batch"
  std::string where;  // "dimension 0 of input 'x'"
  bool from_data = false;
};

struct Opset {
  std::string_view domain;
  std::int64_t version;
};

struct Model {
  std::string_view file;
  const Source* source = nullptr;
  std::int64_t ir_version = 0;
  std::string_view producer;
  std::int64_t samples = 1;  // what a free dimension called batch was bound to
  std::vector<Opset> opsets;
  std::vector<Value> values;
  std::vector<ValueId> operands;
  std::vector<std::unique_ptr<Graph>> graphs;  // [0] is the main one
  // The subgraphs of a node: key is the address of its bytes; sorted by it, then by attribute name.
  struct Body {
    const char* node;
    std::string_view attribute;
    std::uint32_t graph;
  };
  std::vector<Body> bodies;
  std::vector<Initializer> initializers;
  std::unordered_map<ValueId, std::uint32_t> literals;  // constants that are weights, by what they are called
  bool weights_are_literals = false;                    // no initializer holds any: Constant nodes do
  std::vector<Function> functions;
  std::vector<Symbol> symbols;  // size -2-i names symbols[i]
  Arena arena;

  [[nodiscard]] std::int64_t opset(std::string_view domain) const;
  [[nodiscard]] std::span<const Body> bodies_of(const Node& node) const;
  [[nodiscard]] std::uint64_t offset(const char* place) const {
    return static_cast<std::uint64_t>(place - file.data());
  }
  [[nodiscard]] Span at(const char* begin, std::size_t size = 0) const {
    return {source, offset(begin), offset(begin) + size};
  }
  const std::int64_t* keep(const std::int64_t* dims, int rank);
  Data* new_data(std::uint32_t count, bool real);
};

// Sizes the user gave for the free dimensions of inputs.
struct Bindings {
  std::vector<std::int64_t> shape;                        // of the first input: --input 1x3x224x224
  std::vector<std::pair<std::string, std::int64_t>> let;  // --let batch=8, or NAME.AXIS=8
  std::int64_t batch = 0;                                 // --batch
  mutable std::vector<std::string> met = {};              // the names of `let` that the graph has
};

// Reads the structure of a serialized ModelProto. Errors: onnx-malformed (with byte offset), not-onnx, duplicate-name,
// nested-too-deep, undefined-value.
Result<std::unique_ptr<Model>> read_model(std::string_view file, const Source* source, const Bindings& bindings);

// A TensorProto's header, and its elements where there are few of them and they are in the file.
struct TensorHeader {
  std::string_view name;
  std::int64_t dims[kMaxRank];
  int rank = 0;
  std::uint8_t elem = kNone;
  std::int64_t elements = 1;
  bool external = false;
  std::string_view raw;  // the numbers as bytes, where they are here
};
// False on malformed bytes; `reason` then says why.
bool read_tensor(Model& model, std::string_view bytes, TensorHeader& header, const Data** data, const char*& reason);

// The attributes of a node, read when they are asked for.
struct Attribute {
  // NOLINTNEXTLINE(modernize-use-equals-default): a default one would clear what is filled later
  Attribute() {}                     // left as it is: a node's array of them is filled only when asked for
  std::string_view name, reference;  // reference: the function's attribute that stands for it
  std::string_view bytes;            // its AttributeProto
  std::string_view s;                // string, tensor, graph or type bytes
  std::int64_t i;
  float f;
  bool given;  // holds a value of its own
};

}  // namespace floptally::onnx
