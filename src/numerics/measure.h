// What quantization did to numbers: sums over (original, read back) pairs from which every error measure follows.
// Chunks are summed in eight fixed lanes and merged in order, so the digits do not depend on processor or thread count.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace floptally::numerics {

struct Measure {
  std::uint64_t count = 0;
  std::uint64_t saturated = 0;  // clipped to the end of the range
  std::uint64_t zeroed = 0;     // not zero before, zero after
  double absolute = 0;          // sum of |x - y|
  double squared = 0;           // sum of (x - y)^2
  double signal = 0;            // sum of x^2
  double restored = 0;          // sum of y^2
  double product = 0;           // sum of x y
  double largest = 0;           // max |x - y|
  double matmul_signal = 0;     // sum over outputs of (W a)^2 for probe activations a
  double matmul_noise = 0;      // sum over outputs of ((W - W') a)^2

  void merge(const Measure& other);
  [[nodiscard]] double mean_absolute() const { return count ? absolute / static_cast<double>(count) : 0; }
  [[nodiscard]] double rmse() const;
  // Signal to quantization noise in dB; infinite when nothing was lost.
  [[nodiscard]] double sqnr_db() const;
  [[nodiscard]] double cosine() const;
  [[nodiscard]] double matmul_error() const;  // relative Frobenius error of the product
};

// Adds the pairs (original[i], restored[i]) to `into` (all but the matmul sums).
void measure(std::span<const float> original, std::span<const float> restored, Measure& into);

// Counts over 64 equal bins of [-1, 1] of value / magnitude.
inline constexpr std::size_t kBins = 64;
using Histogram = std::array<std::uint64_t, kBins>;
void count_into(std::span<const float> values, float magnitude, Histogram& into);

// Probe activations for y = W a with W of `columns` inputs: `vectors` columns, by row of length `columns`.
struct Probe {
  std::uint64_t columns = 0;
  std::size_t vectors = 0;
  std::vector<float> values;
};
// Roughly normal, mean 0, variance 1, from the tensor's name alone (sums of uniforms: exact on every machine).
Probe random_probe(std::string_view seed, std::uint64_t columns, std::size_t vectors);

// The products of one chunk of a row-major matrix. Its first and last rows may continue in the neighbouring chunks.
struct ProductPart {
  struct Row {
    std::uint64_t row = 0;
    std::vector<double> signal, noise;  // one a probe vector
  };
  std::vector<Row> ends;         // none, one, or the first and the last
  double signal = 0, noise = 0;  // of the rows between
};
ProductPart products(const Probe& probe, std::uint64_t begin, std::span<const float> original,
                     std::span<const float> restored);

// Adds parts in chunk order; finish() closes the last row.
class ProductSum {
 public:
  void add(ProductPart part);
  void finish(Measure& into);

 private:
  void close();
  ProductPart::Row pending_;
  bool any_ = false;
  double signal_ = 0, noise_ = 0;
};

}  // namespace floptally::numerics
