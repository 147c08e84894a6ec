// What would make a run fit: single changes to a run, tried in the order of what they cost, each predicted anew.
#pragma once

#include <string>
#include <vector>

#include "estimate/memory.h"
#include "network/network.h"

namespace floptally {

struct MemoryOption {
  std::string change;  // "recompute: full", "layout.micro_batch: 2"
  std::string costs;   // what it costs
  Run run;
  double visible = 0;  // bytes as nvidia-smi would show them
  bool fits = false;
};

// Every single change that is legal for the model, cheapest first.
std::vector<MemoryOption> memory_options(const Network& network, const Run& run, const Divisors& model,
                                         double capacity);

// Changes one after the other, each the one that saves most, until the run fits; empty if four do not suffice.
std::vector<MemoryOption> memory_changes(const Network& network, const Run& run, const Divisors& model,
                                         double capacity);

// Prediction for a whole network.
DeviceMemory predict_memory(const Network& network, const Run& run);

}  // namespace floptally
