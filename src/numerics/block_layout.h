// The byte layouts of GGUF's block types (ggml-common.h of ggml 0.9, MIT licence, read for its layouts; nothing
// copied). All fields are little-endian; fp16 values are kept as their bits. Sizes are asserted, bits a weight follow
// from them.
#pragma once

#include <cstdint>

namespace floptally::numerics {

using Half = std::uint16_t;
inline constexpr int kSuper = 256;  // weights in a block of the K formats

// NOLINTBEGIN(readability-identifier-naming): the formats are called so
struct BlockQ4_0 {
  Half d;
  std::uint8_t qs[16];  // weight j in the low nibble of byte j, weight j + 16 in the high one
};
struct BlockQ4_1 {
  Half d, m;
  std::uint8_t qs[16];
};
struct BlockQ5_0 {
  Half d;
  std::uint8_t qh[4];  // bit j is the fifth bit of weight j
  std::uint8_t qs[16];
};
struct BlockQ5_1 {
  Half d, m;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
struct BlockQ8_0 {
  Half d;
  std::int8_t qs[32];
};
struct BlockQ2_K {
  std::uint8_t scales[16];  // of 16 weights each: scale in the low nibble, minimum in the high one
  std::uint8_t qs[64];
  Half d, dmin;
};
struct BlockQ3_K {
  std::uint8_t hmask[32];  // the third bit, stored inverted as "add 4"
  std::uint8_t qs[64];
  std::uint8_t scales[12];  // 16 six-bit scales, biased by 32
  Half d;
};
struct BlockQ4_K {
  Half d, dmin;
  std::uint8_t scales[12];  // 8 six-bit scales and 8 six-bit minima
  std::uint8_t qs[128];
};
struct BlockQ5_K {
  Half d, dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[32];
  std::uint8_t qs[128];
};
struct BlockQ6_K {
  std::uint8_t ql[128];
  std::uint8_t qh[64];
  std::int8_t scales[16];
  Half d;
};
struct BlockIQ4_NL {
  Half d;
  std::uint8_t qs[16];
};
struct BlockMXFP4 {
  std::uint8_t e;  // E8M0
  std::uint8_t qs[16];
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 &&
              sizeof(BlockQ4_K) == 144);
static_assert(sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210 && sizeof(BlockIQ4_NL) == 18 &&
              sizeof(BlockMXFP4) == 17);

// IQ4_NL's sixteen levels, denser near zero (ggml's kvalues_iq4nl).
inline constexpr std::int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

// The K formats, in block_k.cpp.
void encode_q2_k(const float* x, std::byte* out);
void decode_q2_k(const std::byte* in, float* x);
void encode_q3_k(const float* x, std::byte* out);
void decode_q3_k(const std::byte* in, float* x);
void encode_q4_k(const float* x, std::byte* out);
void decode_q4_k(const std::byte* in, float* x);
void encode_q5_k(const float* x, std::byte* out);
void decode_q5_k(const std::byte* in, float* x);
void encode_q6_k(const float* x, std::byte* out);
void decode_q6_k(const std::byte* in, float* x);
// NOLINTEND(readability-identifier-naming)

}  // namespace floptally::numerics
