#include "numerics/block_fit.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/block_layout.h"

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numerics/block_fit.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace floptally::numerics {
namespace HWY_NAMESPACE {

constexpr int kWide = 8;
using Doubles = double __attribute__((vector_size(kWide * sizeof(double))));
using Floats = float __attribute__((vector_size(kWide * sizeof(float))));
using Ints = std::int32_t __attribute__((vector_size(kWide * sizeof(std::int32_t))));

#define FLOPTALLY_INLINE inline __attribute__((always_inline)) HWY_ATTR

FLOPTALLY_INLINE void fetch(const float* from, Floats& into) { std::memcpy(&into, from, sizeof into); }
FLOPTALLY_INLINE double sum(const Doubles& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}
FLOPTALLY_INLINE double sum(const Floats& v) {  // of whole numbers below 2^24: exact
  return static_cast<double>(((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])));
}
// Clamped, then rounded to a whole number, halves to even (the sum with 1.5 * 2^23 leaves no room for a fraction).
FLOPTALLY_INLINE void round_to(Floats& value, float low, float high) {
  value = value > low ? value : Floats{} + low;
  value = value < high ? value : Floats{} + high;
  value = (value + 12582912.0f) - 12582912.0f;
}

// The codes of one scale and minimum: what they lose, and the sums that a least-squares fit needs.
struct Pass {
  double error = 0, q = 0, qq = 0, qx = 0;
};

FLOPTALLY_INLINE void pass(const float* x, int n, int top, const AffineFit& fit, Pass& out) {
  const float inverse = fit.scale > 0 ? 1.0f / fit.scale : 0.0f;
  Doubles error{}, qx{};
  Floats q{}, qq{};
  for (int i = 0; i < n; i += kWide) {
    Floats value;
    fetch(x + i, value);
    Floats code = (value + fit.minimum) * inverse;
    round_to(code, 0, static_cast<float>(top));
    const Doubles exact = __builtin_convertvector(value, Doubles);
    const Doubles miss = exact - __builtin_convertvector(code * fit.scale - fit.minimum, Doubles);
    error += miss * miss;
    q += code;
    qq += code * code;
    qx += __builtin_convertvector(code, Doubles) * exact;
  }
  out = {sum(error), sum(q), sum(qq), sum(qx)};
}

// The least-squares scale and minimum for the codes of a pass; `start` where there are none.
FLOPTALLY_INLINE void refit(int n, double sum_x, const Pass& codes, const AffineFit& start, AffineFit& out) {
  out = start;
  const double determinant = n * codes.qq - codes.q * codes.q;
  if (determinant <= 0) return;
  double scale = (n * codes.qx - codes.q * sum_x) / determinant;
  double minimum = (codes.q * codes.qx - codes.qq * sum_x) / determinant;
  if (minimum < 0) {  // the layout cannot store it: fit through zero
    minimum = 0;
    scale = codes.qq > 0 ? codes.qx / codes.qq : 0;
  }
  if (scale > 0) out = {static_cast<float>(scale), static_cast<float>(minimum)};
}

HWY_ATTR void affine_lanes(const float* x, int n, int top, AffineFit* out) {
  float low = x[0];
  float high = x[0];
  Doubles sums{};
  for (int i = 0; i < n; i += kWide) {
    Floats value;
    fetch(x + i, value);
    sums += __builtin_convertvector(value, Doubles);
    for (int k = 0; k < kWide; ++k) {
      low = std::min(low, x[i + k]);
      high = std::max(high, x[i + k]);
    }
  }
  const double sum_x = sum(sums);
  const float minimum = std::max(0.0f, -low);
  const float span = high + minimum;
  *out = {0, minimum};
  if (!(span > 0)) return;
  *out = {};
  double best = HUGE_VAL;
  const auto keep = [&](const AffineFit& fit, double error) {
    if (!(error < best)) return;
    best = error;
    *out = fit;
  };
  for (int attempt = -4; attempt <= 12; ++attempt) {
    // Spreads the span over top - 0.4 to top + 1.2 steps: clipping the ends a little often pays.
    const AffineFit start{span / (static_cast<float>(top) + 0.1f * static_cast<float>(attempt)), minimum};
    if (!(start.scale > 0)) continue;
    Pass codes;
    pass(x, n, top, start, codes);
    keep(start, codes.error);
    AffineFit fitted;
    refit(n, sum_x, codes, start, fitted);
    pass(x, n, top, fitted, codes);
    keep(fitted, codes.error);
    AffineFit again;
    refit(n, sum_x, codes, fitted, again);
    pass(x, n, top, again, codes);
    keep(again, codes.error);
  }
}

HWY_ATTR void symmetric_lanes(const float* x, int n, int half, float* out) {
  float top = 0;
  for (int i = 0; i < n; ++i)
    if (std::fabs(x[i]) > std::fabs(top)) top = x[i];
  *out = 0;
  if (top == 0) return;
  double best = HUGE_VAL;
  for (int attempt = -9; attempt <= 9; ++attempt) {
    const float inverse = -(static_cast<float>(half) + 0.1f * static_cast<float>(attempt)) / top;
    if (!std::isfinite(inverse)) continue;
    Doubles qx{};
    Floats qq{};
    for (int i = 0; i < n; i += kWide) {
      Floats value;
      fetch(x + i, value);
      Floats code = value * inverse;
      round_to(code, -static_cast<float>(half), static_cast<float>(half - 1));
      qx += __builtin_convertvector(code, Doubles) * __builtin_convertvector(value, Doubles);
      qq += code * code;
    }
    const double weighted = sum(qx);
    const double squares = sum(qq);
    if (squares == 0) continue;
    // The error of the least-squares scale is sum(x^2) - weighted^2 / squares; the first term is common to all.
    const double error = -weighted * weighted / squares;
    if (error < best) {
      best = error;
      *out = static_cast<float>(weighted / squares);
    }
  }
}

HWY_ATTR void level_lanes(const float* x, float factor, std::uint8_t* codes, LevelSums* out) {
  Doubles weighted{};
  Floats squares{};
  for (int i = 0; i < 32; i += kWide) {
    Floats value;
    fetch(x + i, value);
    const Floats scaled = value * factor;
    Ints code{};
    Floats level = Floats{} + static_cast<float>(kIq4Levels[0]);
    for (int k = 0; k < 15; ++k) {
      const float middle = 0.5f * static_cast<float>(kIq4Levels[k] + kIq4Levels[k + 1]);
      const Ints above = scaled > middle;
      code -= above;
      level += above ? Floats{} + static_cast<float>(kIq4Levels[k + 1] - kIq4Levels[k]) : Floats{};
    }
    for (int k = 0; k < kWide; ++k) codes[i + k] = static_cast<std::uint8_t>(code[k]);
    weighted += __builtin_convertvector(level, Doubles) * __builtin_convertvector(value, Doubles);
    squares += level * level;
  }
  *out = {sum(weighted), sum(squares)};
}

#undef FLOPTALLY_INLINE

}  // namespace HWY_NAMESPACE
}  // namespace floptally::numerics
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally::numerics {
namespace {
HWY_EXPORT(affine_lanes);
HWY_EXPORT(symmetric_lanes);
HWY_EXPORT(level_lanes);
}  // namespace

AffineFit fit_affine(const float* x, int n, int top) {
  AffineFit out;
  HWY_DYNAMIC_DISPATCH(affine_lanes)(x, n, top, &out);
  return out;
}

float fit_symmetric(const float* x, int n, int half) {
  float out = 0;
  HWY_DYNAMIC_DISPATCH(symmetric_lanes)(x, n, half, &out);
  return out;
}

LevelSums nearest_levels(const float* x, float factor, std::uint8_t* codes) {
  LevelSums out;
  HWY_DYNAMIC_DISPATCH(level_lanes)(x, factor, codes, &out);
  return out;
}

double level_error(const float* x, float d, const std::uint8_t* codes) {
  double error = 0;
  for (int j = 0; j < 32; ++j) {
    const double miss = static_cast<double>(x[j]) - static_cast<double>(d * static_cast<float>(kIq4Levels[codes[j]]));
    error += miss * miss;
  }
  return error;
}

}  // namespace floptally::numerics
#endif  // HWY_ONCE
