// The K formats: 256 weights, sub-blocks of 16 or 32 with their own small scales (and minima), which two fp16 values
// scale. Sub-block scales are chosen by trying several and refitting each by least squares, then rounded, then the
// weights are coded again against what a reader will really see.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/block_fit.h"
#include "numerics/block_layout.h"
#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

template <class Block>
Block load(const std::byte* in) {
  Block block;
  std::memcpy(&block, in, sizeof block);
  return block;
}

int rounded(float value) { return static_cast<int>(std::nearbyint(value)); }
int coded(float value, int low, int high) {
  return static_cast<int>(std::nearbyint(std::clamp(value, static_cast<float>(low), static_cast<float>(high))));
}

template <int kCount>
float largest(const float (&values)[kCount]) {
  return *std::max_element(values, values + kCount);
}

// Super-block scale and the small codes under it: value ~ half_to_float(d) * code, code in 0..top.
template <int kCount>
Half share(const float (&values)[kCount], int top, int (&codes)[kCount]) {
  const Half stored = float_to_half(largest(values) / static_cast<float>(top));
  const float d = half_to_float(stored);
  for (int i = 0; i < kCount; ++i) codes[i] = d > 0 ? coded(values[i] / d, 0, top) : 0;
  return stored;
}

template <int kCount, int kWidth>
void code_affine(const float* x, float d, float dmin, const int (&scales)[kCount], const int (&minima)[kCount], int top,
                 std::uint8_t* codes) {
  for (int b = 0; b < kCount; ++b) {
    const float scale = d * static_cast<float>(scales[b]);
    const float minimum = dmin * static_cast<float>(minima[b]);
    for (int i = 0; i < kWidth; ++i) {
      const float value = scale > 0 ? (x[b * kWidth + i] + minimum) / scale : 0.0f;
      codes[b * kWidth + i] = static_cast<std::uint8_t>(coded(value, 0, top));
    }
  }
}

// Six-bit scales and minima of Q4_K and Q5_K: the first four whole, the upper bits of the last four beside them.
void put_scales(const int (&scales)[8], const int (&minima)[8], std::uint8_t* out) {
  for (int j = 0; j < 4; ++j) {
    out[j] = static_cast<std::uint8_t>(scales[j] | ((scales[j + 4] >> 4) << 6));
    out[j + 4] = static_cast<std::uint8_t>(minima[j] | ((minima[j + 4] >> 4) << 6));
    out[j + 8] = static_cast<std::uint8_t>((scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4));
  }
}

int get_scale(const std::uint8_t* s, int j) { return j < 4 ? s[j] & 63 : (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4); }
int get_minimum(const std::uint8_t* s, int j) { return j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | ((s[j] >> 6) << 4); }

// Sub-blocks of 32 with scale and minimum, codes of `top`: shared by Q4_K and Q5_K.
void encode_45(const float* x, int top, Half& d, Half& dmin, std::uint8_t* packed, std::uint8_t* codes) {
  float scales[8];
  float minima[8];
  for (int b = 0; b < 8; ++b) {
    const AffineFit fit = fit_affine(x + std::ptrdiff_t{32} * b, 32, top);
    scales[b] = fit.scale;
    minima[b] = fit.minimum;
  }
  int scale_codes[8];
  int minimum_codes[8];
  d = share(scales, 63, scale_codes);
  dmin = share(minima, 63, minimum_codes);
  put_scales(scale_codes, minimum_codes, packed);
  code_affine<8, 32>(x, half_to_float(d), half_to_float(dmin), scale_codes, minimum_codes, top, codes);
}

}  // namespace

