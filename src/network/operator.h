// An operator: one kind of computation (a linear layer, an attention, an LSTM ...) and everything that it costs.
//
// Each operator is one file operators/<name>.cpp that defines `extern const OperatorDef k_<name>`; the build lists the
// folder, so adding the file is enough. Its cost is written once, as a template over the number it computes with:
//   - Integer: exact counts (what is printed);
//   - double:  the same counts for searches and for a million configurations a second. All terms are non-negative
//              integers, so a double count is exact as long as the result is below 2^53;
//   - Traced:  the same counts with their formula, for `floptally explain`.
//
// Always holds: a cost is that of ONE execution on ONE sample (a sequence, an image); whoever counts multiplies by the
// op's `times`, by the repeats of the blocks around it and by the batch. Parameters are not multiplied by `times`.
// 1 multiply-add = 2 FLOP. Conventions are never built into a cost, except for the one question that the operator alone
// can answer: which query-key pairs an attention counts (Rules::pairs).
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/integer.h"
#include "network/dtype.h"

namespace floptally {

class Traced;  // src/book/trace.h

inline constexpr int kMaxAttributes = 12;
inline constexpr int kMaxSaved = 6;

// How a kept tensor is stored: the precision recipe of a run maps these to bytes.
enum class Keep : std::uint8_t {
  activation,  // the compute format (bf16, fp16, fp32 ...)
  fp32,        // statistics and losses, fp32 in every usual recipe
  mask,        // one byte an element (dropout masks, argmax of small windows, ReLU masks)
  index,       // eight bytes an element (token ids, argmax positions)
};
inline constexpr int kKeepCount = 4;

template <class N>
struct FlopSplit {
  N matmul = N(0);  // matrix products and convolutions (what runs on matrix units)
  N other = N(0);   // everything else: element by element, reductions, exponentials; see flop_per_element.h
};

template <class N>
struct Saved {
  N elements = N(0);
  Keep keep = Keep::activation;
  bool weight_only = false;  // needed for the weight gradient alone: a frozen op does not keep it
};

// What one execution on one sample costs.
template <class N>
struct Cost {
  N parameters = N(0);  // learned numbers
  N inactive = N(0);    // of these, what one token does not use (experts that are not chosen)
  N buffers = N(0);     // numbers held but not learned (running statistics)
  FlopSplit<N> forward;
  FlopSplit<N> backward_input;   // gradient with respect to the op's inputs: dropped where no input needs one
  FlopSplit<N> backward_weight;  // gradient with respect to parameters: dropped where they are frozen
  FlopSplit<N> backward_inner;   // always there when the op takes part in the backward pass (recurrent state)
  N recompute_matmul =
      N(0);            // matmul FLOP that the usual kernel repeats in its own backward (fused attention's scores)
  N input = N(0);      // activation elements read by the forward pass
  N output = N(0);     // activation elements written by the forward pass
  N workspace = N(0);  // elements alive only while the forward runs (beyond input and output)
  // Kept for the backward pass. saved[0] is the op's first input wherever that is kept (an op flagged
  // shared_input does not count it: a sibling keeps the same tensor).
  Saved<N> saved[kMaxSaved];
  int saved_count = 0;
  bool saves_input = false;  // saved[0] is the first input
  bool unknown = false;      // the operator is not known: every total that contains it is "at least"

  // The op's first input, needed for both gradients (a norm) or for the weight's alone (a linear layer). Call it first.
  void keep_input(N elements, bool weight_only) {
    saves_input = true;
    keep(elements, Keep::activation, weight_only);
  }
  void keep(N elements, Keep format, bool weight_only = false) {
    if (saved_count < kMaxSaved) saved[saved_count++] = {elements, format, weight_only};
  }
};

// Which query-key pairs an attention counts.
enum class Pairs : std::uint8_t {
  half,   // causal: s^2/2, as papers count; a window w: w(2s-w)/2
  exact,  // causal: s(s+1)/2, the pairs the mask lets through
  full,   // s^2 whatever the mask (what an unfused kernel computes)
};

struct Rules {
  Pairs pairs = Pairs::half;
};

// An op's attributes in the number type of the count.
template <class N>
struct Attributes {
  N value[kMaxAttributes];
  const N& operator[](int index) const { return value[index]; }
};

// What an attribute scales with: lets a parallel run cut an op without knowing it.
enum class Axis : std::uint8_t {
  none,      // a choice or a size that no parallelism cuts by itself
  tokens,    // positions of the sample (sequence, image positions): cut by context and sequence parallelism
  channels,  // a feature size: cut by tensor parallelism where the op says so (Op::tensor_split)
  experts,   // cut by expert parallelism
};

struct AttributeDef {
  std::string_view name;
  std::string_view doc;
  std::int64_t minimum = 1;  // smaller values are refused
  Axis axis = Axis::none;
};

// A worked example: attributes and what must come out (a test runs every one of them with Rules{Pairs::half}).
struct OperatorExample {
  std::string_view text;
  std::int64_t attributes[kMaxAttributes];
  std::int64_t parameters, forward_matmul, forward_other, backward_input_matmul, backward_weight_matmul;
};

struct OperatorDef {
  std::string_view name;    // "linear"
  std::string_view doc;     // one line
  std::string_view source;  // paper, equation, table or documentation page the counts come from
  const AttributeDef* attributes;
  int attribute_count;
  OperatorExample example;
  void (*count)(const Attributes<Integer>&, const Rules&, Cost<Integer>&);
  void (*count_fast)(const Attributes<double>&, const Rules&, Cost<double>&);
  void (*count_traced)(const Attributes<Traced>&, const Rules&, Cost<Traced>&);  // the same line of code, as a formula

  // Index of the attribute called `attribute`, or -1.
  [[nodiscard]] int find(std::string_view attribute) const;
};

// All operators, sorted by name; null-terminated.
const OperatorDef* const* all_operators();
// Null if there is none.
const OperatorDef* find_operator(std::string_view name);

// Arithmetic that reads the same over Integer and double. Arguments are non-negative.
inline Integer floor_div(Integer a, Integer b) { return a / b; }
inline double floor_div(double a, double b) { return std::floor(a / b); }
template <class N>
N ceil_div(N a, N b) {
  return floor_div(a + b - N(1), b);
}
template <class N>
N smaller(N a, N b) {
  return a < b ? a : b;
}
template <class N>
N larger(N a, N b) {
  return a > b ? a : b;
}

}  // namespace floptally
