// Flow: a graph whose file states every shape (PyTorch exports, StableHLO, TFLite, frozen TensorFlow graphs). Readers
// name values and work; finish() finds the gradients and records the steps.
//
// Always holds: work is recorded in the order it was added; a weight is counted once, with the first work that reads
// it, however often it is viewed; an output gets a gradient only from inputs that carry one and lie below a learned
// weight.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/formats/graph/keeping.h"
#include "network/formats/graph/step.h"

namespace floptally::graph {

using FlowId = std::uint32_t;
inline constexpr FlowId kNothing = 0xffffffffu;

// What is known of a value. A size that is not known is -1.
struct FlowValue {
  std::string name;
  std::string path;  // of a weight: "layer1.0.conv1.weight"; empty: its name
  std::vector<std::int64_t> dims;
  Dtype dtype = Dtype::unspecified;
  bool ranked = false;
  bool weight = false;        // held by the model
  bool trained = false;       // and learned
  FlowId source = kNothing;   // the weight that this is a view of
  FlowId storage = kNothing;  // where its numbers are, if it is a view
  bool gradient = false, useful = false, owned = false, held = false;

  [[nodiscard]] std::int64_t elements() const;              // -1: not known
  [[nodiscard]] std::int64_t dim(std::int64_t axis) const;  // from the end if negative; -1 if not there
  [[nodiscard]] int rank() const { return static_cast<int>(dims.size()); }
};

// A matrix product in the terms of Step.
struct Sizes {
  std::int64_t batch = 1, rows = 1, columns = 1, inner = 1;
  std::int64_t kernel = 1;
  bool transposed = false;
};

struct Work {
  Step step;
  std::vector<FlowId> inputs, outputs;
  int left = -1, right = -1;    // positions in inputs
  std::uint32_t carries = ~0u;  // bit i: a gradient flows back to input i
  bool view = false;            // the outputs are input 0, or parts of it, in another shape or format
  bool fused = false;           // its kernel keeps its output
  std::int64_t own = 0;         // numbers of its own making that it keeps
};

class Flow {
 public:
  // The value of a name, made on first use.
  FlowId id(std::string_view name);
  [[nodiscard]] FlowId find(std::string_view name) const;
  FlowValue& value(FlowId id) { return values_[id]; }
  [[nodiscard]] const FlowValue& value(FlowId id) const { return values_[id]; }
  void output(FlowId id) {
    if (id != kNothing) outputs_.push_back(id);
  }
  // Text that lives as long as the flow (names of ops and nodes in steps).
  std::string_view keep(std::string text);

  // The next work; `op` and `name` must live as long as the flow.
  Work& work(Kind kind, std::string_view op, std::string_view name);
  // A product of two inputs; unknown if a size is.
  Work& product(Kind kind, std::string_view op, std::string_view name, FlowId left, FlowId right, const Sizes& sizes);
  // numpy's matmul of two values, by their shapes.
  Work& matmul(std::string_view op, std::string_view name, FlowId left, FlowId right, bool turn_left = false,
               bool turn_right = false);
  // A later pass through a loop reads `from` as `to`.
  void link(FlowId from, FlowId to) {
    if (from != kNothing && to != kNothing) links_.emplace_back(from, to);
  }
  void unknown(std::string_view op, std::string_view name, const std::vector<FlowId>& inputs,
               const std::vector<FlowId>& outputs);

  // Records everything; afterwards notes() says what was not known.
  void finish(Recorder& recorder, const Source* source);
  Diagnostics& notes() { return notes_; }

 private:
  FlowId root(FlowId id) const { return values_[id].source == kNothing ? id : values_[id].source; }
  void find_gradients();
  void find_storage();
  void find_roles(const Source* source);
  std::int64_t hold(FlowId id, bool copied = false);
  std::int64_t keep(const Work& work, const Nature& nature, std::uint16_t role);
  void own(Step& step, FlowId id);

  std::deque<FlowValue> values_;
  std::unordered_map<std::string_view, FlowId> names_;
  std::vector<Work> works_;
  std::vector<Nature> natures_;  // of every work, where finish() is
  std::vector<std::uint16_t> roles_;
  std::vector<FlowId> outputs_;
  std::vector<std::pair<FlowId, FlowId>> links_;
  std::deque<std::string> texts_;
  std::vector<std::pair<std::string, std::int64_t>> unknown_;
  std::vector<std::string> unsized_;
  Diagnostics notes_;
};

bool is_float(Dtype dtype);

}  // namespace floptally::graph
