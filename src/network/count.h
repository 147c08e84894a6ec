// Counting a network (or a description that is never stored): what its parts cost, per sample, forward and backward.
//
// The backward pass follows from the ops (Epoch, "What's the backward-forward FLOP ratio": a matrix product needs one
// product for its weight gradient and one for its input gradient):
//   - trainable op whose input needs a gradient: both;  the first trainable op: weight gradient only;
//   - frozen op above a trainable one: input gradient only;  frozen below all trainable ones: no backward at all.
// Whether an input needs a gradient is found from the order of the ops (op_flags override it).
//
// Always holds: totals equal the sum over the ops walked; a repeated block counts `repeat` times; parameters of tied
// ops are counted at their owner only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "network/network.h"

namespace floptally {

// Sums of costs. FLOP are per sample.
template <class N>
struct Measure {
  N parameters = N(0);  // all learned numbers, frozen ones too
  N frozen = N(0);      // of these, not trained
  N inactive = N(0);    // of these, not used by one token
  N buffers = N(0);
  FlopSplit<N> forward;
  FlopSplit<N> backward_input, backward_weight;  // backward_inner is in backward_input
  N recompute_matmul = N(0);  // repeated inside fused backward kernels: hardware FLOP, not model FLOP
  N kept[kKeepCount] = {N(0), N(0), N(0), N(0)};  // elements kept for the backward pass, by format
  N input = N(0), output = N(0);                  // activation elements read and written by the forward pass
  bool at_least = false;                          // an unknown operator is inside

  [[nodiscard]] N forward_flop() const { return forward.matmul + forward.other; }
  [[nodiscard]] N backward_matmul() const { return backward_input.matmul + backward_weight.matmul; }
  [[nodiscard]] N backward_other() const { return backward_input.other + backward_weight.other; }
  [[nodiscard]] N active() const { return parameters - inactive; }

  void add(const Measure& b) { add(b, N(1)); }
  void add(const Measure& b, N times);
};

// An op in the backward pass.
struct Gradient {
  bool input = false;   // its input needs a gradient
  bool weight = false;  // its parameters are trained
};

// The measure of one op, executed op.times times, for a cost that was counted already.
template <class N>
Measure<N> measure(const Op& op, const Cost<N>& cost, Gradient gradient);

// Everything, split by component.
template <class N>
struct Tally {
  Measure<N> by_component[kComponentCount];
  [[nodiscard]] Measure<N> total() const;
  void add(const Tally& b);
  const Measure<N>& operator[](Component c) const { return by_component[static_cast<int>(c)]; }
};

struct CountOptions {
  Rules rules;
  bool training = true;  // false: no gradients, nothing kept
};

Tally<Integer> count(const Network& network, const CountOptions& options = {});

// One row of a view.
struct ViewRow {
  std::string name;         // "layers.0-57", "linear", "self_attn.q_proj"
  std::int64_t repeat = 1;  // how many equal copies the measure holds
  int depth = 0;
  Tally<Integer> tally;  // split by component, so that any convention can read it
};
std::vector<ViewRow> view_by_layer(const Network& network, const CountOptions& options = {});
std::vector<ViewRow> view_by_operator(const Network& network, const CountOptions& options = {});
std::vector<ViewRow> view_by_component(const Network& network, const CountOptions& options = {});
// Every named block and op down to `depth` levels, parents before children; a parent's row includes its children's.
std::vector<ViewRow> view_by_module(const Network& network, const CountOptions& options = {}, int depth = 3);

// A view as a tree whose leaves are ops (or, beyond `most_leaves` ops, operators): the shape of an account.
struct ViewNode {
  std::string name;
  std::int64_t repeat = 1;
  const Op* op = nullptr;    // leaves only
  Measure<Integer> measure;  // leaves only
  std::vector<ViewNode> children;
};
ViewNode view_tree(const Network& network, const CountOptions& options = {}, std::size_t most_leaves = 2000);

// A Sink that tallies what is described to it, without allocating (blocks may nest kMaxBlockDepth deep). Gradients are
// found in the order of description. A repeated block is described once, so all its copies count alike: right wherever
// something trainable comes before it, such as an embedding; exact() is false where that would matter.
class TallySink final : public Sink {
 public:
  explicit TallySink(Rules rules = {}, bool training = true) : rules_(rules), training_(training) { clear(); }
  void enter(std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) override;
  void add(const Op& op) override;
  void leave() override;
  void clear();
  // Parameters and FLOP; what is kept or moved is not tallied.
  [[nodiscard]] const Tally<double>& tally() const { return tally_; }
  // True while every number is a whole number below 2^53, so that the doubles are the exact integers.
  [[nodiscard]] bool exact() const;

 private:
  struct Open {
    double multiple;
    bool upstream, start, any;  // for branches: the state each item starts from, and whether any item trains
    bool repeated;
    BlockKind kind;
  };
  Rules rules_;
  bool training_;
  bool uneven_ = false;  // a repeated block began without, and ended with, something trainable before it
  int depth_ = 0;
  Open open_[kMaxBlockDepth + 1];
  Tally<double> tally_;
};

}  // namespace floptally
