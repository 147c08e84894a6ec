// Worlds: the percentiles of traced numbers over common draws of their uncertain leaves.
//
// World i draws every leaf once: scrambled Sobol points (Joe and Kuo's directions, Owen's nested uniform scrambling by
// hash as in Burley, "Practical Hash-based Owen Scrambling", JCGT 2020), seeded by the leaf's name. The same on any
// number of threads. Draws are kept while worlds are few; of many, blocks are drawn, used and forgotten, so that memory
// does not grow with their number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "book/points.h"
#include "book/trace.h"

namespace floptally {

struct Percentiles {
  double p5 = 0, p50 = 0, p95 = 0;
};

class PolynomialBuilder;
struct Program;
using Polynomial = std::map<std::vector<std::pair<NodeId, int>>, double>;

class Worlds {
 public:
  static constexpr std::uint32_t kDefault = 1u << 14;
  // Shares of variance need no more than this, and draws of no more than this are kept, of leaves that fit 256 MiB.
  static constexpr std::uint32_t kKept = 1u << 16;
  static constexpr std::uint64_t kMostKept = 1u << 25;

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
  // Fraction of worlds in which the node exceeds `threshold`.
  [[nodiscard]] double probability_above(NodeId id, double threshold) const;
  // The draws of one uncertain leaf (index into trace.leaves()).
  [[nodiscard]] const std::vector<double>& draws(std::uint32_t leaf) const;

 private:
  struct Stream;  // one number whose percentiles are being found
  struct Scratch;
  std::optional<Percentiles> of_one_leaf(NodeId id, PolynomialBuilder& builder) const;
  // The percentiles of each, in one pass over the worlds; nothing where the pilot's brackets missed one.
  std::vector<std::optional<Percentiles>> stream(std::vector<Stream> streams) const;
  [[nodiscard]] std::optional<Stream> as_sum_of_logarithms(const Polynomial& terms) const;
  // Evaluates the streams' programs over a block of worlds; part(i, values) is called with each.
  template <class Part>
  void evaluate(const std::vector<Stream>& streams, std::uint32_t start, std::uint32_t size, Scratch& scratch,
                Part&& part) const;
  // The program's value for each (input, value): that one replaced, the others at their best guess.
  [[nodiscard]] std::vector<double> values_with(const Program& program,
                                                const std::vector<std::pair<std::size_t, double>>& replaced) const;
  [[nodiscard]] std::vector<double> first_values(const Program& program, std::uint32_t count) const;
  // The leaf's draws in worlds [start, start + size): kept ones, or made in `room`.
  const double* block(std::uint32_t leaf, std::uint32_t start, std::uint32_t size, double* room) const;
  const Points& points(std::uint32_t leaf) const;

  const Trace& trace_;
  std::uint32_t count_;
  bool keeps_ = false;
  mutable std::vector<std::vector<double>> draws_;     // by leaf, empty until drawn
  mutable std::vector<std::optional<Points>> points_;  // by leaf
  std::vector<std::uint32_t> rank_;                    // which sequence each uncertain leaf takes
};

// The 5%, 50% and 95% order statistics with linear interpolation (as numpy.percentile), in O(n). Reorders `values`.
Percentiles percentiles_of(std::vector<double>& values);

}  // namespace floptally
