#include "numerics/posit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace floptally::numerics {
namespace {

using Wide = Unrounded::Wide;

constexpr int kExponentBits = 2;

std::uint64_t not_real(const NumberFormat& f) { return std::uint64_t{1} << (f.bits() - 1); }

}  // namespace

PositFields posit_fields(const NumberFormat& f, std::uint64_t code) {
  PositFields out;
  int at = f.bits() - 2;  // the bit behind the sign
  const auto bit = [code](int place) { return (code >> place & 1) != 0; };
  out.sign = bit(f.bits() - 1);
  const bool first = bit(at);
  int run = 0;
  while (at >= 0 && bit(at) == first) {
    ++run;
    --at;
  }
  out.regime = first ? run - 1 : -run;
  out.regime_bits = run + (at >= 0 ? 1 : 0);
  --at;  // the bit that ends the run
  for (int k = 0; k < kExponentBits; ++k, --at) {
    out.exponent = 2 * out.exponent + (at >= 0 && bit(at) ? 1 : 0);
    out.exponent_bits += at >= 0 ? 1 : 0;
  }
  out.fraction_bits = std::max(0, at + 1);
  out.fraction = code & ((std::uint64_t{1} << out.fraction_bits) - 1);
  return out;
}

double decode_posit(const NumberFormat& f, std::uint64_t code) {
  if (code == 0) return 0;
  if (code == not_real(f)) return std::numeric_limits<double>::quiet_NaN();
  const PositFields fields = posit_fields(f, code);
  const int s = fields.sign ? 1 : 0;
  const double significand = (1 - 3 * s) + std::ldexp(static_cast<double>(fields.fraction), -fields.fraction_bits);
  return std::ldexp(significand, (1 - 2 * s) * (4 * fields.regime + fields.exponent + s));
}

Encoded encode_posit(const NumberFormat& f, const Unrounded& value, Rounding rounding, std::uint64_t random) {
  if (value.kind == Unrounded::Kind::zero) return {};
  if (value.kind != Unrounded::Kind::finite)
    return {not_real(f), value.kind == Unrounded::Kind::infinite, false, false, false};
  const int largest = 4 * (f.bits() - 2);  // exponent of the largest value
  Encoded result;
  std::uint64_t code = 0;
  if (value.exponent >= largest) {
    code = f.max_code();
    const bool power = value.significand == Wide{1} << 127 && !value.sticky;
    result.inexact = result.overflowed = value.exponent > largest || !power;
  } else if (value.exponent < -largest) {
    code = 1;
    result.inexact = true;
  } else {
    // Regime, exponent and 64 bits of the fraction in a row; of what follows only whether there is anything.
    const int r = value.exponent >> kExponentBits;
    const auto e = static_cast<unsigned>(value.exponent & 3);
    const int regime_bits = r >= 0 ? r + 2 : 1 - r;
    const Wide regime = r >= 0 ? ((Wide{1} << (r + 1)) - 1) << 1 : Wide{1};
    const Wide fraction = value.significand & ((Wide{1} << 127) - 1);
    const Wide row = ((regime << kExponentBits | e) << 64) | (fraction >> 63);
    const bool sticky = value.sticky || (fraction & ((Wide{1} << 63) - 1)) != 0;
    const int cut = regime_bits + kExponentBits + 64 - (f.bits() - 1);
    code = static_cast<std::uint64_t>(row >> cut);
    const Wide rest = row & ((Wide{1} << cut) - 1);
    const Wide half = Wide{1} << (cut - 1);
    result.inexact = rest != 0 || sticky;
    bool up = false;
    if (rounding == Rounding::nearest_even)
      up = rest > half || (rest == half && (sticky || (code & 1) != 0));
    else if (rounding == Rounding::stochastic)
      up = static_cast<std::uint64_t>(cut >= 64 ? rest >> (cut - 64) : rest << (64 - cut)) > random;
    code = std::clamp<std::uint64_t>(code + (up ? 1 : 0), 1, f.max_code());
  }
  result.code = value.negative ? (~code + 1) & ((not_real(f) << 1) - 1) : code;
  return result;
}

}  // namespace floptally::numerics
