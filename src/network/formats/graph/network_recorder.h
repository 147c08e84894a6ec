// NetworkRecorder: turns the steps of an imported graph into a Network.
//
// Always holds: every step's parameters and FLOP are in the network, exactly once. A step becomes the operator that
// says what it is (convolution, linear, batch_norm ...) where that operator counts the very same numbers, else
// `product` or `pointwise`, which take any numbers. Steps that belong to one module ("layer1.0.conv1") stand in one
// block ("layer1.0"). Above kMergeAbove steps, equal ones are merged into one block with a repeat count: their order is
// lost, no count is.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "network/formats/graph/step.h"
#include "network/network.h"

namespace floptally::graph {

inline constexpr std::size_t kMergeAbove = 2000;

class NetworkRecorder final : public Recorder {
 public:
  void record(const Step& step) override;
  // Builds the network of what was recorded.
  Network finish(std::string name, std::string family);

 private:
  void merge_all();
  void merge(const Op& op, std::uint64_t repeat);
  Op translate(const Step& step) const;

  std::vector<Op> ops_;                                          // in order, while they are few
  std::vector<std::uint64_t> repeats_;                           // merged: how many equal ones
  std::unordered_multimap<std::uint64_t, std::uint32_t> equal_;  // hash of an op without its name
  bool merged_ = false;
};

}  // namespace floptally::graph
