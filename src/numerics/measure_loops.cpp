#include "numerics/measure_loops.h"

#include <algorithm>
#include <cstring>

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numerics/measure_loops.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace floptally::numerics {
namespace HWY_NAMESPACE {
// NOLINTBEGIN(readability-identifier-naming): named as the functions that dispatch to them, in their own case

constexpr std::size_t kLanes = 8;
// The compiler maps the lanes to whatever registers there are.
using Lanes = double __attribute__((vector_size(kLanes * sizeof(double))));
using Narrow = float __attribute__((vector_size(kLanes * sizeof(float))));
using Places = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

#define FLOPTALLY_INLINE inline __attribute__((always_inline)) HWY_ATTR

FLOPTALLY_INLINE void load(const float* from, std::size_t count, Narrow& into) {
  if (count == kLanes) {
    std::memcpy(&into, from, sizeof into);
  } else {
    into = Narrow{};
    std::memcpy(&into, from, count * sizeof(float));
  }
}

FLOPTALLY_INLINE void load(const float* from, std::size_t count, Lanes& into) {
  Narrow narrow;
  load(from, count, narrow);
  into = __builtin_convertvector(narrow, Lanes);
}

FLOPTALLY_INLINE double total(const Lanes& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

struct Errors {
  Lanes absolute{}, squared{}, signal{}, back{}, product{}, largest{};
  Places zeroed{};  // at most a chunk's elements
  FLOPTALLY_INLINE void add(const float* original, const float* restored, std::size_t count) {
    Narrow before;
    Narrow after;
    load(original, count, before);
    load(restored, count, after);
    zeroed -= (after == 0) & (before != 0);
    const Lanes x = __builtin_convertvector(before, Lanes);
    const Lanes y = __builtin_convertvector(after, Lanes);
    const Lanes e = x - y;
    const Lanes magnitude = e < 0 ? -e : e;
    absolute += magnitude;
    squared += e * e;
    signal += x * x;
    back += y * y;
    product += x * y;
    largest = magnitude > largest ? magnitude : largest;
  }
};

HWY_ATTR void Sum(const float* x, const float* y, std::size_t count, ErrorSums* out) {
  Errors errors;
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) errors.add(x + i, y + i, kLanes);
  if (whole < count) errors.add(x + whole, y + whole, count - whole);
  *out = {
      0, total(errors.absolute), total(errors.squared), total(errors.signal), total(errors.back), total(errors.product),
      0};
  for (std::size_t k = 0; k < kLanes; ++k) {
    out->largest = std::max(out->largest, double{errors.largest[k]});
    out->zeroed += static_cast<std::uint32_t>(errors.zeroed[k]);
  }
}

// kVectors probes side by side: each has two sums, and only their additions wait for one another.
template <std::size_t kVectors>
struct Products {
  Lanes signals[kVectors]{};
  Lanes noises[kVectors]{};
  FLOPTALLY_INLINE void add(const float* x, const float* y, std::size_t count, const float* a, std::size_t stride) {
    Lanes w;
    Lanes restored;
    load(x, count, w);
    load(y, count, restored);
    const Lanes lost = w - restored;
    for (std::size_t v = 0; v < kVectors; ++v) {
      Lanes p;
      load(a + v * stride, count, p);
      signals[v] += w * p;
      noises[v] += lost * p;
    }
  }
};

template <std::size_t kVectors>
HWY_ATTR void probe(const float* x, const float* y, std::size_t count, const float* a, std::size_t stride,
                    double* signal, double* noise) {
  Products<kVectors> sums;
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) sums.add(x + i, y + i, kLanes, a + i, stride);
  if (whole < count) sums.add(x + whole, y + whole, count - whole, a + whole, stride);
  for (std::size_t v = 0; v < kVectors; ++v) {
    signal[v] = total(sums.signals[v]);
    noise[v] = total(sums.noises[v]);
  }
}

HWY_ATTR void Probe(const float* x, const float* y, std::size_t count, const float* a, std::size_t stride,
                    std::size_t vectors, double* signal, double* noise) {
  std::size_t v = 0;
  for (; v + 4 <= vectors; v += 4) probe<4>(x, y, count, a + v * stride, stride, signal + v, noise + v);
  for (; v < vectors; ++v) probe<1>(x, y, count, a + v * stride, stride, signal + v, noise + v);
}

struct Bins {
  static constexpr std::size_t kTables = 4;  // neighbours often fall into one bin: let them count side by side
  static constexpr std::size_t kMost = 64;
  std::uint32_t tables[kTables][kMost] = {};
  float scale, half, last;

  FLOPTALLY_INLINE void add(const float* values, std::size_t count) {
    Narrow place;
    load(values, count, place);
    place = place * scale + half;
    place = place >= 0 ? place : Narrow{};  // also what is not a number
    place = place > last ? Narrow{} + last : place;
    const Places places = __builtin_convertvector(place, Places);
    std::int32_t bin[kLanes];
    std::memcpy(bin, &places, sizeof bin);
    for (std::size_t k = 0; k < count; ++k) ++tables[k % kTables][static_cast<std::size_t>(bin[k])];
  }
};

HWY_ATTR void Count(const float* values, std::size_t count, float scale, int bins, std::uint64_t* counts) {
  Bins found{.scale = scale, .half = static_cast<float>(bins) / 2, .last = static_cast<float>(bins - 1)};
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) found.add(values + i, kLanes);
  if (whole < count) found.add(values + whole, count - whole);
  for (int b = 0; b < bins; ++b)
    for (const auto& table : found.tables) counts[b] += table[b];
}

#undef FLOPTALLY_INLINE

// NOLINTEND(readability-identifier-naming)
}  // namespace HWY_NAMESPACE
}  // namespace floptally::numerics
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally::numerics {
namespace {
HWY_EXPORT(Sum);
HWY_EXPORT(Probe);
HWY_EXPORT(Count);
}  // namespace

ErrorSums error_sums(const float* original, const float* restored, std::size_t count) {
  ErrorSums out;
  HWY_DYNAMIC_DISPATCH(Sum)(original, restored, count, &out);
  return out;
}

void probe_sums(const float* x, const float* y, std::size_t count, const float* a, std::size_t stride,
                std::size_t vectors, double* signal, double* noise) {
  HWY_DYNAMIC_DISPATCH(Probe)(x, y, count, a, stride, vectors, signal, noise);
}

void count_bins(const float* values, std::size_t count, float scale, int bins, std::uint64_t* counts) {
  HWY_DYNAMIC_DISPATCH(Count)(values, count, scale, bins, counts);
}

}  // namespace floptally::numerics
#endif  // HWY_ONCE
