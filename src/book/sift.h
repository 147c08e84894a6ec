// Sifting worlds around a percentile, with the widest vectors the processor has (Google Highway).
#pragma once

#include <cstddef>
#include <cstdint>

namespace floptally {

// Copies the values inside [low, high] to `out` (room for count + 16 doubles), adds the number of those below low to
// `below`, and returns how many were copied. The order of what is copied may differ between processors; the set does
// not.
std::size_t sift(const double* values, std::size_t count, double low, double high, double* out, std::uint64_t& below);

}  // namespace floptally
