// Evaluation of a model: shapes, small constants, gradients and costs, node by node in one pass.
//
// Eval is what a rule sees of the node it is applied to. Evaluator walks the graphs, runs loop bodies as often as
// needed to know their shapes, and sends steps to a Recorder.
#pragma once

#include <string>

#include "network/formats/graph/keeping.h"
#include "network/formats/graph/step.h"
#include "network/formats/onnx/model.h"
#include "network/formats/onnx/rules.h"

namespace floptally::onnx {

struct Dims {
  std::int64_t v[kMaxRank];
  int n = 0;
  void push(std::int64_t size) {
    if (n < kMaxRank)
      v[n++] = size;
    else
      overflow = true;
  }
  bool overflow = false;
};

// Sizes under arithmetic: unknown stays unknown, except where the other operand decides.
std::int64_t size_times(std::int64_t a, std::int64_t b);
std::int64_t size_plus(std::int64_t a, std::int64_t b);
// A list of integers from an attribute or a constant input.
struct Integers {
  std::int64_t v[kMaxData];
  std::uint32_t n = 0;
  bool present = false;  // the list was given
  bool known = false;    // its elements are known too (single ones may still be unknown elements)
};

struct Frame {  // a call of a local function
  const Node* call = nullptr;
  const Function* function = nullptr;
  const Frame* parent = nullptr;
};

class Evaluator;

class Eval {
 public:
  static constexpr int kMaxAttributes = 32;
  Eval(Evaluator& owner, Graph& graph, const Node& node, const Frame* frame);

  // Operands. A missing one is an empty type.
  [[nodiscard]] int inputs() const { return node_.inputs; }
  [[nodiscard]] int outputs() const { return node_.outputs; }
  [[nodiscard]] bool has(int i) const;
  [[nodiscard]] const Type& in(int i) const;
  [[nodiscard]] Type& out(int i);
  [[nodiscard]] ValueId input_id(int i) const;
  [[nodiscard]] ValueId output_id(int i) const;

  // Attributes.
  const Attribute* attribute(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  double real(std::string_view name, double otherwise);
  std::string_view text(std::string_view name, std::string_view otherwise);
  void integers(std::string_view name, Integers& list);
  void floats(std::string_view name, double* values, std::uint32_t most, std::uint32_t& count);
  bool tensor(std::string_view name, TensorHeader& header, const Data** data);
  std::uint32_t body(std::string_view name);  // graph index, or kNoValue
  [[nodiscard]] std::int64_t opset() const;

  // Constant inputs: from input `i` if it is there, else from the attribute (older opsets).
  void list(int i, std::string_view name, Integers& list);
  static bool scalar(const Type& type, std::int64_t& value);
  static bool scalar(const Type& type, double& value);

  // Outputs.
  void shape(int i, std::uint8_t elem, const Dims& dims);
  void shape_like(int i, std::uint8_t elem, const Type& like);
  void unranked(int i, std::uint8_t elem);
  Data* data(int i, std::uint32_t count, bool real);
  bool broadcast(const Type& a, const Type& b, Dims& out);
  bool to_axis(std::int64_t axis, int rank, int& out);
  std::int64_t new_size(int output, int axis);  // a size that comes out of data, bindable by name

  // Gradients.
  [[nodiscard]] bool gradient(int i) const { return in(i).has(kGradient) && useful_; }
  [[nodiscard]] bool useful() const { return useful_; }
  [[nodiscard]] bool useful_output(int i) const;

  // Costs. Each takes the parameters of the operands named by `weights` (bits) along.
  void elementwise(std::int64_t flop_per_element);
  // left and right: operand indices (-1: none). kept: elements that no operator kept before; -1: of its sides.
  void product(graph::Kind kind, int left, int right, std::int64_t batch, std::int64_t rows, std::int64_t columns,
               std::int64_t inner, std::uint32_t weights = kAll, std::int64_t kernel = 1, bool transposed = false,
               std::int64_t kept = -1);
  void record(graph::Step step, std::uint32_t weights = kAll);
  void unknown(std::string_view what);
  static std::int64_t elements(const Type& type);  // product of the sizes; kUnknown
  // Notes that the backward pass needs an operand or the first output; the elements that no operator kept before.
  // copied: a part of something larger is copied first, as batched products do.
  std::int64_t hold_input(int i, bool copied = false);
  std::int64_t hold_output();
  // The outputs are the first operand, or parts of it.
  void view_outputs();
  graph::Step step(graph::Kind kind) const;

  bool fail(std::string code, const std::string& message, std::string help = {});
  Model& model();
  Evaluator& owner() { return owner_; }
  Graph& graph() { return graph_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] const Rule& rule() const { return *rule_; }
  [[nodiscard]] const Frame* frame() const { return frame_; }
  [[nodiscard]] std::string describe() const;  // "Conv node 'Conv_0' (byte 1234)"
  [[nodiscard]] std::string_view op_name() const;
  [[nodiscard]] std::string_view node_name() const;

 private:
  std::int64_t hold_for_backward();
  void read_attributes();
  bool resolve(Attribute& attribute);

  Evaluator& owner_;
  Graph& graph_;
  const Node& node_;
  const Frame* frame_;
  const Rule* rule_;
  bool useful_ = false;
  bool attributes_read_ = false;
  int attribute_count_ = 0;
  alignas(Attribute) char attributes_[kMaxAttributes * sizeof(Attribute)];  // constructed up to attribute_count_
};

Dtype dtype_of(std::uint8_t elem);

// Finds attribute `name` of a node in `frame`, following the function calls it refers to.
bool find_attribute(const Model& model, std::string_view node, std::string_view name, const Frame* frame,
                    Attribute& out);

// The most nodes that may be applied, loops unrolled: bounds the time that any file can take.
inline constexpr std::int64_t kMaxWork = 3'000'000;

class Evaluator {
 public:
  Evaluator(Model& model, graph::Recorder& recorder, const Bindings& bindings);
  Result<bool> run();

