// The blocks of 32: one fp16 scale, with or without a minimum. Encoders follow ggml's reference rule exactly.
#include "numerics/block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/block_fit.h"
#include "numerics/block_layout.h"
#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

constexpr int kBlock = 32;

template <class Block>
Block load(const std::byte* in) {
  Block block;
  std::memcpy(&block, in, sizeof block);
  return block;
}

template <class Block>
void store(const Block& block, std::byte* out) {
  std::memcpy(out, &block, sizeof block);
}

// The value of largest magnitude, with its sign (the first of equals).
float extreme(const float* x) {
  float best = 0;
  for (int i = 0; i < kBlock; ++i)
    if (std::fabs(x[i]) > std::fabs(best)) best = x[i];
  return best;
}

float inverse(float d) { return d != 0 ? 1.0f / d : 0.0f; }

// floor(value + half) on values known to lie above -1, capped.
std::uint8_t code(float value, float half, int top) {
  return static_cast<std::uint8_t>(std::min(top, static_cast<int>(value + half)));
}

void put_nibbles(const std::uint8_t (&codes)[kBlock], std::uint8_t* qs) {
  for (int j = 0; j < kBlock / 2; ++j)
    qs[j] = static_cast<std::uint8_t>((codes[j] & 15) | ((codes[j + kBlock / 2] & 15) << 4));
}

int nibble(const std::uint8_t* qs, int j) { return j < kBlock / 2 ? qs[j] & 15 : qs[j - kBlock / 2] >> 4; }

void put_fifth_bits(const std::uint8_t (&codes)[kBlock], std::uint8_t* qh) {
  std::uint32_t bits = 0;
  for (int j = 0; j < kBlock; ++j) bits |= static_cast<std::uint32_t>(codes[j] >> 4 & 1) << j;
  std::memcpy(qh, &bits, 4);
}

int fifth_bit(const std::uint8_t* qh, int j) { return (qh[j / 8] >> (j % 8) & 1) << 4; }

template <class Block>
constexpr bool kFiveBits = requires(Block block) {
  block.qh;
};

template <class Block>
void put_codes(const std::uint8_t (&codes)[kBlock], Block& block) {
  put_nibbles(codes, block.qs);
  if constexpr (kFiveBits<Block>) put_fifth_bits(codes, block.qh);
}

template <class Block>
int code_of(const Block& block, int j) {
  if constexpr (kFiveBits<Block>) return nibble(block.qs, j) | fifth_bit(block.qh, j);
  return nibble(block.qs, j);
}

// Q4_0 and Q5_0: codes around their middle, the value of largest magnitude at the lowest code.
template <class Block>
void encode_symmetric(const float* x, std::byte* out) {
  constexpr int kMiddle = kFiveBits<Block> ? 16 : 8;
  Block block;
  const float d = extreme(x) / -kMiddle;
  const float id = inverse(d);
  block.d = float_to_half(d);
  std::uint8_t codes[kBlock];
  for (int j = 0; j < kBlock; ++j) codes[j] = code(x[j] * id, kMiddle + 0.5f, 2 * kMiddle - 1);
  put_codes(codes, block);
  store(block, out);
}

template <class Block>
void decode_symmetric(const std::byte* in, float* x) {
  constexpr int kMiddle = kFiveBits<Block> ? 16 : 8;
  const auto block = load<Block>(in);
  const float d = half_to_float(block.d);
  for (int j = 0; j < kBlock; ++j) x[j] = static_cast<float>(code_of(block, j) - kMiddle) * d;
}

// Q4_1 and Q5_1: codes from the minimum up.
template <class Block>
void encode_from_minimum(const float* x, std::byte* out) {
  constexpr int kTop = kFiveBits<Block> ? 31 : 15;
  Block block;
  const auto [low, high] = std::minmax_element(x, x + kBlock);
  const float minimum = *low;
  const float d = (*high - minimum) / kTop;
  const float id = inverse(d);
  block.d = float_to_half(d);
  block.m = float_to_half(minimum);
  std::uint8_t codes[kBlock];
  for (int j = 0; j < kBlock; ++j) codes[j] = code((x[j] - minimum) * id, 0.5f, kTop);
  put_codes(codes, block);
  store(block, out);
}

template <class Block>
void decode_from_minimum(const std::byte* in, float* x) {
  const auto block = load<Block>(in);
  const float d = half_to_float(block.d);
  const float m = half_to_float(block.m);
  for (int j = 0; j < kBlock; ++j) x[j] = static_cast<float>(code_of(block, j)) * d + m;
}

void encode_q8_0(const float* x, std::byte* out) {
  BlockQ8_0 block;
  const float d = std::fabs(extreme(x)) / 127;
  const float id = inverse(d);
  block.d = float_to_half(d);
  // ggml rounds halves away from zero here, unlike the rest of this room.
  for (int j = 0; j < kBlock; ++j) block.qs[j] = static_cast<std::int8_t>(std::round(x[j] * id));
  store(block, out);
}

void decode_q8_0(const std::byte* in, float* x) {
  const auto block = load<BlockQ8_0>(in);
  const float d = half_to_float(block.d);
  for (int j = 0; j < kBlock; ++j) x[j] = static_cast<float>(block.qs[j]) * d;
}

