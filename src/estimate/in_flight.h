// Micro-batches that the chunks of a pipeline rank hold, by schedule, and the order of a rank's passes.
#pragma once

#include <cstdint>
#include <vector>

#include "training/layout.h"

namespace floptally {

inline constexpr int kMaxChunks = 64;

// Micro-batches that each chunk of a rank holds, at the fullest and when the loss is computed.
struct InFlight {
  double fullest[kMaxChunks] = {};
  double at_head[kMaxChunks] = {};
  int chunks = 1;
};

// `weight`: bytes that a micro-batch keeps in each of `count` chunks; `head`: the chunk with the loss, -1: another
// rank's.
InFlight in_flight(const Layout& layout, std::int64_t batch, std::int64_t stage, const double* weight, int head,
                   int count);

// Micro-batches that pipeline rank `stage` holds at its fullest: the mean over its chunks, where these keep alike.
double micro_batches_in_flight(const Layout& layout, std::int64_t batch, std::int64_t stage);

// Passes of a rank in order: +chunk+1 forward, -(chunk+1) backward; at most `most` of them, whole micro-batches.
std::vector<int> passes_of(const Layout& layout, std::int64_t micro, std::int64_t stage, int chunks, int most);

}  // namespace floptally
