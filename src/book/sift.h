// Sifting worlds around a percentile, with the widest vectors the processor has (Google Highway).
#pragma once

#include <cstddef>
#include <cstdint>

namespace floptally {

// What lies below each bracket is counted, what lies inside it, [low, high], is kept.
struct Brackets {
  static constexpr std::size_t kCount = 3;
  double low[kCount] = {}, high[kCount] = {};
  std::uint64_t below[kCount] = {};
};

// Copies the values inside bracket k to out[k] (room for count + 16 doubles), sets found[k] to how many those are and
// adds the number below it to brackets.below[k]. The order of what is copied may differ between processors; the set
// does not.
void sift(const double* values, std::size_t count, Brackets& brackets, double* const* out, std::size_t* found);

}  // namespace floptally
