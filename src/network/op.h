// Op: one use of an operator in a network, and Sink, what builders describe networks to.
//
// An Op is a plain value without heap: an operator, its attributes, and how this use of it is trained, shared and cut.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "network/operator.h"

namespace floptally {

// What part of a model an op belongs to; conventions and plans select by it.
enum class Component : std::uint8_t {
  embed,       // token embedding tables
  position,    // position tables, rotary, relative biases
  projection,  // attention's q, k, v and output projections
  attention,   // scores and values (query-key pairs)
  mlp,         // feed-forward and expert matrices
  router,      // choice of experts
  convolution,
  recurrent,  // RNN, GRU, LSTM, and the projections and scans of state-space and linear-attention mixers
  norm,
  activation,  // activation functions, softmax, dropout
  unembed,     // logits
  loss,
  head,  // classifiers and other outputs that are not logits over the vocabulary
  other,
};
inline constexpr int kComponentCount = 14;
std::string_view component_name(Component component);

namespace op_flags {
inline constexpr std::uint16_t frozen = 1;             // parameters are not trained: no weight gradient
inline constexpr std::uint16_t tied = 2;               // parameters belong to another op: counted there
inline constexpr std::uint16_t input_no_gradient = 4;  // its input never needs a gradient (data)
inline constexpr std::uint16_t input_gradient = 8;     // its input always needs one; neither flag: found from the order
inline constexpr std::uint16_t shared_input = 16;      // a sibling keeps the same input for the backward pass
inline constexpr std::uint16_t inference_only = 32;    // not executed while training (kept out of training counts)
inline constexpr std::uint16_t training_only = 64;     // only while training (loss, extra prediction heads)
inline constexpr std::uint16_t even_rows = 128;        // padded to a capacity: every expert gets as many rows
inline constexpr std::uint16_t joined = 256;           // one matrix with the sibling before it
}  // namespace op_flags

struct Op {
  const OperatorDef* def = nullptr;
  std::int64_t attributes[kMaxAttributes] = {};
  std::int64_t times = 1;  // executions per sample with the same parameters (windows, time steps, towers)
  std::string_view name;   // as checkpoints name the module ("q_proj"); valid while the call or Network lives
  Component component = Component::other;
  Dtype stored = Dtype::unspecified;  // how the checkpoint stores the parameters
  std::uint16_t flags = 0;
  std::uint16_t tensor_split = 0;  // bit i: tensor parallelism divides attribute i

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  Op& with(std::uint16_t flag) & {
    flags |= flag;
    return *this;
  }
  Op with(std::uint16_t flag) && {
    flags |= flag;
    return *this;
  }
  Op repeated(std::int64_t n) && {
    times = n;
    return *this;
  }
  Op part_of(Component c) && {
    component = c;
    return *this;
  }
  Op split(std::initializer_list<int> indices) && {
    for (int i : indices) tensor_split = static_cast<std::uint16_t>(tensor_split | (1u << i));
    return *this;
  }
};

// The cost of one execution of `op` on one sample, by either number.
inline void cost_of(const Op& op, const Rules& rules, Cost<Integer>& out) {
  Attributes<Integer> a;
  for (int i = 0; i < op.def->attribute_count; ++i) a.value[i] = op.attributes[i];
  op.def->count(a, rules, out);
}
inline void cost_of(const Op& op, const Rules& rules, Cost<double>& out) {
  Attributes<double> a;
  for (int i = 0; i < op.def->attribute_count; ++i) a.value[i] = static_cast<double>(op.attributes[i]);
  op.def->count_fast(a, rules, out);
}

// What a block of a network is to those who view or cut it.
enum class BlockKind : std::uint8_t {
  group,     // only a name (a tower, a stack)
  layer,     // one layer: the unit of "--by layer", pipeline stages and recomputation
  module,    // a part of a layer (attention, mlp)
  branches,  // its items all start from the block's input (q, k, v; residual branches; adapters beside a base)
};

// Builders describe a network by enter / add / leave, so the same description builds a Network, or is tallied at once
// without any allocation. Names need to live only for the call.
class Sink {
 public:
  virtual ~Sink() = default;
  // `repeat` identical copies in a row, each with its own parameters. 0 copies are allowed and cost nothing.
  virtual void enter(std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) = 0;
  virtual void add(const Op& op) = 0;
  virtual void leave() = 0;
};

// Enters on construction and leaves at the end of the scope.
class Scope {
 public:
  Scope(Sink& sink, std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) : sink_(sink) {
    sink_.enter(name, repeat, kind);
  }
  ~Scope() { sink_.leave(); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Sink& sink_;
};

}  // namespace floptally
