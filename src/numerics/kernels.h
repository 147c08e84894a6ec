// The inner loops over stored numbers: range, widening to fp32 and int8 quantization, vectorized for whatever processor
// runs them (Highway). Every result is the same to the bit on every processor: ranges do not depend on order, and the
// arithmetic is one rounded fp32 operation after another, as the definitions in quantize.h write it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace floptally::numerics {

enum class Stored { fp32, fp16, bf16, fp64 };
std::size_t size_of(Stored type);

// Smallest and largest of the finite values; both 0 when there are none.
struct Range {
  double low = 0;
  double high = 0;
  std::uint64_t nans = 0;
  std::uint64_t infinities = 0;
  [[nodiscard]] double magnitude() const { return -low > high ? -low : high; }
};
Range range_of(Stored type, const void* values, std::size_t count);
Range merge(const Range& a, std::uint64_t finite_a, const Range& b, std::uint64_t finite_b);

// Exact for fp16 and bf16, nearest-even for fp64.
void widen(Stored type, const void* values, std::size_t count, float* out);

// out = clamp(round_half_even(value * multiplier + shift), low, high), each step one fp32 operation. No NaN may come
// in.
void quantize_int8(Stored type, const void* values, std::size_t count, float multiplier, float shift, int low, int high,
                   std::int8_t* out);
// out = (code - zero_point) * step in fp32.
void dequantize_int8(const std::int8_t* codes, std::size_t count, float step, float zero_point, float* out);

// Per-tensor int8 in memory, both passes: what the benchmark times. Returns the step; all-zero or empty input gives
// step 0.
float absmax_int8(Stored type, const void* values, std::size_t count, std::int8_t* out);
struct Affine {
  float step = 0;
  std::int32_t zero_point = 0;
};
Affine zero_point_int8(Stored type, const void* values, std::size_t count, std::int8_t* out);

}  // namespace floptally::numerics
