// Walking a network in execution order while finding which gradients each op computes; the one place that knows how
// repeated and branching blocks pass "something before needs a gradient" on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/count.h"

namespace floptally {

template <class N>
bool trains(const Op& op, const Cost<N>& cost) {
  return cost.parameters > N(0) && !op.has(op_flags::frozen);
}

inline Gradient gradient_of(const Op& op, bool has_trained_parameters, bool upstream) {
  Gradient g;
  g.weight = has_trained_parameters;
  g.input = op.has(op_flags::input_gradient) || (upstream && !op.has(op_flags::input_no_gradient));
  return g;
}

// Walks a network in execution order, telling a visitor enter(block), op(index, multiple, gradient, cost),
// leave(block).
template <class Visitor>
class Walker {
 public:
  Walker(const Network& network, const CountOptions& options, Visitor& visitor)
      : network_(network), options_(options), visitor_(visitor), op_trains_(network.ops.size()) {
    for (std::size_t i = 0; i < network.ops.size(); ++i) {
      Cost<Integer> cost;
      cost_of(network.ops[i], options.rules, cost);
      op_trains_[i] = trains(network.ops[i], cost);
    }
    trains_.resize(network.blocks.size());
    for (std::size_t b = network.blocks.size(); b-- > 0;) trains_[b] = block_trains(network.blocks[b]);
    bool upstream = false;
    items(network.blocks[0], Integer(1), upstream);
  }

 private:
  bool block_trains(const Block& block) const {
    for (const Item& item : block.items) {
      if (item.is_block ? trains_[item.index] : op_trains_[item.index] != 0) return true;
    }
    return false;
  }

  void items(const Block& block, Integer multiple, bool& upstream) {
    const bool start = upstream;
    bool any = upstream;
    for (const Item& item : block.items) {
      if (block.kind == BlockKind::branches) upstream = start;
      if (item.is_block) {
        child(item.index, multiple, upstream);
      } else {
        op(item.index, multiple, upstream);
      }
      any = any || upstream;
    }
    upstream = any;
  }

  void child(std::uint32_t index, Integer multiple, bool& upstream) {
    const Block& block = network_.blocks[index];
    if (block.repeat <= 0) return;
    visitor_.enter(index);
    Integer copies(block.repeat);
    if (options_.training && !upstream && block.repeat > 1 && trains_[index]) {
      items(block, multiple, upstream);  // the first copy alone sees data that needs no gradient
      copies -= Integer(1);
    }
    items(block, multiple * copies, upstream);
    visitor_.leave(index);
  }

  void op(std::uint32_t index, Integer multiple, bool& upstream) {
    const Op& use = network_.ops[index];
    Cost<Integer> cost;
    cost_of(use, options_.rules, cost);
    const bool train = options_.training && op_trains_[index] != 0;
    const Gradient gradient = options_.training ? gradient_of(use, train, upstream) : Gradient{};
    upstream = upstream || train || gradient.input;
    visitor_.op(index, multiple, measure(use, cost, gradient));
  }

  const Network& network_;
  const CountOptions& options_;
  Visitor& visitor_;
  std::vector<char> op_trains_, trains_;
};

}  // namespace floptally
