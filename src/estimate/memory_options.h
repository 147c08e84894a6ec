// What would make a run fit: single changes to a run, tried in the order of what they cost, each predicted anew.
#pragma once

#include <string>
#include <vector>

#include "estimate/memory.h"
#include "network/network.h"

namespace floptally {

struct MemoryOption {
  std::string change;    // "recompute: full", "layout.micro_batch: 2"
  std::string costs;     // what it costs
  bool is_free = false;  // it costs nothing
  Run run;
  double needed = 0;  // bytes that must be there at once
  bool fits = false;
};

// What a device holds, in bytes, and how many of its kind a fast link joins (tensor parallelism stays within; 0: any).
struct DeviceLimits {
  double capacity = 0;
  std::int64_t linked = 0;
};

// Every single change that is legal for the model, cheapest first.
std::vector<MemoryOption> memory_options(const Network& network, const Run& run, const Divisors& model,
                                         const DeviceLimits& device);

// Changes one after the other until the run fits: the cheapest with which it does; else one that costs nothing and
// saves; else the one that saves most. Empty if six do not suffice.
std::vector<MemoryOption> memory_changes(const Network& network, const Run& run, const Divisors& model,
                                         const DeviceLimits& device);

// Prediction for a whole network.
DeviceMemory predict_memory(const Network& network, const Run& run);

}  // namespace floptally
