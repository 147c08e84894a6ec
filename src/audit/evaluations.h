// Evaluations: numbers of one trace over one set of worlds, each evaluated once however often it is asked for.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "book/worlds.h"

namespace floptally {

class Evaluations {
 public:
  // The trace may grow afterwards, but by no new leaf.
  Evaluations(const Trace& trace, std::uint32_t count) : trace_(trace), worlds_(trace, count) {}

  [[nodiscard]] const Worlds& worlds() const { return worlds_; }
  // Value in every world; a name shares the numbers of what it names.
  const std::vector<double>& values(const Traced& number) {
    const NodeId id = behind_names(number.id());
    const auto found = values_.find(id);
    return found != values_.end() ? found->second : values_.emplace(id, worlds_.values(id)).first->second;
  }
  Percentiles percentiles(const Traced& number) {
    if (!uncertain(number)) return {number.value(), number.value(), number.value()};
    const NodeId id = behind_names(number.id());
    const auto found = percentiles_.find(id);
    if (found != percentiles_.end()) return found->second;
    std::vector<double> copy = values(number);
    return percentiles_.emplace(id, percentiles_of(copy)).first->second;
  }
  double probability_above(const Traced& number, double threshold) {
    if (!uncertain(number)) return number.value() > threshold ? 1 : 0;
    const std::vector<double>& all = values(number);
    const auto above = std::count_if(all.begin(), all.end(), [&](double v) { return v > threshold; });
    return static_cast<double>(above) / static_cast<double>(all.size());
  }
  // Whether both are one number, whatever it is called; two that are equal at the best guesses may have other ranges.
  [[nodiscard]] bool same(const Traced& a, const Traced& b) const {
    return behind_names(a.id()) == behind_names(b.id());
  }
  [[nodiscard]] bool uncertain(const Traced& number) const {
    return number.trace() != nullptr && trace_.node(number.id()).uncertain;
  }

 private:
  [[nodiscard]] NodeId behind_names(NodeId id) const {
    while (trace_.node(id).op == NodeOp::named) id = trace_.node(id).a;
    return id;
  }

  const Trace& trace_;
  Worlds worlds_;
  std::unordered_map<NodeId, std::vector<double>> values_;
  std::unordered_map<NodeId, Percentiles> percentiles_;
};

}  // namespace floptally
