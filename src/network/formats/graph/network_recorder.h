// NetworkRecorder: turns the steps of an imported graph into a Network.
//
// Always holds: every step's parameters and FLOP are in the network, exactly once. A step becomes the operator that
// says what it is (convolution, linear, batch_norm ...) where that operator counts the very same numbers, else
// `product` or `pointwise`, which take any numbers. Steps of one module ("layer1.0.conv1") stand in one block
// ("layer1.0"); what has no parameters and is no product is summed up in each block; equal neighbouring blocks become
// one with a repeat count
// ("blocks.1-77"). Above kMergeAbove ops, all equal ones are merged wherever they stand: their order is lost, no count
// is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/formats/graph/step.h"
#include "network/network.h"

namespace floptally::graph {

inline constexpr std::size_t kMergeAbove = 400;

class NetworkRecorder final : public Recorder {
 public:
  void record(const Step& step) override;
  // Builds the network of what was recorded, named after the last part of `path`. Names are copied into it.
  Network finish(std::string_view path, std::string_view family);

 private:
  struct Group {
    std::string_view first, last;  // names of the first and the last equal block; empty: no block
    std::int64_t repeat = 1;
    std::size_t begin = 0, end = 0;  // in ops_
  };
  void add(const Op& op);
  bool join_bias(const Step& step);
  void close();
  void merge_all();

  std::vector<Op> ops_;  // of the closed groups, then of the open one
  std::vector<Group> groups_;
  Group open_;
  bool merged_ = false;
};

class Flow;

// The network of a flow that is whole, named after the last part of `path`, with the flow's notes; `source` is where
// its ops stand. Names are copied into it.
Network network_of(Flow& flow, const Source* source, std::string_view path, std::string_view family);

}  // namespace floptally::graph
