// Fast spans of the formats of at most 8 bits: fp32 to codes and back, and codes packed at 4 or 6 bits. The results are
// those of encode() and decode() in format.h with nearest-even rounding and saturation (a test compares every case).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/format.h"

namespace floptally::numerics {

// The float each of a format's codes stands for.
class SmallFloat {
 public:
  explicit SmallFloat(const NumberFormat& format);
  [[nodiscard]] const NumberFormat& format() const { return *format_; }
  [[nodiscard]] float decode(std::uint8_t code) const { return values_[code]; }
  [[nodiscard]] std::uint8_t encode(float value) const;  // no NaN may come in
  [[nodiscard]] float max() const { return max_; }
  [[nodiscard]] std::uint8_t max_code() const { return static_cast<std::uint8_t>(max_code_); }

 private:
  const NumberFormat* format_;
  std::array<float, 256> values_{};
  int lowest_exponent_;
  int significand_bits_;
  std::uint32_t max_code_;
  std::uint32_t sign_bit_;
  float max_;
};

// Codes of `bits` bits each, least significant bit first, the last byte padded with zeros.
constexpr std::size_t packed_bytes(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}
void pack(std::span<const std::uint8_t> codes, int bits, std::byte* out);
void unpack(const std::byte* in, std::size_t count, int bits, std::uint8_t* codes);

float half_to_float(std::uint16_t code);
std::uint16_t float_to_half(float value);  // nearest even; overflow gives infinity

}  // namespace floptally::numerics