// Tries scales that put the extreme weight on or near an end level, refits each by least squares, keeps the best.
void encode_iq4_nl(const float* x, std::byte* out) {
  BlockIQ4_NL block;
  const float top = extreme(x);
  double best_error = HUGE_VAL;
  block.d = 0;
  std::fill(std::begin(block.qs), std::end(block.qs), std::uint8_t{0x88});
  for (int attempt = 0; attempt <= 16 && top != 0; ++attempt) {
    // The level under the extreme weight runs from -135 to -119 (either sign of d puts it on the long side).
    const float first = top / (-135.0f + static_cast<float>(attempt));
    const float id = inverse(first);
    std::uint8_t codes[kBlock];
    const LevelSums sums = nearest_levels(x, id, codes);
    const Half stored = float_to_half(static_cast<float>(sums.squares > 0 ? sums.weighted / sums.squares : 0));
    const float d = half_to_float(stored);
    if (d == 0 || !std::isfinite(d)) continue;
    nearest_levels(x, 1.0f / d, codes);
    const double error = level_error(x, d, codes);
    if (error < best_error) {
      best_error = error;
      block.d = stored;
      put_nibbles(codes, block.qs);
    }
  }
  store(block, out);
}

void decode_iq4_nl(const std::byte* in, float* x) {
  const auto block = load<BlockIQ4_NL>(in);
  const float d = half_to_float(block.d);
  for (int j = 0; j < kBlock; ++j) x[j] = d * static_cast<float>(kIq4Levels[nibble(block.qs, j)]);
}

const SmallFloat& fp4() {
  static const SmallFloat format(*find_number_format("e2m1"));
  return format;
}

// OCP MX 1.0 section 6.3: the shared exponent is that of the largest magnitude less the element's largest exponent (2).
void encode_mxfp4(const float* x, std::byte* out) {
  BlockMXFP4 block;
  const float top = std::fabs(extreme(x));
  const int exponent = top > 0 ? std::clamp(std::ilogb(top) - 2, -127, 127) : -127;
  block.e = static_cast<std::uint8_t>(exponent + 127);
  std::uint8_t codes[kBlock];
  for (int j = 0; j < kBlock; ++j) codes[j] = fp4().encode(std::ldexp(x[j], -exponent));
  put_nibbles(codes, block.qs);
  store(block, out);
}

void decode_mxfp4(const std::byte* in, float* x) {
  const auto block = load<BlockMXFP4>(in);
  // Twice the value times half the scale, as ggml does it: no negative zero, and e = 255 is a number.
  const float half_scale = std::ldexp(1.0f, block.e - 128);
  for (int j = 0; j < kBlock; ++j)
    x[j] = static_cast<float>(static_cast<int>(2 * fp4().decode(static_cast<std::uint8_t>(nibble(block.qs, j))))) *
           half_scale;
}

constexpr BlockFormat kFormats[] = {
    {"q4_0", 32, sizeof(BlockQ4_0), encode_symmetric<BlockQ4_0>, decode_symmetric<BlockQ4_0>, "d (q - 8), q of 4 bits"},
    {"q4_1", 32, sizeof(BlockQ4_1), encode_from_minimum<BlockQ4_1>, decode_from_minimum<BlockQ4_1>,
     "d q + m, q of 4 bits"},
    {"q5_0", 32, sizeof(BlockQ5_0), encode_symmetric<BlockQ5_0>, decode_symmetric<BlockQ5_0>,
     "d (q - 16), q of 5 bits"},
    {"q5_1", 32, sizeof(BlockQ5_1), encode_from_minimum<BlockQ5_1>, decode_from_minimum<BlockQ5_1>,
     "d q + m, q of 5 bits"},
    {"q8_0", 32, sizeof(BlockQ8_0), encode_q8_0, decode_q8_0, "d q, q of 8 bits"},
    {"q2_k", 256, sizeof(BlockQ2_K), encode_q2_k, decode_q2_k,
     "d s q - dmin m, q of 2 bits, s and m of 4 a 16 weights"},
    {"q3_k", 256, sizeof(BlockQ3_K), encode_q3_k, decode_q3_k, "d (s - 32) (q - 4), q of 3 bits, s of 6 a 16 weights"},
    {"q4_k", 256, sizeof(BlockQ4_K), encode_q4_k, decode_q4_k,
     "d s q - dmin m, q of 4 bits, s and m of 6 a 32 weights"},
    {"q5_k", 256, sizeof(BlockQ5_K), encode_q5_k, decode_q5_k,
     "d s q - dmin m, q of 5 bits, s and m of 6 a 32 weights"},
    {"q6_k", 256, sizeof(BlockQ6_K), encode_q6_k, decode_q6_k, "d s (q - 32), q of 6 bits, s of 8 a 16 weights"},
    {"iq4_nl", 32, sizeof(BlockIQ4_NL), encode_iq4_nl, decode_iq4_nl, "d level[q], 16 uneven levels"},
    {"mxfp4-gguf", 32, sizeof(BlockMXFP4), encode_mxfp4, decode_mxfp4, "2^(e - 127) E2M1", false},
};

}  // namespace

std::span<const BlockFormat> block_formats() { return kFormats; }

const BlockFormat* find_block_format(std::string_view name) {
  for (const BlockFormat& format : kFormats)
    if (format.name == name) return &format;
  return nullptr;
}

}  // namespace floptally::numerics
