// Number formats against the published limits, against an exact decoder written from the definition, and bit by bit.
#include "numerics/format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace floptally::numerics {
namespace {

const NumberFormat& format(std::string_view name) {
  const NumberFormat* found = find_number_format(name);
  EXPECT_NE(found, nullptr) << name;
  return *found;
}

// The definition, in integers: value * 2^1100 would be exact, so compare numerator and power of two separately.
struct Dyadic {
  std::int64_t numerator = 0;
  int power = 0;  // value = numerator * 2^power
};

bool same(const Dyadic& exact, double value) {
  return std::ldexp(static_cast<double>(exact.numerator), exact.power) == value;
}

TEST(NumberFormat, LimitsAreThePublishedOnes) {
  struct Row {
    const char* name;
    double max, min_normal, min_subnormal;
  };
  const Row rows[] = {
      {"fp64", 1.7976931348623157e308, 0x1p-1022, 0x1p-1074},
      {"fp32", 3.4028234663852886e38, 0x1p-126, 0x1p-149},
      {"tf32", 0x1.ffcp127, 0x1p-126, 0x1p-136},
      {"bf16", 0x1.fep127, 0x1p-126, 0x1p-133},
      {"fp16", 65504, 0x1p-14, 0x1p-24},
      {"e4m3", 448, 0x1p-6, 0x1p-9},
      {"e4m3-inf", 240, 0x1p-6, 0x1p-9},
      {"e4m3fnuz", 240, 0x1p-7, 0x1p-10},
      {"e5m2", 57344, 0x1p-14, 0x1p-16},
      {"e5m2fnuz", 57344, 0x1p-15, 0x1p-17},
      {"e3m4", 15.5, 0x1p-2, 0x1p-6},
      {"e3m2", 28, 0x1p-2, 0x1p-4},
      {"e2m3", 7.5, 1, 0.125},
      {"e2m1", 6, 1, 0.5},
      {"e8m0", 0x1p127, 0x1p-127, 0x1p-127},
      {"int8", 127, 1, 1},
      {"int4", 7, 1, 1},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(max_finite(format(row.name)), row.max) << row.name;
    EXPECT_EQ(min_normal(format(row.name)), row.min_normal) << row.name;
    EXPECT_EQ(min_subnormal(format(row.name)), row.min_subnormal) << row.name;
  }
  EXPECT_EQ(lowest(format("int8")), -128);
  EXPECT_EQ(lowest(format("uint4")), 0);
  std::vector<double> fp4;
  for (std::uint64_t code = 0; code < 8; ++code) fp4.push_back(decode(format("fp4"), code));
  EXPECT_EQ(fp4, (std::vector<double>{0, .5, 1, 1.5, 2, 3, 4, 6}));
}

TEST(NumberFormat, PiAsTheLectureShowsIt) {
  const Unrounded pi = *parse_number("pi");
  EXPECT_EQ(encode(format("fp32"), pi).code, 0x40490FDBu);
  EXPECT_EQ(encode(format("fp16"), pi).code, 0x4248u);
  EXPECT_EQ(encode(format("bf16"), pi).code, 0x4049u);
  EXPECT_EQ(bit_text(format("fp32"), 0x40490FDB), "0 10000000 10010010000111111011011");
  EXPECT_EQ(bit_text(format("fp16"), 0x4248), "0 10000 1001001000");
  EXPECT_EQ(bit_text(format("bf16"), 0x4049), "0 10000000 1001001");
  EXPECT_EQ(exact_decimal(decode(format("fp32"), 0x40490FDB)), "3.1415927410125732421875");
  EXPECT_EQ(decode(format("e4m3"), encode(format("e4m3"), pi).code), 3.25);
  EXPECT_EQ(decode(format("e5m2"), encode(format("e5m2"), pi).code), 3.0);
  EXPECT_EQ(decode(format("e2m1"), encode(format("e2m1"), pi).code), 3.0);
  // The slide's misprints: 24 bits under "23 bits" (its first 23 decode to this), and fp16 bits read with fp32's bias.
  EXPECT_EQ(exact_decimal(decode(format("fp32"), 0b0'10000000'10010010000011111101101u)).substr(0, 17),
            "3.141108751296997");
  EXPECT_NEAR(std::ldexp(1.5703125, 16 - 127), 6.0486e-34, 1e-38);
}

TEST(NumberFormat, EveryCodeOfEverySmallFormatDecodesByTheDefinition) {
  for (const NumberFormat& f : number_formats()) {
    if (f.is_posit()) continue;  // posit_test.cpp: ties lie between patterns, not between values
    if (f.bits() > 19 || f.is_integer()) continue;
    for (std::uint64_t code = 0; code < (1ull << f.bits()); ++code) {
      const auto significand = static_cast<std::int64_t>(code % (1ull << f.significand_bits));
      const auto exponent = static_cast<int>((code >> f.significand_bits) % (1ull << f.exponent_bits));
      const bool negative = f.sign_bits != 0 && (code >> (f.bits() - 1)) != 0;
      const int top = (1 << f.exponent_bits) - 1;
      const double value = decode(f, code);
      bool nan = false;
      bool infinite = false;
      if (f.specials == Specials::ieee && exponent == top) (significand != 0 ? nan : infinite) = true;
      if (f.specials == Specials::fn) nan = exponent == top && significand == (1 << f.significand_bits) - 1;
      if (f.specials == Specials::fnuz) nan = negative && exponent == 0 && significand == 0;
      if (f.specials == Specials::scale) nan = exponent == top;
      ASSERT_EQ(std::isnan(value), nan) << f.name << " " << code;
      ASSERT_EQ(std::isinf(value), infinite) << f.name << " " << code;
      if (nan || infinite) continue;
      Dyadic exact;
      if (f.specials == Specials::scale)
        exact = {1, exponent - f.bias};
      else if (exponent == 0)
        exact = {significand, 1 - f.bias - f.significand_bits};
      else
        exact = {(std::int64_t{1} << f.significand_bits) + significand, exponent - f.bias - f.significand_bits};
      if (negative) exact.numerator = -exact.numerator;
      ASSERT_TRUE(same(exact, value)) << f.name << " " << code << " " << value;
      ASSERT_EQ(encode(f, value).code, code) << f.name << ": a value that is there must encode to itself";
      ASSERT_FALSE(encode(f, value).inexact);
    }
  }
}

TEST(NumberFormat, HalfwayCasesGoToTheEvenCodeAndNeighboursEncloseThem) {
  for (const NumberFormat& f : number_formats()) {
    if (f.is_posit()) continue;  // posit_test.cpp: ties lie between patterns, not between values
    if (f.bits() > 19) continue;
    for (std::uint64_t code = 0; code < (1ull << f.bits()); ++code) {
      const std::optional<std::uint64_t> up = next_up(f, code);
      const double low = decode(f, code);
      if (!up || !std::isfinite(low) || !std::isfinite(decode(f, *up))) continue;
      const double high = decode(f, *up);
      ASSERT_LT(low, high) << f.name << " " << code;
      ASSERT_EQ(decode(f, *next_down(f, *up)), low);
      const double middle = low + (high - low) / 2;
      const double even = (code & 1) == 0 ? low : high;
      ASSERT_EQ(decode(f, encode(f, middle).code), even) << f.name << " " << middle;
      ASSERT_EQ(decode(f, encode(f, std::nextafter(middle, high)).code), high);
      ASSERT_EQ(decode(f, encode(f, std::nextafter(middle, low)).code), low);
      const double toward_zero = std::fabs(low) < std::fabs(high) ? low : high;
      ASSERT_EQ(decode(f, encode(f, middle, Rounding::toward_zero).code), toward_zero);
    }
  }
}

// The nearest code by search over all of them: slow and plainly right.
double nearest_by_search(const NumberFormat& f, double value) {
  double best = std::numeric_limits<double>::quiet_NaN();
  double best_distance = HUGE_VAL;
  std::uint64_t best_code = 0;
  for (std::uint64_t code = 0; code < (1ull << f.bits()); ++code) {
    const double candidate = decode(f, code);
    if (!std::isfinite(candidate)) continue;
    const double distance = std::fabs(candidate - value);  // exact: both are short binary fractions
    if (distance < best_distance || (distance == best_distance && (code & 1) == 0 && (best_code & 1) != 0)) {
      best = candidate;
      best_distance = distance;
      best_code = code;
    }
  }
  return best;
}

TEST(NumberFormat, RandomFloatsRoundToTheNearestCode) {
  std::mt19937_64 random(7);
  for (const NumberFormat& f : number_formats()) {
    if (f.is_posit()) continue;  // posit_test.cpp: ties lie between patterns, not between values
    if (f.bits() > 8) continue;
    for (int i = 0; i < 3000; ++i) {
      const int spread = static_cast<int>(random() % 24) - 14;
      double value = std::ldexp(static_cast<double>(static_cast<float>(random() % (1u << 24))) / (1 << 24), spread);
      if ((random() & 1) != 0 && f.sign_bits != 0) value = -value;
      if (!f.has_zero() && value <= 0) continue;
      if (std::fabs(value) > max_finite(f)) continue;
      ASSERT_EQ(decode(f, encode(f, value).code), nearest_by_search(f, value)) << f.name << " " << exact_decimal(value);
    }
  }
}

TEST(NumberFormat, Fp32AndFp64AgreeWithTheProcessor) {
  std::mt19937_64 random(11);
  const NumberFormat& fp32 = format("fp32");
  for (int i = 0; i < 200000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    ASSERT_EQ(encode(format("fp64"), value).code, std::bit_cast<std::uint64_t>(value));
    const double near =
        std::ldexp(value, -static_cast<int>(std::ilogb(value)) + static_cast<int>(random() % 300) - 160);
    ASSERT_EQ(encode(fp32, near).code, std::bit_cast<std::uint32_t>(static_cast<float>(near))) << near;
  }
}

TEST(NumberFormat, OverflowFollowsTheRuleAskedFor) {
  EXPECT_EQ(encode(format("fp16"), 65519.99).code, 0x7BFFu);
  EXPECT_EQ(encode(format("fp16"), 65520.0).code, 0x7C00u);  // half an ulp above the largest: infinity
  EXPECT_EQ(encode(format("fp16"), 65520.0, Rounding::toward_zero).code, 0x7BFFu);
  EXPECT_EQ(encode(format("fp16"), 1e9, Rounding::nearest_even, Overflow::saturate).code, 0x7BFFu);
  EXPECT_EQ(decode(format("e4m3"), encode(format("e4m3"), 464.0).code), 448);  // a tie, and 448 is even
  EXPECT_TRUE(std::isnan(decode(format("e4m3"), encode(format("e4m3"), 464.1).code)));
  EXPECT_EQ(decode(format("e4m3"), encode(format("e4m3"), -1e30, Rounding::nearest_even, Overflow::saturate).code),
            -448);
  EXPECT_EQ(decode(format("e2m1"), encode(format("e2m1"), 1e30).code), 6);
  EXPECT_TRUE(encode(format("e2m1"), std::nan("")).invalid);
  EXPECT_EQ(decode(format("int8"), encode(format("int8"), 1e300).code), 127);
  EXPECT_EQ(decode(format("int8"), encode(format("int8"), -1e300).code), -128);
  EXPECT_EQ(decode(format("int8"), encode(format("int8"), 2.5).code), 2);
  EXPECT_TRUE(std::isinf(decode(format("e5m2"), encode(format("e5m2"), HUGE_VAL).code)));
  EXPECT_TRUE(encode(format("fp16"), 1e-9).flushed);
  EXPECT_EQ(encode(format("e4m3fnuz"), -0.0).code, 0u);
  EXPECT_EQ(encode(format("e4m3fnuz"), -1e-9).code, 0u);
}

TEST(NumberFormat, StochasticRoundingIsUnbiased) {
  std::mt19937_64 random(3);
  const double value = 3.1;  // between 3.0 and 3.25 in E4M3: up with probability 0.4
  int up = 0;
  const int draws = 100000;
  for (int i = 0; i < draws; ++i)
    up += decode(format("e4m3"),
                 encode(format("e4m3"), value, Rounding::stochastic, Overflow::special, random()).code) == 3.25;
  EXPECT_NEAR(static_cast<double>(up) / draws, 0.4, 0.01);
  EXPECT_EQ(decode(format("e4m3"), encode(format("e4m3"), 3.25, Rounding::stochastic, Overflow::special, 0).code),
            3.25);
}

TEST(NumberText, IsReadExactlyWithoutADetourOverFp64) {
  // 1 + 2^-24 + 2^-80 lies just above a tie of fp32; through fp64 it would round down to 1.
  const Unrounded above =
      *parse_number("1.000000059604644775390625000000827180612553027674871408706920699628535658121109008789063");
  EXPECT_EQ(decode(format("fp32"), encode(format("fp32"), above).code), 1.00000011920928955078125);
  EXPECT_EQ(to_double(*parse_number("0.1")), 0.1);
  EXPECT_EQ(to_double(*parse_number("-1_000.5e-3")), -1.0005);
  EXPECT_EQ(to_double(*parse_number("0x1.8p3")), 12.0);
  EXPECT_EQ(to_double(*parse_number("2.2250738585072011e-308")), 2.2250738585072011e-308);
  EXPECT_EQ(to_double(*parse_number("4.9e-324")), 4.9e-324);
  EXPECT_EQ(to_double(*parse_number("1e400")), HUGE_VAL);
  EXPECT_EQ(to_double(*parse_number("1e-99999999")), 0);
  EXPECT_EQ(to_double(*parse_number("1.7976931348623157e308")), 1.7976931348623157e308);
  for (const char* text : {"", "-", "abc", "1e", "1e+", "0x", "1..2", "_1", "1__0", "1 2", "--1"})
    EXPECT_FALSE(parse_number(text).ok()) << text;
  EXPECT_FALSE(parse_number(std::string(5000, '1')).ok());
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", value);
    ASSERT_EQ(to_double(*parse_number(text)), value) << text;
  }
}

TEST(NumberText, ErrorOfARoundingIsExact) {
  const Unrounded tenth = *parse_number("0.1");
  const Encoded fp16 = encode(format("fp16"), tenth);
  EXPECT_EQ(rounding_error(tenth, decode(format("fp16"), fp16.code)),
            2.44140625e-05);  // exactly, where fp64 subtraction is not
  const Encoded fp64 = encode(format("fp64"), tenth);
  EXPECT_NEAR(rounding_error(tenth, decode(format("fp64"), fp64.code)), -5.551115123125783e-18, 1e-30);
  EXPECT_EQ(rounding_error(exactly(0.5), 0.5), 0);
}

TEST(NumberFormat, NamesAreForgiving) {
  EXPECT_EQ(&format("FP8-E4M3"), &format("float8_e4m3fn"));
  EXPECT_EQ(&format("bfloat16"), &format("BF16"));
  EXPECT_EQ(find_number_format("fp17"), nullptr);
}

}  // namespace
}  // namespace floptally::numerics
