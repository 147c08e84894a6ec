// Posits against the classical definition: negate by two's complement, then useed^k 2^e (1 + f) with useed 16.
#include "numerics/posit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace floptally::numerics {
namespace {

// The value of an n-bit posit, written from Gustafson and Yonemoto (2017) with es = 2; exact for n up to 33.
double classical(int n, std::uint64_t code) {
  const std::uint64_t nar = std::uint64_t{1} << (n - 1);
  if (code == 0) return 0;
  const bool negative = (code & nar) != 0;
  std::uint64_t magnitude = negative ? (~code + 1) & (2 * nar - 1) : code;
  std::string bits;
  for (int i = n - 2; i >= 0; --i) bits += (magnitude >> i & 1) != 0 ? '1' : '0';
  const std::size_t end = std::min(bits.find(bits[0] == '1' ? '0' : '1'), bits.size());
  const int run = static_cast<int>(end);
  const int k = bits[0] == '1' ? run - 1 : -run;
  std::string rest = end < bits.size() ? bits.substr(end + 1) : "";
  while (rest.size() < 2) rest += '0';
  const int e = (rest[0] - '0') * 2 + (rest[1] - '0');
  double significand = 1;
  double weight = 0.5;
  for (std::size_t i = 2; i < rest.size(); ++i, weight /= 2)
    if (rest[i] == '1') significand += weight;
  const double value = std::ldexp(significand, 4 * k + e);
  return negative ? -value : value;
}

const NumberFormat& posit(int n) { return *find_number_format("posit" + std::to_string(n)); }

void expect_code(int n, std::uint64_t code) {
  const NumberFormat& f = posit(n);
  const std::uint64_t nar = std::uint64_t{1} << (n - 1);
  if (code == nar) {
    EXPECT_TRUE(std::isnan(decode(f, code)));
    return;
  }
  const double value = classical(n, code);
  ASSERT_EQ(decode(f, code), value) << n << " " << code;
  const Encoded back = encode(f, value);
  ASSERT_EQ(back.code, code) << n;
  ASSERT_FALSE(back.inexact);
  // What lies between two neighbours in the pattern of one bit more is their tie.
  const std::uint64_t above = (code + 1) & (2 * nar - 1);
  if (above == nar || code == 0 || above == 0) return;  // ties beside zero never become zero
  const double tie = classical(n + 1, 2 * code + 1);
  const Encoded even = encode(f, tie);
  ASSERT_EQ(even.code, (code & 1) == 0 ? code : above) << n << " " << code;
  ASSERT_EQ(encode(f, std::nextafter(tie, HUGE_VAL)).code, above);
  ASSERT_EQ(encode(f, std::nextafter(tie, -HUGE_VAL)).code, code);
  ASSERT_EQ(next_up(f, code), above);
  ASSERT_EQ(next_down(f, above), code);
}

TEST(Posit, EveryCodeOfEightAndSixteenBits) {
  for (const int n : {8, 16})
    for (std::uint64_t code = 0; code < std::uint64_t{1} << n; ++code) expect_code(n, code);
}

TEST(Posit, RandomCodesOfThirtyTwoBits) {
  std::mt19937 random(7);
  for (int i = 0; i < 200000; ++i) expect_code(32, random());
  for (int shift = 0; shift < 32; ++shift)
    for (const std::uint32_t step : {0u, 1u, 0xffffffffu}) expect_code(32, (std::uint32_t{1} << shift) + step);
}

TEST(Posit, LimitsOfTheStandardAndSaturation) {
  EXPECT_EQ(max_finite(posit(8)), 0x1p24);
  EXPECT_EQ(max_finite(posit(16)), 0x1p56);
  EXPECT_EQ(max_finite(posit(32)), 0x1p120);
  EXPECT_EQ(min_subnormal(posit(32)), 0x1p-120);
  for (const int n : {8, 16, 32}) {
    const NumberFormat& f = posit(n);
    EXPECT_EQ(decode(f, encode(f, 1e300).code), max_finite(f));
    EXPECT_EQ(decode(f, encode(f, -1e300).code), -max_finite(f));
    EXPECT_EQ(decode(f, encode(f, 1e-300).code), min_subnormal(f));
    EXPECT_EQ(decode(f, encode(f, -1e-300).code), -min_subnormal(f));
    EXPECT_TRUE(encode(f, 1e300).overflowed);
    EXPECT_TRUE(std::isnan(decode(f, encode(f, HUGE_VAL).code)));
    EXPECT_TRUE(std::isnan(decode(f, encode(f, std::nan("")).code)));
    EXPECT_EQ(encode(f, -0.0).code, 0u);
    EXPECT_FALSE(next_up(f, f.max_code()).has_value());
  }
}

TEST(Posit, FieldsAsTheStandardReadsThem) {
  // 3.14 in 16 bits: sign 0, regime 10, exponent 01, fraction 10010001111.
  const PositFields p = posit_fields(posit(16), encode(posit(16), 3.14).code);
  EXPECT_EQ(p.regime, 0);
  EXPECT_EQ(p.exponent, 1);
  EXPECT_EQ(p.fraction_bits, 11);
  EXPECT_EQ(bit_text(posit(16), encode(posit(16), 3.14).code), "0 10 01 10010001111");
}

}  // namespace
}  // namespace floptally::numerics
