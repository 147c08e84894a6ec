// Step: what one node of an imported graph costs, in the terms that every graph format can state. Readers describe a
// graph as a list of steps in execution order; network_recorder.cpp turns them into the ops of a Network.
//
// Always holds: sizes are those of one execution of the graph as it was bound (its batch included); `times` counts
// executions with the same parameters (loop iterations). A product is batch x [rows x inner] . [inner x columns], that
// is 2 * batch * rows * columns * inner FLOP; its backward pass repeats it once for each operand that needs a gradient.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/integer.h"
#include "network/dtype.h"

namespace floptally::graph {

enum class Kind : std::uint8_t {
  convolution,
  product,    // a matrix product in which one operand may be a weight
  recurrent,  // a recurrent layer's products
  attention,  // a product of two activations
  lookup,     // rows of a table
  normalization,
  elementwise,  // a fixed number of FLOP an element of the output
  movement,     // no arithmetic
  held,         // parameters that no step of its own carries
  unknown,      // an operator that is not known: totals become "at least"
};

struct Step {
  Kind kind = Kind::movement;
  std::string_view op;      // the operator's name in its format: "Conv"
  std::string_view name;    // the node's
  std::string_view module;  // "layer1.0.conv1", where a weight of the step says so
  std::int64_t batch = 0, rows = 0, columns = 0, inner = 0;
  bool left_gradient = false, right_gradient = false;  // which operand needs a gradient in training
  bool right_weight = false;                           // the right operand is learned (a weight gradient)
  std::int64_t parameters = 0;                         // learned numbers first used here
  std::int64_t frozen = 0;                             // of these, not trained (quantized weights)
  std::int64_t buffers = 0;                            // numbers held, never learned
  std::int64_t read = 0, written = 0;                  // activation elements
  std::int64_t kept = -1;  // of these, what the backward pass needs and no step before keeps; -1: as its operator says
  std::int64_t indices = 0;           // positions that it keeps: where maxima stood
  std::int64_t flop_per_element = 0;  // beside the product, for each element written
  std::int64_t kernel = 1;  // convolution: elements of the kernel window, part of inner (columns if transposed)
  bool transposed = false;  // convolution from few positions to many
  std::int64_t times = 1;
  Dtype stored = Dtype::unspecified;  // of the parameters
};

// Adds elements to a count of them; where a hostile file's sizes leave 63 bits, the count stays at the end.
inline void add_elements(std::int64_t& count, std::int64_t more) {
  if (__builtin_add_overflow(count, more, &count)) count = INT64_MAX;
}

// Where steps go.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const Step& step) = 0;
};

}  // namespace floptally::graph
