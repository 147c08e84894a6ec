// What one rank of a pipeline holds: runs of layers, summed.
#pragma once

#include "estimate/in_flight.h"
#include "estimate/memory_profile.h"

namespace floptally {

// What one chunk of the model (a run of layers) holds on a device.
struct Chunk {
  LayerMemory sum;  // of its layers, `before` and `after`
  double layers = 0;
  double activations = 0;  // per micro-batch, kept under the policy
  double replayed = 0;     // made again in the backward pass: the largest layer's (or group's)
  double working = 0, gathered_layer = 0, gradient_layer = 0, input = 0;
  double routed = 0;                   // of the layers that are made again: what comes before experts
  double inputs = 0;                   // ... and their inputs
  double cache = 0, cache_remade = 0;  // keys and values: of all layers, of those that are made again
  bool first = false, last = false;
};

struct Rank {
  Chunk chunks[kMaxChunks];
  int count = 0;
  MemoryProfile::ClassSet classes{};
  LayerMemory sum;
  double working = 0, replayed = 0, gathered_layer = 0, gradient_layer = 0, input = 0, routed = 0, inputs = 0,
         cache = 0, cache_remade = 0;
  double sum_layers = 0;
  bool head = false;
};

void make_rank(const MemoryProfile& profile, const Run& run, std::int64_t stage, Rank& rank);

}  // namespace floptally
