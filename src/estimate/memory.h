// Memory of a training run on one device of every pipeline rank: what it holds, when it peaks, and why.
//
// Always holds: `allocated` is the sum of the parts at the peak, each of them arithmetic on the network's operators, a
// rule of the framework (data/training/frameworks.csv) or of the device (data/training/device_overheads.csv).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "estimate/memory_profile.h"

namespace floptally {

// What a byte on the device is for.
enum class Holds : std::uint8_t {
  weights,
  copies,
  gradients,
  master,
  states,  // there from the first step to the last
  placeholders,
  buckets,
  workspace,
  activations,
  working,
  gathered,
  logits,  // come and go within a step
};
inline constexpr int kHoldsCount = 12;
std::string_view name_of(Holds what);

// The moments of a step that can be the fullest.
enum class Moment : std::uint8_t { forward, loss, head_backward, layer_backward, optimizer };
inline constexpr int kMomentCount = 5;
std::string_view name_of(Moment moment);

struct DeviceMemory {
  std::int64_t stage = 0;                   // pipeline rank
  std::array<double, kHoldsCount> bytes{};  // at the peak
  Moment moment = Moment::layer_backward;
  std::array<double, kMomentCount> at{};  // allocated bytes at each moment
  double elsewhere = 0;  // reserved for what is not there at the peak: gradients that another stream's blocks take
  // Before an allocation fails PyTorch gives cached blocks back: no more of them stay than the device has room for.
  void bound(double room) { elsewhere = std::clamp(room - allocated(), 0.0, elsewhere); }
  double in_flight = 0;  // layer inputs times micro-batches held at the peak, in micro-batches
  [[nodiscard]] double operator[](Holds what) const { return bytes[static_cast<std::size_t>(what)]; }
  [[nodiscard]] double allocated() const;
  [[nodiscard]] double fixed() const;  // there all the time
};

// One pipeline rank. O(kinds of layers + pipeline x chunks), no allocation.
DeviceMemory device_memory(const MemoryProfile& profile, const Run& run, std::int64_t stage);
// How the parts of a rank's peak come about, for an account that can be opened.
struct RankParts {
  double trained_dense = 0, trained_expert = 0;  // parameters of the rank that are trained
  double frozen = 0, frozen_scales = 0;          // bytes of frozen weights, before sharing, and what is not shared
  double dense_ranks = 1, expert_ranks = 1;      // data ranks that share them under ZeRO
  double states_dense = 0, states_expert = 0;    // bytes of optimizer states, before sharing
  double logits = 0;                             // of a micro-batch, where the rank holds the output layer
  struct Chunk {
    double micro_batches = 0;  // held at the peak
    double bytes = 0;          // that one of them keeps
    double layers = 0;         // of them all alike,
    double layer_bytes = 0;    // each keeping so much; 0: they differ, or are recomputed
  };
  std::vector<Chunk> chunks;
  double after = 0;  // kept after the layers
};
RankParts rank_parts(const MemoryProfile& profile, const Run& run, const DeviceMemory& peak);
// The fullest pipeline rank; looks at every rank, or at the first, second and last where the stages are even.
DeviceMemory peak_memory(const MemoryProfile& profile, const Run& run);

// Allocated, reserved and as nvidia-smi shows it, with 90% ranges.
struct MemoryLines {
  Spread allocated, reserved, visible;
  // What must be there at once: PyTorch's allocator gives cached blocks back before an allocation fails
  // (CUDACachingAllocator: release_cached_blocks, then the allocation again), so that a full device still runs.
  Spread needed;
};
MemoryLines memory_lines(const DeviceMemory& memory, const Run& run, double spread_low, double spread_high);

// A step, moment by moment, for a chart: what is held after each event of the schedule.
struct MemoryMoment {
  std::string label;
  std::array<double, kHoldsCount> bytes{};
};
std::vector<MemoryMoment> memory_timeline(const MemoryProfile& profile, const Run& run, std::int64_t stage,
                                          int at_most = 400);

}  // namespace floptally
