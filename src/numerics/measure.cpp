#include "numerics/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/measure_loops.h"

namespace floptally::numerics {
void Measure::merge(const Measure& other) {
  count += other.count;
  saturated += other.saturated;
  zeroed += other.zeroed;
  absolute += other.absolute;
  squared += other.squared;
  signal += other.signal;
  restored += other.restored;
  product += other.product;
  largest = std::max(largest, other.largest);
  matmul_signal += other.matmul_signal;
  matmul_noise += other.matmul_noise;
}

double Measure::rmse() const { return count ? std::sqrt(squared / static_cast<double>(count)) : 0; }

double Measure::sqnr_db() const {
  if (squared == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / squared);
}

double Measure::cosine() const {
  const double norm = std::sqrt(signal) * std::sqrt(restored);
  return norm > 0 ? product / norm : (signal == restored ? 1.0 : 0.0);
}

double Measure::matmul_error() const { return matmul_signal > 0 ? std::sqrt(matmul_noise / matmul_signal) : 0; }

void measure(std::span<const float> original, std::span<const float> restored, Measure& into) {
  const ErrorSums sums = error_sums(original.data(), restored.data(), original.size());
  Measure part;
  part.count = original.size();
  part.zeroed = sums.zeroed;
  part.absolute = sums.absolute;
  part.squared = sums.squared;
  part.signal = sums.signal;
  part.restored = sums.restored;
  part.product = sums.product;
  part.largest = sums.largest;
  into.merge(part);
}

void count_into(std::span<const float> values, float magnitude, Histogram& into) {
  if (!(magnitude > 0)) return;
  const float scale = static_cast<float>(kBins) / 2 / magnitude;
  if (!std::isfinite(scale)) return;
  count_bins(values.data(), values.size(), scale, kBins, into.data());
}

Probe random_probe(std::string_view seed, std::uint64_t columns, std::size_t vectors) {
  Probe probe{columns, vectors, std::vector<float>(columns * vectors)};
  std::uint64_t state = 14695981039346656037ull;
  for (const char c : seed) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  for (float& value : probe.values) {
    // Three draws of four 16-bit uniforms: the sum of twelve, less 6, has mean 0 and variance 1.
    std::uint64_t sum = 0;
    for (int draw = 0; draw < 3; ++draw) {
      state += 0x9e3779b97f4a7c15ull;  // splitmix64
      std::uint64_t z = state;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      z ^= z >> 31;
      sum += (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);
    }
    value = static_cast<float>(static_cast<double>(sum) * 0x1p-16 - 6.0);
  }
  return probe;
}

ProductPart products(const Probe& probe, std::uint64_t begin, std::span<const float> original,
                     std::span<const float> restored) {
  ProductPart part;
  const std::uint64_t end = begin + original.size();
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t row = at / probe.columns;
    const std::uint64_t stop = std::min(end, (row + 1) * probe.columns);
    ProductPart::Row sums{row, std::vector<double>(probe.vectors), std::vector<double>(probe.vectors)};
    const std::size_t n = stop - at;
    const float* x = original.data() + (at - begin);
    const float* y = restored.data() + (at - begin);
    probe_sums(x, y, n, probe.values.data() + at % probe.columns, probe.columns, probe.vectors, sums.signal.data(),
               sums.noise.data());
    if (at == begin || stop == end) {
      part.ends.push_back(std::move(sums));
    } else {
      for (std::size_t v = 0; v < probe.vectors; ++v) {
        part.signal += sums.signal[v] * sums.signal[v];
        part.noise += sums.noise[v] * sums.noise[v];
      }
    }
    at = stop;
  }
  return part;
}

void ProductSum::close() {
  if (!any_) return;
  for (std::size_t v = 0; v < pending_.signal.size(); ++v) {
    signal_ += pending_.signal[v] * pending_.signal[v];
    noise_ += pending_.noise[v] * pending_.noise[v];
  }
  any_ = false;
}

void ProductSum::add(ProductPart part) {
  for (std::size_t i = 0; i < part.ends.size(); ++i) {
    ProductPart::Row& row = part.ends[i];
    if (any_ && pending_.row == row.row) {
      for (std::size_t v = 0; v < row.signal.size(); ++v) {
        pending_.signal[v] += row.signal[v];
        pending_.noise[v] += row.noise[v];
      }
    } else {
      close();
      pending_ = std::move(row);
      any_ = true;
    }
    if (i == 0) {
      signal_ += part.signal;
      noise_ += part.noise;
    }
  }
}

void ProductSum::finish(Measure& into) {
  close();
  into.matmul_signal += signal_;
  into.matmul_noise += noise_;
  signal_ = noise_ = 0;
}

}  // namespace floptally::numerics
