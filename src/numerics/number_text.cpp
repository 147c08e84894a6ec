// Reading the text of a number without rounding it: a decimal or hexadecimal numeral becomes 128 significant bits and a
// sticky bit, which is enough to round it correctly into any format.
#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdlib>
#include <optional>

#include "numerics/format.h"

namespace floptally::numerics {
namespace {

using boost::multiprecision::cpp_int;

constexpr std::size_t kMaxDigits = 2000;
constexpr long kMaxExponent = 20000;

// 40 decimals: more than 128 bits hold.
constexpr std::string_view kPi = "3.1415926535897932384626433832795028841971693993751";
constexpr std::string_view kE = "2.7182818284590452353602874713526624977572470936999";

Unrounded from_ratio(bool negative, cpp_int numerator, const cpp_int& denominator) {
  Unrounded out;
  out.negative = negative;
  if (numerator == 0) return out;
  out.kind = Unrounded::Kind::finite;
  const long top = static_cast<long>(msb(numerator));
  const long bottom = static_cast<long>(msb(denominator));
  long shift = 130 - (top - bottom);  // the quotient then has 130 or 131 bits
  cpp_int divisor = denominator;
  if (shift >= 0)
    numerator <<= static_cast<unsigned>(shift);
  else
    divisor <<= static_cast<unsigned>(-shift);
  cpp_int remainder;
  cpp_int quotient;
  divide_qr(numerator, divisor, quotient, remainder);
  const long bits = static_cast<long>(msb(quotient));
  const long extra = bits - 127;
  out.sticky = remainder != 0 || (quotient & ((cpp_int(1) << static_cast<unsigned>(extra)) - 1)) != 0;
  quotient >>= static_cast<unsigned>(extra);
  out.significand = (Unrounded::Wide{static_cast<std::uint64_t>(quotient >> 64)} << 64) |
                    static_cast<std::uint64_t>(quotient & cpp_int(~std::uint64_t{0}));
  out.exponent = static_cast<int>(bits - shift);
  return out;
}

int digit_of(char c, bool hexadecimal) {
  if (c >= '0' && c <= '9') return c - '0';
  if (hexadecimal && c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (hexadecimal && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool same_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != word[i]) return false;
  return true;
}

Diagnostic bad(std::string_view text) {
  return error("bad-number", "'" + std::string(text.substr(0, 80)) + "' is not a number", {},
               "write 0.1, -1.5e-3, 0x1.8p3, pi, inf or nan; a bit pattern is read with --bits");
}

cpp_int power_of_ten(long exponent) {
  cpp_int out = 1;
  for (cpp_int square = 10; exponent > 0; exponent /= 2, square *= square)
    if (exponent % 2 != 0) out *= square;
  return out;
}

// Digits with at most one point, '_' between digits; the number is value x base^scale.
struct Digits {
  cpp_int value = 0;
  long scale = 0;
  std::size_t length = 0;  // characters read
  bool any = false;
};

Digits read_digits(std::string_view text, bool hexadecimal) {
  Digits out;
  bool point = false;
  const auto digit_at = [&](std::size_t i) { return i < text.size() ? digit_of(text[i], hexadecimal) : -1; };
  for (; out.length < text.size(); ++out.length) {
    const std::size_t i = out.length;
    if (const int digit = digit_at(i); digit >= 0) {
      out.value = out.value * (hexadecimal ? 16 : 10) + digit;
      if (point) --out.scale;
      out.any = true;
    } else if (text[i] == '.' && !point) {
      point = true;
    } else if (text[i] != '_' || i == 0 || digit_at(i - 1) < 0 || digit_at(i + 1) < 0) {
      break;
    }
  }
  return out;
}

// "e-3" or "p8"; no exponent is 0, one beyond fp64 by far the largest that keeps the arithmetic small.
std::optional<long> read_exponent(std::string_view text, bool hexadecimal) {
  if (text.empty()) return 0;
  if ((text[0] | 0x20) != (hexadecimal ? 'p' : 'e') || text.size() < 2) return std::nullopt;
  const std::string tail(text.substr(1));
  const char first = tail[0] == '-' || tail[0] == '+' ? (tail.size() > 1 ? tail[1] : 'x') : tail[0];
  if (first < '0' || first > '9') return std::nullopt;
  char* end = nullptr;
  const long exponent = std::strtol(tail.c_str(), &end, 10);
  if (*end != '\0') return std::nullopt;
  return std::clamp(exponent, -kMaxExponent, kMaxExponent);
}

}  // namespace

Result<Unrounded> parse_number(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  Unrounded special;
  special.negative = negative;
  if (same_word(rest, "inf") || same_word(rest, "infinity")) {
    special.kind = Unrounded::Kind::infinite;
    return special;
  }
  if (same_word(rest, "nan")) {
    special.kind = Unrounded::Kind::nan;
    return special;
  }
  if (same_word(rest, "pi")) rest = kPi;
  if (same_word(rest, "e")) rest = kE;
  const bool hexadecimal = rest.size() > 2 && rest[0] == '0' && (rest[1] | 0x20) == 'x';
  if (hexadecimal) rest.remove_prefix(2);
  if (rest.size() > kMaxDigits)
    return error("number-too-long", "a number of " + std::to_string(rest.size()) + " characters", {},
                 "at most " + std::to_string(kMaxDigits) + " characters are read");
  const Digits digits = read_digits(rest, hexadecimal);
  const std::optional<long> exponent = read_exponent(rest.substr(digits.length), hexadecimal);
  if (!digits.any || !exponent) return bad(text);
  cpp_int numerator = digits.value;
  cpp_int denominator = 1;
  if (hexadecimal) {
    const long shift = *exponent + 4 * digits.scale;
    (shift >= 0 ? numerator : denominator) <<= static_cast<unsigned>(shift >= 0 ? shift : -shift);
  } else {
    const long power = *exponent + digits.scale;
    (power >= 0 ? numerator : denominator) *= power_of_ten(power >= 0 ? power : -power);
  }
  return from_ratio(negative, numerator, denominator);
}

}  // namespace floptally::numerics