  // Runs the nodes of a graph whose inputs have been set. False after fail().
  bool run_graph(Graph& graph, const Frame* frame);
  bool run_function(Eval& call, Function& function);
  void pass(ValueId from, ValueId to);
  // Marks what a gradient reaches in a body of which only some outputs are used.
  void mark_body(Graph& body, const std::vector<bool>& outputs);

  Model& model() { return model_; }
  [[nodiscard]] bool failed() const { return !problems_.empty(); }
  Diagnostics& problems() { return problems_; }
  Diagnostics& notes() { return notes_; }

  // Steps recorded while muted go nowhere, but are measured: what loops and branches decide by.
  struct Muted {
    Integer flop = 0;
    bool unknown = false;  // something had a size that is not known
  };
  Muted* mute = nullptr;
  std::int64_t times = 1;  // how often what runs now is executed
  std::int64_t most_work = kMaxWork;
  std::int64_t work = 0;  // nodes applied so far
  bool out_of_work = false;

  void record(const graph::Step& step);
  // Where a value's numbers are: in another, if it is a view of that.
  [[nodiscard]] ValueId storage(ValueId id) const { return storage_[id] == kNoValue ? id : storage_[id]; }
  void release(ValueId id) { storage_[id] = kNoValue; }
  void view(ValueId id, ValueId of) { storage_[id] = storage(of); }
  // Notes that the backward pass needs a value; the elements that no operator kept before.
  std::int64_t hold(ValueId id, bool copied);
  void note_unknown_operator(std::string_view op);
  void note_unknown_size(const std::string& where);
  void note_needed(const Type& type);  // its sizes that a name stands for would make a count known
  std::int64_t symbol(const std::string& name, const std::string& where);

 private:
  friend class Eval;
  bool apply(Graph& graph, const Node& node, const Frame* frame);
  bool sort(Graph& graph);
  void mark_useful(const Graph& graph, int depth);
  void mark_nodes(const Graph& graph, int depth);
  void decide_trained();
  void find_wholes();
  void hold_the_rest();

  Model& model_;
  graph::Recorder& recorder_;
  const Bindings& bindings_;
  Diagnostics problems_, notes_;
  std::vector<ValueId> storage_;    // of every value
  std::vector<char> moved_weight_;  // of every value: a weight, or weights put together
  std::vector<std::pair<std::string, std::int64_t>> unknown_operators_;
  std::vector<std::string> unknown_sizes_;
  std::vector<std::size_t> needed_;  // symbols that sizes of those nodes are
};

}  // namespace floptally::onnx
