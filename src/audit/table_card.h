// The card of a user's table of published runs: every row counted by both methods without a look at its published
// compute, which is then held against the counts, regime by regime.
#pragma once

#include "audit/assumptions.h"
#include "audit/published_table.h"

namespace floptally {

// A class of rows that the card has a line for; lines stand in their order.
struct Regime {
  int order = 0;
  std::string name;
};

struct TableScore {
  const TableRun* row = nullptr;
  std::string method;  // "operations", "hardware, utilization stated", "hardware, utilization assumed", "answer"
  double counted = 0, low = 0, high = 0;  // best guess and 90% range
  double published = 0;
  std::vector<Regime> regimes;
  [[nodiscard]] double ratio() const { return published / counted; }
  [[nodiscard]] bool within(double factor) const { return ratio() <= factor && ratio() >= 1 / factor; }
  [[nodiscard]] bool inside() const { return published >= low && published <= high; }
};

std::vector<TableScore> score_table(const PublishedTable& table, const Catalogue& catalogue,
                                    const Assumptions& assumptions);

// `rows`: list every scored row.
Book table_card(const PublishedTable& table, const Catalogue& catalogue, const Assumptions& assumptions, bool rows);

}  // namespace floptally
