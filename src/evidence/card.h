// Evidence: predictions against measurements, as an error card.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "estimate/memory.h"
#include "evidence/row.h"

namespace floptally {

struct Scored {
  std::string id, source, framework, model;
  std::string kind;      // class of run that ranges are fitted for: "dense tensor", "experts" ...
  std::string measure;   // "allocated", "reserved", "nvidia-smi"
  double allocated = 0;  // predicted peak of allocated memory; what the allocator sets apart beside it where reserved
                         // memory was measured
  double expert_load = 1, expert_bytes = 0;  // tokens of the fullest rank over the mean, and what one more would add
  double scattered = 0;  // bytes that come and go within a step, where micro-batches differ in length
  double either = 0;     // bytes that may not be there: of another version of its software, where the row states none;
                         // of the fullest rank's tokens, where another rank's memory is seen
  double measured = 0, predicted = 0, low = 0, high = 0;  // bytes
  std::vector<std::string> regimes;                       // "devices 1-8", "generation h100" ...
  std::vector<std::string> assumed;                       // what the row did not say and what stands for it
  [[nodiscard]] double error() const { return predicted / measured - 1; }
  [[nodiscard]] bool covered() const { return measured >= low && measured <= high; }
};

struct Skipped {
  std::string id, reason;
  std::size_t row = 0;
};

// Called right or wrong: did the run fit?
struct FitCall {
  std::string id;
  bool fitted = false, predicted_fit = false;
};

struct Score {
  std::string name;
  std::size_t rows = 0;
  double bias = 0, mean = 0, median = 0, p90 = 0, coverage = 0;
};
Score score(std::string name, const std::vector<const Scored*>& rows);

struct MemoryCard {
  std::size_t rows = 0;  // with a memory measurement, or out of memory
  std::vector<Scored> scored;
  std::vector<Skipped> skipped;
  std::vector<FitCall> calls;
  Score total;
  std::vector<Score> by;  // regimes with at least three rows
};
// `capacity` gives a device's memory in bytes (0: not known).
MemoryCard memory_card(const std::vector<EvidenceRow>& rows, double (*capacity)(std::string_view device));

// The prediction for one row.
DeviceMemory predict_memory(const EvidenceRow& row);

// Fills the card's scores from its scored rows.
void total_card(MemoryCard& card);
// What a published table must reach; rows of data/evidence/thresholds.csv.
struct Threshold {
  std::string quantity, source, measure, statistic;  // statistic: median, p90, coverage_low, coverage_high, calls
  double limit = 0, aim = 0;
};
struct Verdict {
  Threshold threshold;
  double value = 0;
  std::size_t rows = 0;
  bool holds = false;
};
std::vector<Verdict> judge(const MemoryCard& card);

}  // namespace floptally
