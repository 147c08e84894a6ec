// NumberFormat: how a pattern of bits means a number. One table (format.cpp) holds every format with its published
// source; decoding, encoding, neighbours and limits are computed from the row, so a new format is one more row.
//
// Always holds: decoding is exact (every format here is a subset of fp64), and encoding rounds the exact value once,
// never through another format. A code is the bit pattern in the low `bits()` bits; the rest is zero.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "floptally/diagnostic.h"

namespace floptally::numerics {

// What the extreme bit patterns mean.
enum class Specials {
  ieee,     // exponent all ones: infinity (significand 0) or NaN
  fn,       // no infinity; exponent and significand all ones is NaN, the rest of that binade are numbers
  fnuz,     // no infinity, no negative zero: the pattern of -0 is the only NaN
  finite,   // neither infinity nor NaN
  scale,    // a bare exponent: all ones is NaN; no sign, no zero
  posit,    // posit.h: two's complement, one pattern that is no number; exponent_bits are the 2 behind the regime
  integer,  // two's complement (or unsigned where sign_bits is 0)
};

struct NumberFormat {
  std::string_view name;     // "fp16"
  std::string_view aliases;  // "float16 half f16", parted by blanks
  int sign_bits = 1;
  int exponent_bits = 0;
  int significand_bits = 0;  // stored bits, without the hidden one; for integers the bits below the sign
  int bias = 0;
  Specials specials = Specials::ieee;
  int storage_bits = 0;     // what one number occupies when stored alone (tf32: 32)
  std::string_view source;  // where the format is defined

  [[nodiscard]] constexpr int bits() const { return sign_bits + exponent_bits + significand_bits; }
  [[nodiscard]] constexpr bool is_integer() const { return specials == Specials::integer; }
  [[nodiscard]] constexpr bool is_posit() const { return specials == Specials::posit; }
  [[nodiscard]] constexpr bool has_infinity() const { return specials == Specials::ieee; }
  [[nodiscard]] constexpr bool has_nan() const { return specials != Specials::finite && !is_integer(); }
  [[nodiscard]] constexpr bool has_zero() const { return specials != Specials::scale; }
  // The largest code of a finite number, sign not counted.
  [[nodiscard]] constexpr std::uint64_t max_code() const {
    const std::uint64_t all = (std::uint64_t{1} << (exponent_bits + significand_bits)) - 1;
    if (specials == Specials::ieee) return all - (std::uint64_t{1} << significand_bits);
    return specials == Specials::fn || specials == Specials::scale ? all - 1 : all;
  }
};

// Every format, widest first.
std::span<const NumberFormat> number_formats();
// By name or alias; case and punctuation ("E4M3", "float8_e4m3fn", "fp8-e4m3") are forgiven. Null when unknown.
const NumberFormat* find_number_format(std::string_view name);

enum class Class { zero, subnormal, normal, infinite, nan };

// A code taken apart. `exponent` and `significand` are the raw fields.
struct Fields {
  bool negative = false;
  std::uint64_t exponent = 0;
  std::uint64_t significand = 0;
};

Fields split(const NumberFormat& format, std::uint64_t code);
Class classify(const NumberFormat& format, std::uint64_t code);
double decode(const NumberFormat& format, std::uint64_t code);

double max_finite(const NumberFormat& format);
double lowest(const NumberFormat& format);         // the most negative finite value; for E8M0 the smallest one
double min_normal(const NumberFormat& format);     // the smallest positive normal value (1 for integers)
double min_subnormal(const NumberFormat& format);  // the smallest positive value

// The next larger or smaller value's code (infinity counts, NaN does not); nothing beyond the ends or for NaN.
std::optional<std::uint64_t> next_up(const NumberFormat& format, std::uint64_t code);
std::optional<std::uint64_t> next_down(const NumberFormat& format, std::uint64_t code);

// A number before rounding: (-1)^negative * 2^exponent * significand / 2^127 with the top bit of the significand set;
// `sticky` says that more non-zero bits follow. 128 bits and sticky round exactly into every format above.
struct Unrounded {
  __extension__ using Wide = unsigned __int128;
  enum class Kind { zero, finite, infinite, nan } kind = Kind::zero;
  bool negative = false;
  int exponent = 0;
  Wide significand = 0;
  bool sticky = false;
};

Unrounded exactly(double value);
// Decimal ("-0.1", "1e-3", "3.14159"), C hexadecimal ("0x1.8p3"), "pi", "e", "inf", "nan"; underscores between digits
// are allowed. Reads the text exactly (no detour over fp64). Errors: bad-number, number-too-long.
Result<Unrounded> parse_number(std::string_view text);
double to_double(const Unrounded& number);  // nearest, ties to even

enum class Rounding { nearest_even, toward_zero, stochastic };
// What a value past the largest finite one becomes: infinity, or NaN where a format has no infinity (as PyTorch and
// IEEE 754 do it; formats with neither saturate), or always the largest finite value (as quantizers do it).
enum class Overflow { special, saturate };

struct Encoded {
  std::uint64_t code = 0;
  bool inexact = false;     // the value changed
  bool overflowed = false;  // it lay beyond the range
  bool flushed = false;     // a non-zero value became zero
  bool invalid = false;     // NaN (or a negative or zero value for E8M0) where the format has no code for it
};

// `random` is 64 uniform bits, used by stochastic rounding only: up with probability equal to the distance gone, to
// 2^-64.
Encoded encode(const NumberFormat& format, const Unrounded& value, Rounding rounding = Rounding::nearest_even,
               Overflow overflow = Overflow::special, std::uint64_t random = 0);
inline Encoded encode(const NumberFormat& format, double value, Rounding rounding = Rounding::nearest_even,
                      Overflow overflow = Overflow::special, std::uint64_t random = 0) {
  return encode(format, exactly(value), rounding, overflow, random);
}

// value - decoded, relative to nothing, rounded to fp64 (exact to about 2^-74 of the value).
double rounding_error(const Unrounded& value, double decoded);

// "1.5707964" style text: every digit of the exact decimal expansion (a binary fraction always ends).
std::string exact_decimal(double value);
// "0 10000 1001001000": the fields of a code in binary, parted by blanks.
std::string bit_text(const NumberFormat& format, std::uint64_t code);

}  // namespace floptally::numerics