void encode_q2_k(const float* x, std::byte* out) {
  BlockQ2_K block{};
  float scales[16];
  float minima[16];
  for (int b = 0; b < 16; ++b) {
    const AffineFit fit = fit_affine(x + std::ptrdiff_t{16} * b, 16, 3);
    scales[b] = fit.scale;
    minima[b] = fit.minimum;
  }
  int scale_codes[16];
  int minimum_codes[16];
  block.d = share(scales, 15, scale_codes);
  block.dmin = share(minima, 15, minimum_codes);
  std::uint8_t codes[kSuper];
  code_affine<16, 16>(x, half_to_float(block.d), half_to_float(block.dmin), scale_codes, minimum_codes, 3, codes);
  for (int b = 0; b < 16; ++b) block.scales[b] = static_cast<std::uint8_t>(scale_codes[b] | (minimum_codes[b] << 4));
  // Each half of 128 weights shares 32 bytes: weight 32 k + l sits in bits 2 k of byte l.
  for (int i = 0; i < kSuper; ++i)
    block.qs[i / 128 * 32 + i % 32] =
        static_cast<std::uint8_t>(block.qs[i / 128 * 32 + i % 32] | codes[i] << (i % 128 / 32 * 2));
  std::memcpy(out, &block, sizeof block);
}

void decode_q2_k(const std::byte* in, float* x) {
  const auto block = load<BlockQ2_K>(in);
  const float d = half_to_float(block.d);
  const float dmin = half_to_float(block.dmin);
  for (int i = 0; i < kSuper; ++i) {
    const int scale = block.scales[i / 16];  // NOLINT(bugprone-signed-char-misuse): the sign counts
    const int q = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    x[i] = d * static_cast<float>(scale & 15) * static_cast<float>(q) - dmin * static_cast<float>(scale >> 4);
  }
}

void encode_q3_k(const float* x, std::byte* out) {
  BlockQ3_K block{};
  float scales[16];
  float top = 0;
  for (int b = 0; b < 16; ++b) {
    scales[b] = fit_symmetric(x + std::ptrdiff_t{16} * b, 16, 4);
    if (std::fabs(scales[b]) > std::fabs(top)) top = scales[b];
  }
  block.d = float_to_half(top / -32);
  const float d = half_to_float(block.d);
  for (int b = 0; b < 16; ++b) {
    const int scale = d != 0 ? coded(scales[b] / d, -32, 31) : 0;
    const int biased = scale + 32;
    auto& low = block.scales[b % 8];
    low = static_cast<std::uint8_t>(low | (biased & 15) << (b / 8 * 4));
    auto& high = block.scales[8 + b % 4];
    high = static_cast<std::uint8_t>(high | (biased >> 4) << (b / 4 * 2));
    const float step = d * static_cast<float>(scale);
    for (int i = 16 * b; i < 16 * (b + 1); ++i) {
      const int q = (step != 0 ? coded(x[i] / step, -4, 3) : 0) + 4;
      auto& byte = block.qs[i / 128 * 32 + i % 32];
      byte = static_cast<std::uint8_t>(byte | (q & 3) << (i % 128 / 32 * 2));
      auto& mask = block.hmask[i % 32];
      mask = static_cast<std::uint8_t>(mask | (q >> 2) << (i / 32));
    }
  }
  std::memcpy(out, &block, sizeof block);
}

void decode_q3_k(const std::byte* in, float* x) {
  const auto block = load<BlockQ3_K>(in);
  const float d = half_to_float(block.d);
  for (int i = 0; i < kSuper; ++i) {
    const int b = i / 16;
    const int scale = (block.scales[b % 8] >> (b / 8 * 4) & 15) | (block.scales[8 + b % 4] >> (b / 4 * 2) & 3) << 4;
    const int q = (block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) -
                  ((block.hmask[i % 32] >> (i / 32) & 1) != 0 ? 0 : 4);
    x[i] = d * static_cast<float>(scale - 32) * static_cast<float>(q);
  }
}

void encode_q4_k(const float* x, std::byte* out) {
  BlockQ4_K block{};
  std::uint8_t codes[kSuper];
  encode_45(x, 15, block.d, block.dmin, block.scales, codes);
  for (int i = 0; i < kSuper; ++i) {  // 64 weights share 32 bytes, the second 32 in the high nibbles
    auto& byte = block.qs[i / 64 * 32 + i % 32];
    byte = static_cast<std::uint8_t>(byte | codes[i] << (i % 64 / 32 * 4));
  }
  std::memcpy(out, &block, sizeof block);
}

