// The sums behind measure.h, compiled for whatever processor runs them. Eight fixed lanes of fp64, each one rounded
// operation after another: the digits are the same on every processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace floptally::numerics {

struct ErrorSums {
  std::uint64_t zeroed = 0;
  double absolute = 0, squared = 0, signal = 0, restored = 0, product = 0, largest = 0;
};
ErrorSums error_sums(const float* original, const float* restored, std::size_t count);

// signal[v] = sum of x a_v and noise[v] = sum of (x - y) a_v, with a_v at a + v * stride.
void probe_sums(const float* x, const float* y, std::size_t count, const float* a, std::size_t stride,
                std::size_t vectors, double* signal, double* noise);

// Adds 1 to counts[clamp(floor(value * scale + bins / 2), 0, bins - 1)] for each value.
void count_bins(const float* values, std::size_t count, float scale, int bins, std::uint64_t* counts);

}  // namespace floptally::numerics
