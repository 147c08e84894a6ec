// MemoryProfile: what one device must hold of a described network under a layout, layer by layer. A Sink: describe a
// network to it, and every op is cut by tensor, context, sequence and expert parallelism and asked what it keeps for
// the backward pass.
//
// Always holds: numbers are for ONE micro-batch of run.layout.micro_batch samples on ONE device; a repeated layer is
// one class with a count, so a network of 96 or a million equal layers costs the same to profile; nothing is allocated.
//
// Sources of the rules: Shoeybi et al. 1909.08053 (tensor), Korthikanti et al. 2205.05198 (sequence; what a layer
// keeps), Megatron-LM's and Transformer Engine's saved tensors (data/training/frameworks.csv).
#pragma once

#include <array>
#include <cstdint>

#include "network/op.h"
#include "training/run.h"

namespace floptally {

// Bytes and elements of one layer (or of what stands before or after the layers) on one device.
struct LayerMemory {
  double count = 0;              // layers like this, in a row
  double dense = 0, expert = 0;  // parameters held, elements: shared by data ranks / by expert-data ranks
  double trained_dense = 0, trained_expert = 0;  // of these, trained
  double frozen_bytes = 0;                       // frozen weights as stored
  double frozen_scales = 0;                      // ... of these, scales of packed ones: every rank has them all
  double matrix = 0;                             // elements of matrix weights (they have fp8 copies, autocast casts)
  double states_dense = 0, states_expert = 0;    // optimizer states in bytes, before ZeRO
  double largest = 0, largest_states = 0;        // of one trained parameter tensor outside of the experts
  double kept = 0;                               // bytes kept for the backward pass without recomputation
  double kept_policy = 0;                        // ... under the run's recomputation
  double unsplit = 0, unsplit_policy = 0;        // what the allocator counts beyond either
  double routed = 0;                             // ... of kept: what comes before experts, their router included
  double input = 0;                              // bytes of the layer's input
  double cache = 0;                              // bytes of its keys and values
  double working = 0;         // the backward pass's transients beyond what is kept, where their sum is largest
  double working_policy = 0;  // ... under the run's recomputation
  double gathered = 0;        // bytes of the whole weights that ZeRO 3 gathers for the layer
  double gradient = 0;        // bytes of whole gradients in the compute format
  double logits = 0;          // logit elements (only after the layers)
  double unpacked = 0;        // bytes of a packed output matrix while it is used
  double head = 0;            // elements of the output matrix on this device
};

// Whether the op is a matrix that has an adapter.
bool is_adapted(const LowRankAdapter& adapter, const Op& op);

class MemoryProfile final : public Sink {
 public:
  static constexpr int kMaxClasses = 96;

  explicit MemoryProfile(const Run& run);
  void enter(std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) override;
  void add(const Op& op) override;
  void leave() override;

  // Equal layers in order; the last class is the mean of what did not fit (more than kMaxClasses kinds).
  [[nodiscard]] int classes() const { return classes_; }
  [[nodiscard]] const LayerMemory& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] double layer_count() const;
  // Of all layers and tensor ranks, as if every layer were like the first; without experts.
  [[nodiscard]] double layer_parameters() const;
  [[nodiscard]] const LayerMemory& before() const { return before_; }
  [[nodiscard]] const LayerMemory& after() const { return after_; }
  // Bytes of one placeholder gradient per distinct weight shape in the layers of `classes` (bit i: class i).
  using ClassSet = std::array<std::uint64_t, 2>;
  [[nodiscard]] double placeholders(const ClassSet& classes, bool head) const;
  // Bytes of one micro-batch's attention scores in the compute format, of the widest layer, and of its mask.
  [[nodiscard]] double scores() const { return scores_; }
  [[nodiscard]] double mask() const { return mask_; }
  [[nodiscard]] bool tied() const { return tied_; }          // the output matrix is the embedding
  [[nodiscard]] bool at_least() const { return at_least_; }  // an unknown operator is inside

 private:
  struct Shape {
    double rows, columns;
    ClassSet in{};
  };
  LayerMemory& target();
  void cut(const Op& op, Attributes<double>& a);
  void parameters(const Op& op, const Attributes<double>& a, const Cost<double>& c, LayerMemory& to);
  double kept_bytes(const Op& op, const Attributes<double>& a, const Cost<double>& c, double& policy);
  double adapter_bytes(const Op& op, double input, bool shared);
  double framework_bytes(const Op& op, const Attributes<double>& a, const Cost<double>& c) const;
  double products_policy(const Op& op, const Cost<double>& c);
  double saved_bytes(const Op& op, const Saved<double>& saved) const;
  bool recomputed(const Op& op, int saved_index) const;
  void join_last();
  void settle_between();
  void remember(double rows, double columns, bool sibling);
  void settle(double rows, double columns);
  [[nodiscard]] bool remade_by_scan(const Op& op) const;
  [[nodiscard]] double unsplit(double bytes, bool any_size) const;

  const Run& run_;
  // Whether the op multiplies in a recipe's narrow format: all matrices but the router and the output matrix, which
  // stay in 16 bits (Megatron-LM's and torchao's filters), with frameworks that keep what they quantized.
  [[nodiscard]] bool quantizes(const Op& op) const;
  double compute_, kept_format_, weights_, expert_load_;
  double joined_ = 0;                            // bytes of queries, keys and values so far
  double unsplit_all_ = 0, unsplit_policy_ = 0;  // of the last op: what the allocator counts beyond what it keeps
  double stream_;                                // bytes of a number that passes from layer to layer
  Dtype states_like_;
  std::array<LayerMemory, kMaxClasses> layers_{};
  LayerMemory before_, after_, stray_;
  int classes_ = 0;
  int depth_ = 0, layer_depth_ = 0;
  bool spilling_ = false;  // the layer has no class of its own
  bool in_layer_ = false, seen_layer_ = false, tied_ = false, at_least_ = false;
  double copies_[65] = {1}, within_[65] = {1};  // of the block at a depth: in all, in its layer (or outside of layers)
  int shapes_ = 0;
  std::array<Shape, 48> shape_{};
  Shape pending_{};
  bool shares_input_ = false;
  int shared_depth_ = 0, experts_depth_ = 0;  // of the blocks of shared and of routed experts; 0: outside
  bool fused_adapter_ = false;                // the adapter of this fused projection is counted
  bool started_ = false;                      // the layer's input is counted
  bool uneven_ = false;                       // the last experts are not padded: rows vary from rank to rank
  int products_ = 0;                          // matrix products of the layer so far
  const OperatorDef* previous_ = nullptr;
  double embedding_ = 0, scores_ = 0, mask_ = 0, unpacked_ = 0, padded_ = 1;
  double experts_ = 1;            // of a rank, of the last grouped product
  bool after_recurrent_ = false;  // the op before is of a recurrent mixer
};

}  // namespace floptally
