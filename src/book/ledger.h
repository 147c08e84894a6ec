// Ledger: builds a Book from traced numbers. Commands add accounts, headlines, tables; finish() evaluates the worlds,
// turns the trace into named steps and fills in percentiles.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "book/trace.h"
#include "book/worlds.h"

namespace floptally {

// An account in the making: leaves carry values, parents are computed from their children by `combine`.
struct Entry {
  std::string name;
  std::vector<std::pair<std::string, Traced>> cells = {};  // key -> value; only on leaves
  std::vector<Entry> children = {};
  Combine combine = Combine::sum;
  std::string note = {};
  std::string source = {};
  Span place = {};
};

class Ledger {
 public:
  explicit Ledger(std::string command) { book_.command = std::move(command); }

  Trace& trace() { return trace_; }
  Book& book() { return book_; }

  // Adds a tree. Returns the computed total of each key at its root, for headlines and further formulas.
  std::vector<std::pair<std::string, Traced>> add(Entry entry);
  void headline(const std::string& key, std::string label, const Traced& value);
  // Asks for shares of variance under this headline.
  void influences(std::string key) { influence_keys_.push_back(std::move(key)); }
  // Evaluates everything and hands the Book over. `worlds` 0 leaves percentiles out; with `keep` the Book holds the
  // headlines' value in every world, while those are few enough to be cheap.
  Book finish(std::uint32_t worlds = Worlds::kDefault, bool keep = true);

 private:
  Account build(Entry& entry, const std::string& path, std::vector<std::pair<std::string, Traced>>& totals);
  std::uint32_t step(NodeId id, const std::string& fallback_name);

  Trace trace_;
  Book book_;
  std::vector<std::string> influence_keys_;
  std::vector<NodeId> step_nodes_;
  std::unordered_map<NodeId, std::uint32_t> step_of_;
};

// Figures of certain numbers, for tables.
Figure figure(Integer value, Dim dim = {});
Figure figure(double value, Dim dim = {});
// A traced number at its best guess (no percentiles).
Figure figure(const Traced& value);

}  // namespace floptally