void decode_q4_k(const std::byte* in, float* x) {
  const auto block = load<BlockQ4_K>(in);
  const float d = half_to_float(block.d);
  const float dmin = half_to_float(block.dmin);
  for (int i = 0; i < kSuper; ++i) {
    const int q = block.qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
    x[i] = d * static_cast<float>(get_scale(block.scales, i / 32)) * static_cast<float>(q) -
           dmin * static_cast<float>(get_minimum(block.scales, i / 32));
  }
}

void encode_q5_k(const float* x, std::byte* out) {
  BlockQ5_K block{};
  std::uint8_t codes[kSuper];
  encode_45(x, 31, block.d, block.dmin, block.scales, codes);
  for (int i = 0; i < kSuper; ++i) {
    auto& byte = block.qs[i / 64 * 32 + i % 32];
    byte = static_cast<std::uint8_t>(byte | (codes[i] & 15) << (i % 64 / 32 * 4));
    auto& high = block.qh[i % 32];
    high = static_cast<std::uint8_t>(high | (codes[i] >> 4) << (i / 32));
  }
  std::memcpy(out, &block, sizeof block);
}

void decode_q5_k(const std::byte* in, float* x) {
  const auto block = load<BlockQ5_K>(in);
  const float d = half_to_float(block.d);
  const float dmin = half_to_float(block.dmin);
  for (int i = 0; i < kSuper; ++i) {
    const int q = (block.qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15) | (block.qh[i % 32] >> (i / 32) & 1) << 4;
    x[i] = d * static_cast<float>(get_scale(block.scales, i / 32)) * static_cast<float>(q) -
           dmin * static_cast<float>(get_minimum(block.scales, i / 32));
  }
}

// Where weight i of a Q6_K block keeps its bits: 128 weights share 64 bytes of nibbles and 32 of bit pairs.
struct Place6 {
  int low, low_shift, high, high_shift;
};
static Place6 place6(int i) {
  const int half = i / 128;
  const int quarter = i % 128 / 32;
  const int l = i % 32;
  return {half * 64 + quarter % 2 * 32 + l, quarter / 2 * 4, half * 32 + l, quarter * 2};
}

void encode_q6_k(const float* x, std::byte* out) {
  BlockQ6_K block{};
  float scales[16];
  float top = 0;
  for (int b = 0; b < 16; ++b) {
    scales[b] = fit_symmetric(x + std::ptrdiff_t{16} * b, 16, 32);
    if (std::fabs(scales[b]) > std::fabs(top)) top = scales[b];
  }
  block.d = float_to_half(top / -128);
  const float d = half_to_float(block.d);
  for (int b = 0; b < 16; ++b) {
    block.scales[b] = static_cast<std::int8_t>(
        d != 0 ? std::clamp(rounded(std::clamp(scales[b] / d, -128.0f, 127.0f)), -128, 127) : 0);
    const float step = d * static_cast<float>(block.scales[b]);
    for (int i = 16 * b; i < 16 * (b + 1); ++i) {
      const int q = (step != 0 ? coded(x[i] / step, -32, 31) : 0) + 32;
      const Place6 p = place6(i);
      block.ql[p.low] = static_cast<std::uint8_t>(block.ql[p.low] | (q & 15) << p.low_shift);
      block.qh[p.high] = static_cast<std::uint8_t>(block.qh[p.high] | (q >> 4) << p.high_shift);
    }
  }
  std::memcpy(out, &block, sizeof block);
}

void decode_q6_k(const std::byte* in, float* x) {
  const auto block = load<BlockQ6_K>(in);
  const float d = half_to_float(block.d);
  for (int i = 0; i < kSuper; ++i) {
    const Place6 p = place6(i);
    const int q = ((block.ql[p.low] >> p.low_shift & 15) | (block.qh[p.high] >> p.high_shift & 3) << 4) - 32;
    const int scale = block.scales[i / 16];  // NOLINT(bugprone-signed-char-misuse): the sign counts
    x[i] = d * static_cast<float>(scale) * static_cast<float>(q);
  }
}

}  // namespace floptally::numerics
