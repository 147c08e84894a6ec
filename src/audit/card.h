// Card: how far each method lies from the published compute of the shipped runs, computed, never typed.
#pragma once

#include <string>
#include <vector>

#include "audit/assumptions.h"
#include "audit/published.h"

namespace floptally {

struct CardRow {
  const AuditRun* run = nullptr;
  double ratio = 1;  // published over counted
};

struct Card {
  std::string method;
  std::vector<CardRow> rows;                          // by ratio
  double within_1_5 = 0, within_2 = 0, within_3 = 0;  // shares
  double median_ratio = 1;
  double coverage_90 = 0;  // of the 90% range fitted on the other rows (leave-one-out)
  // Smallest of 1.1, 1.25, 1.5, 2, 3, 5, 10 within which at least 80% lie, and how many.
  double factor = 0;
  std::size_t inside = 0;
};

// Language models by operations; runs with stated device-time by hardware with a stated and with the fitted
// utilization.
Card operations_card(const PublishedRuns& runs, const Assumptions& assumptions);
Card hardware_card(const PublishedRuns& runs, const Assumptions& assumptions, bool stated_utilization);

// Median and spread of the utilizations that the shipped runs state (set beside Epoch AI's larger snapshot).
struct StatedUtilization {
  std::size_t rows = 0;
  double median = 0, mean = 0, geometric_mean = 0, sigma = 0;
};
StatedUtilization stated_utilization(const PublishedRuns& runs);

}  // namespace floptally
