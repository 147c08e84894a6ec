#include "numerics/small_float.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace floptally::numerics {

SmallFloat::SmallFloat(const NumberFormat& f)
    : format_(&f),
      lowest_exponent_(1 - f.bias),
      significand_bits_(f.significand_bits),
      max_code_(static_cast<std::uint32_t>(f.max_code())),
      sign_bit_(1u << (f.exponent_bits + f.significand_bits)),
      max_(static_cast<float>(max_finite(f))) {
  for (std::uint64_t code = 0; code < (1ull << f.bits()); ++code)
    values_[code] = static_cast<float>(numerics::decode(f, code));
}

std::uint8_t SmallFloat::encode(float value) const {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const std::uint32_t sign = bits >> 31 != 0 ? sign_bit_ : 0;
  const int exponent = std::max(static_cast<int>(magnitude >> 23) - 127, lowest_exponent_);
  // Far beyond every format of 8 bits, and what is added below would overflow.
  if (exponent > 100) return static_cast<std::uint8_t>(max_code_ | sign);
  // Adding 1.5 * 2^23 quanta makes the processor round to a whole number of quanta, to nearest even.
  const float quantum = std::bit_cast<float>(static_cast<std::uint32_t>(exponent - significand_bits_ + 127) << 23);
  const float shifter = 12582912.0f * quantum;
  const float rounded = (std::bit_cast<float>(magnitude) + shifter) - shifter;
  const auto count = static_cast<std::uint32_t>(rounded / quantum);
  std::uint32_t code = (static_cast<std::uint32_t>(exponent - lowest_exponent_) << significand_bits_) + count;
  if (code > max_code_) code = max_code_;
  if (code == 0 && format_->specials == Specials::fnuz) return 0;
  return static_cast<std::uint8_t>(code | sign);
}

void pack(std::span<const std::uint8_t> codes, int bits, std::byte* out) {
  if (bits == 8) {
    if (!codes.empty()) std::memcpy(out, codes.data(), codes.size());
    return;
  }
  std::uint32_t pending = 0;
  int filled = 0;
  for (const std::uint8_t code : codes) {
    pending |= (static_cast<std::uint32_t>(code) & ((1u << bits) - 1)) << filled;
    filled += bits;
    if (filled >= 8) {
      *out++ = static_cast<std::byte>(pending);
      pending >>= 8;
      filled -= 8;
    }
  }
  if (filled > 0) *out = static_cast<std::byte>(pending);
}

void unpack(const std::byte* in, std::size_t count, int bits, std::uint8_t* codes) {
  std::uint32_t pending = 0;
  int filled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (filled < bits) {
      pending |= std::to_integer<std::uint32_t>(*in++) << filled;
      filled += 8;
    }
    codes[i] = static_cast<std::uint8_t>(pending & ((1u << bits) - 1));
    pending >>= bits;
    filled -= bits;
  }
}

float half_to_float(std::uint16_t code) {
  const std::uint32_t sign = static_cast<std::uint32_t>(code & 0x8000u) << 16;
  const std::uint32_t rest = code & 0x7fffu;
  if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
  if (rest < 0x400u) {  // subnormal: an exact multiple of 2^-24
    const float magnitude = static_cast<float>(rest) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((rest << 13) + (112u << 23)));
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and above
  if (magnitude < 0x38800000u) {                                                    // below 2^-14: count units of 2^-24
    const float rounded = (std::bit_cast<float>(magnitude) + 0.75f) - 0.75f;        // 0.75 has quanta of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(rounded * 0x1p24f));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude + 0xfffu + odd - (112u << 23)) >> 13));
}

}  // namespace floptally::numerics
