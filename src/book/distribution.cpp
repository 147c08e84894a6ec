// Distributions of uncertain leaves: how they are made from what is known, and their quantiles.
#include <algorithm>
#include <cmath>

#include "base/elementary.h"
#include "base/vector_clones.h"
#include "book/trace.h"

namespace floptally {
namespace {

// The 95th percentile of a standard normal.
constexpr double kZ95 = 1.6448536269514722;

// x[i] := x[i] times one slope below zero and another above.
FLOPTALLY_CLONES void bend(double* x, std::size_t count, double below, double above) {
  for (std::size_t i = 0; i < count; ++i) x[i] *= x[i] < 0 ? below : above;
}

FLOPTALLY_CLONES void scale(double* x, std::size_t count, double factor) {
  for (std::size_t i = 0; i < count; ++i) x[i] *= factor;
}

FLOPTALLY_CLONES void shift(double* x, std::size_t count, double by) {
  for (std::size_t i = 0; i < count; ++i) x[i] += by;
}

FLOPTALLY_CLONES void clip(double* x, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) x[i] = std::min(std::max(x[i], 0.0), 1.0);
}

}  // namespace

Distribution Distribution::point(double value) { return {Shape::point, value, value, value, {}, false}; }

Distribution Distribution::range(double best, double low, double high, bool fraction) {
  return {low > 0 ? Shape::lognormal : Shape::normal, best, low, high, {}, fraction};
}

Distribution Distribution::range(double low, double high, bool fraction) {
  return range(low > 0 ? std::sqrt(low * high) : (low + high) / 2, low, high, fraction);
}

Distribution Distribution::either(std::vector<double> values) {
  const double best = values.front();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {Shape::either, best, *low, *high, std::move(values), false};
}

Distribution Distribution::samples(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  Distribution d{Shape::samples, 0, 0, 0, std::move(values), false};
  d.best = d.quantile(0.5);
  d.low = d.quantile(0.05);
  d.high = d.quantile(0.95);
  return d;
}

double Distribution::quantile(double u) const {
  double result = 0;
  quantiles(&u, &result, 1);
  return result;
}

void Distribution::log_ratios(const double* u, double* out, std::size_t count) const {
  normal_quantile(u, out, count);
  bend(out, count, -portable_log(low / best) / kZ95, portable_log(high / best) / kZ95);
}

void Distribution::from_log_ratios(const double* logs, double* out, std::size_t count) const {
  portable_exp(logs, out, count);
  scale(out, count, best);
}

void Distribution::quantiles(const double* u, double* out, std::size_t count) const {
  switch (shape) {
    case Shape::point:
      std::fill_n(out, count, best);
      break;
    case Shape::lognormal:
      log_ratios(u, out, count);
      from_log_ratios(out, out, count);
      break;
    case Shape::normal:
      normal_quantile(u, out, count);
      bend(out, count, (best - low) / kZ95, (high - best) / kZ95);
      shift(out, count, best);
      break;
    case Shape::either:
      for (std::size_t i = 0; i < count; ++i)
        out[i] =
            values[std::min(values.size() - 1, static_cast<std::size_t>(u[i] * static_cast<double>(values.size())))];
      break;
    case Shape::samples:
      for (std::size_t i = 0; i < count; ++i) {
        const double at = u[i] * static_cast<double>(values.size() - 1);
        const auto k = static_cast<std::size_t>(at);
        out[i] = k + 1 < values.size() ? values[k] + (at - static_cast<double>(k)) * (values[k + 1] - values[k])
                                       : values.back();
      }
      break;
  }
  if (fraction) clip(out, count);
}

}  // namespace floptally
