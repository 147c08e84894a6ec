// Worlds: the percentiles of traced numbers over common draws of their uncertain leaves.
//
// World i draws every leaf once: scrambled Sobol points (Joe and Kuo's directions, Owen's nested uniform scrambling by
// hash as in Burley, "Practical Hash-based Owen Scrambling", JCGT 2020), seeded by the leaf's name. The same on any
// number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "book/trace.h"

namespace floptally {

struct Percentiles {
  double p5 = 0, p50 = 0, p95 = 0;
};

class PolynomialBuilder;

class Worlds {
 public:
  static constexpr std::uint32_t kDefault = 1u << 14;

  explicit Worlds(const Trace& trace, std::uint32_t count = kDefault);

  [[nodiscard]] std::uint32_t count() const { return count_; }
  // Value of a node in every world (count() numbers).
  [[nodiscard]] std::vector<double> values(NodeId id) const;
  // Percentiles of each node; nodes that are multiples of one another are evaluated once.
  [[nodiscard]] std::vector<Percentiles> percentiles(const std::vector<NodeId>& ids) const;
  // First-order shares of variance of `id` (of its logarithm where it is positive), by leaf, largest first; leaves that
  // do not matter are left out. Shares may add to less than 1 (the rest is interaction).
  struct Share {
    std::uint32_t leaf = 0;  // index into trace.leaves()
    double share = 0;
    double low = 0, high = 0;  // the node with this leaf at its 5th / 95th percentile, the others at their best guess
  };
  [[nodiscard]] std::vector<Share> shares(NodeId id) const;
  // The node's value with the given leaves replaced (leaf index -> value), the others at their best guess.
  [[nodiscard]] double value_with(NodeId id, const std::vector<std::pair<std::uint32_t, double>>& replaced) const;
  // Fraction of worlds in which the node exceeds `threshold`.
  [[nodiscard]] double probability_above(NodeId id, double threshold) const;
  // The draws of one uncertain leaf (index into trace.leaves()).
  [[nodiscard]] const std::vector<double>& draws(std::uint32_t leaf) const;

 private:
  Percentiles stream(NodeId id, PolynomialBuilder& builder) const;
  std::optional<Percentiles> of_one_leaf(NodeId id, PolynomialBuilder& builder) const;

  const Trace& trace_;
  std::uint32_t count_;
  mutable std::vector<std::vector<double>> draws_;        // by leaf, empty until drawn
  mutable std::vector<std::vector<std::uint8_t>> slice_;  // by leaf: which 64th of its probability each draw lies in
  std::vector<std::uint32_t> rank_;                       // Sobol dimension of each uncertain leaf
};

// The 5%, 50% and 95% order statistics with linear interpolation (as numpy.percentile), in O(n). Reorders `values`.
Percentiles percentiles_of(std::vector<double>& values);

}  // namespace floptally
