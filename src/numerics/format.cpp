#include "numerics/format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "numerics/posit.h"

namespace floptally::numerics {
namespace {

using Wide = Unrounded::Wide;

constexpr std::string_view kIeee = "IEEE 754-2019, table 3.5";
constexpr std::string_view kOfp8 = "OCP 8-bit Floating Point Specification (OFP8) 1.0, section 5";
constexpr std::string_view kOcpMx = "OCP Microscaling Formats (MX) 1.0, section 5.3";
constexpr std::string_view kFnuz =
    "Noune et al. 2022, arXiv:2206.02915; the float8 *fnuz types of PyTorch, JAX and MLIR";
constexpr std::string_view kMlDtypes = "the ml_dtypes package (JAX, TensorFlow) and MLIR builtin types";
constexpr std::string_view kPosit = "Posit Working Group, Standard for Posit Arithmetic (2022)";

constexpr NumberFormat kFormats[] = {
    {"fp64", "float64 double f64", 1, 11, 52, 1023, Specials::ieee, 64, kIeee},
    {"fp32", "float32 float single f32", 1, 8, 23, 127, Specials::ieee, 32, kIeee},
    {"tf32", "tensorfloat32 tensorfloat", 1, 8, 10, 127, Specials::ieee, 32,
     "NVIDIA A100 Tensor Core GPU Architecture, 2020: 19 bits kept in a 32-bit word"},
    {"fp16", "float16 half f16", 1, 5, 10, 15, Specials::ieee, 16, kIeee},
    {"bf16", "bfloat16 brain", 1, 8, 7, 127, Specials::ieee, 16,
     "Intel BFLOAT16 Hardware Numerics Definition, 2018: the upper half of fp32"},
    {"e4m3", "fp8 e4m3fn fp8e4m3 fp8e4m3fn float8e4m3fn f8e4m3 f8e4m3fn", 1, 4, 3, 7, Specials::fn, 8, kOfp8},
    {"e4m3-inf", "fp8e4m3inf e4m3ieee float8e4m3 e4m3i", 1, 4, 3, 7, Specials::ieee, 8, kMlDtypes},
    {"e4m3fnuz", "fp8e4m3fnuz float8e4m3fnuz f8e4m3fnuz", 1, 4, 3, 8, Specials::fnuz, 8, kFnuz},
    {"e5m2", "fp8e5m2 float8e5m2 f8e5m2 e5m2inf", 1, 5, 2, 15, Specials::ieee, 8, kOfp8},
    {"e5m2-fn", "fp8e5m2fn e5m2noinf e5m2finite", 1, 5, 2, 15, Specials::fn, 8,
     "E5M2 by the OFP8 rule for E4M3: the top binade holds numbers, all ones is NaN"},
    {"e5m2fnuz", "fp8e5m2fnuz float8e5m2fnuz f8e5m2fnuz", 1, 5, 2, 16, Specials::fnuz, 8, kFnuz},
    {"e3m4", "fp8e3m4 float8e3m4 f8e3m4", 1, 3, 4, 3, Specials::ieee, 8, kMlDtypes},
    {"e3m2", "fp6e3m2 float6e3m2fn f6e3m2 e3m2fn", 1, 3, 2, 3, Specials::finite, 6, kOcpMx},
    {"e2m3", "fp6e2m3 float6e2m3fn f6e2m3 e2m3fn fp6", 1, 2, 3, 1, Specials::finite, 6, kOcpMx},
    {"e2m1", "fp4 fp4e2m1 float4e2m1fn f4e2m1 e2m1fn f4", 1, 2, 1, 1, Specials::finite, 4, kOcpMx},
    {"e8m0", "float8e8m0fnu f8e8m0 e8m0fnu", 0, 8, 0, 127, Specials::scale, 8,
     "OCP Microscaling Formats (MX) 1.0, section 5.4.1"},
    {"posit32", "posit<32,2>", 1, 2, 29, 0, Specials::posit, 32, kPosit},
    {"posit16", "posit<16,2>", 1, 2, 13, 0, Specials::posit, 16, kPosit},
    {"posit8", "posit<8,2>", 1, 2, 5, 0, Specials::posit, 8, kPosit},
    {"int8", "i8 s8", 1, 0, 7, 0, Specials::integer, 8, "two's complement"},
    {"uint8", "u8 byte", 0, 0, 8, 0, Specials::integer, 8, "binary"},
    {"int4", "i4 s4", 1, 0, 3, 0, Specials::integer, 4, "two's complement"},
    {"uint4", "u4", 0, 0, 4, 0, Specials::integer, 4, "binary"},
};

consteval const NumberFormat& row(std::string_view name) {
  return *std::find_if(std::begin(kFormats), std::end(kFormats), [&](const NumberFormat& f) { return f.name == name; });
}
static_assert(row("fp16").max_code() == 0x7BFF && row("e4m3").max_code() == 0x7E);
static_assert(row("tf32").bits() == 19 && row("e2m1").bits() == 4 && row("posit32").bits() == 32);

// "FP8-E4M3" and "float8_e4m3fn" are compared without case, '-', '_' and '.'.
std::string bare(std::string_view name) {
  std::string out;
  for (char c : name)
    if (c != '-' && c != '_' && c != '.' && c != ' ')
      out += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

constexpr std::uint64_t low_bits(int count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

int sign_position(const NumberFormat& f) { return f.exponent_bits + f.significand_bits; }

std::uint64_t nan_code(const NumberFormat& f) {
  if (f.specials == Specials::fnuz || f.is_posit()) return std::uint64_t{1} << sign_position(f);
  if (f.specials == Specials::ieee && f.significand_bits > 0)  // quiet: the top bit of the significand
    return f.max_code() + 1 + (std::uint64_t{1} << (f.significand_bits - 1));
  return f.max_code() + 1;
}

// The part of `significand` below bit `drop` against one half of bit `drop`.
struct Cut {
  Wide kept;
  bool any;                // something was cut off
  int against_half;        // -1 below, 0 exactly, 1 above
  std::uint64_t fraction;  // the part cut off, as a fraction of 2^64
};

Cut cut(const Unrounded& value, int drop) {
  if (drop <= 0) return {value.significand, value.sticky, value.sticky ? -1 : 0, 0};
  if (drop > 128) {
    const int below = drop - 128;
    const auto top = static_cast<std::uint64_t>(value.significand >> 64);
    return {0, true, -1, below >= 64 ? 0 : top >> below};
  }
  const Wide kept = drop == 128 ? Wide{0} : value.significand >> drop;
  const Wide rest = drop == 128 ? value.significand : value.significand & ((Wide{1} << drop) - 1);
  const Wide half = Wide{1} << (drop - 1);
  int against = rest < half ? -1 : rest > half || value.sticky ? 1 : 0;
  const Wide aligned = rest << (128 - drop);
  return {kept, rest != 0 || value.sticky, against, static_cast<std::uint64_t>(aligned >> 64)};
}

bool rounds_up(const Cut& part, bool odd, Rounding rounding, std::uint64_t random) {
  if (!part.any || rounding == Rounding::toward_zero) return false;
  if (rounding == Rounding::stochastic) return part.fraction > random;
  return part.against_half > 0 || (part.against_half == 0 && odd);
}

Encoded encode_scale(const NumberFormat& f, const Unrounded& value, Rounding rounding, Overflow overflow,
                     std::uint64_t random) {
  if (value.kind == Unrounded::Kind::nan) return {nan_code(f), false, false, false, false};
  if (value.negative) return {nan_code(f), true, false, false, true};
  if (value.kind == Unrounded::Kind::zero) return {0, true, false, false, true};
  Encoded result;
  std::int64_t code = 0;
  if (value.kind == Unrounded::Kind::infinite) {
    code = INT32_MAX;
  } else {
    const Cut part = cut(value, 127);
    code = std::int64_t{value.exponent} + f.bias;
    result.inexact = part.any;
    if (rounds_up(part, (code & 1) != 0, rounding, random)) ++code;
    if (code < 0) {
      code = 0;
      result.inexact = true;
    }
  }
  if (code > static_cast<std::int64_t>(f.max_code())) {
    result.overflowed = result.inexact = true;
    result.code = overflow == Overflow::saturate ? f.max_code() : nan_code(f);
  } else {
    result.code = static_cast<std::uint64_t>(code);
  }
  return result;
}

Encoded encode_integer(const NumberFormat& f, const Unrounded& value, Rounding rounding, std::uint64_t random) {
  if (value.kind == Unrounded::Kind::nan) return {0, true, false, false, true};
  const std::uint64_t top = f.max_code();
  const std::uint64_t bottom = f.sign_bits ? top + 1 : 0;  // magnitude of the lowest value
  Encoded result;
  std::uint64_t magnitude = 0;
  if (value.kind == Unrounded::Kind::infinite || (value.kind == Unrounded::Kind::finite && value.exponent > 62)) {
    magnitude = std::numeric_limits<std::uint64_t>::max();
  } else if (value.kind == Unrounded::Kind::finite) {
    const Cut part = cut(value, 127 - std::max(value.exponent, -200));
    magnitude = static_cast<std::uint64_t>(part.kept);
    result.inexact = part.any;
    if (rounds_up(part, (magnitude & 1) != 0, rounding, random)) ++magnitude;
    result.flushed = magnitude == 0;
  }
  const std::uint64_t limit = value.negative ? bottom : top;
  if (magnitude > limit) {
    magnitude = limit;
    result.inexact = result.overflowed = true;
  }
  result.code = (value.negative ? ~magnitude + 1 : magnitude) & low_bits(f.bits());
  return result;
}

}  // namespace

std::span<const NumberFormat> number_formats() { return kFormats; }

const NumberFormat* find_number_format(std::string_view name) {
  const std::string wanted = bare(name);
  for (const NumberFormat& f : kFormats) {
    if (bare(f.name) == wanted) return &f;
    std::string_view rest = f.aliases;
    while (!rest.empty()) {
      const std::size_t blank = std::min(rest.find(' '), rest.size());
      if (rest.substr(0, blank) == wanted) return &f;
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  return nullptr;
}

Fields split(const NumberFormat& f, std::uint64_t code) {
  Fields fields;
  if (f.is_posit()) {
    const PositFields posit = posit_fields(f, code);
    return {posit.sign, static_cast<std::uint64_t>(posit.exponent), posit.fraction};
  }
  fields.negative = f.sign_bits != 0 && ((code >> sign_position(f)) & 1) != 0;
  fields.exponent = (code >> f.significand_bits) & low_bits(f.exponent_bits);
  fields.significand = code & low_bits(f.significand_bits);
  return fields;
}

Class classify(const NumberFormat& f, std::uint64_t code) {
  if (f.is_integer()) return code == 0 ? Class::zero : Class::normal;
  if (f.is_posit()) return code == 0 ? Class::zero : code == nan_code(f) ? Class::nan : Class::normal;
  const std::uint64_t magnitude = code & low_bits(sign_position(f));
  if (f.specials == Specials::fnuz && code == nan_code(f)) return Class::nan;
  if (magnitude > f.max_code()) return f.has_infinity() && magnitude == f.max_code() + 1 ? Class::infinite : Class::nan;
  if (f.specials == Specials::scale) return Class::normal;
  if (magnitude == 0) return Class::zero;
  return (magnitude >> f.significand_bits) == 0 ? Class::subnormal : Class::normal;
}

double decode(const NumberFormat& f, std::uint64_t code) {
  if (f.is_posit()) return decode_posit(f, code);
  if (f.is_integer()) {
    const bool negative = f.sign_bits != 0 && ((code >> sign_position(f)) & 1) != 0;
    return static_cast<double>(code & low_bits(f.bits())) - (negative ? std::ldexp(1.0, f.bits()) : 0.0);
  }
  const Fields fields = split(f, code);
  switch (classify(f, code)) {
    case Class::nan:
      return std::numeric_limits<double>::quiet_NaN();
    case Class::infinite:
      return fields.negative ? -HUGE_VAL : HUGE_VAL;
    case Class::zero:
      return fields.negative ? -0.0 : 0.0;
    case Class::subnormal:
    case Class::normal:
      break;
  }
  const bool subnormal = fields.exponent == 0 && f.specials != Specials::scale;
  const auto hidden = subnormal ? std::uint64_t{0} : std::uint64_t{1} << f.significand_bits;
  const int exponent = static_cast<int>(fields.exponent) + (subnormal ? 1 : 0) - f.bias - f.significand_bits;
  const double magnitude = std::ldexp(static_cast<double>(hidden + fields.significand), exponent);
  return fields.negative ? -magnitude : magnitude;
}

double max_finite(const NumberFormat& f) { return decode(f, f.max_code()); }

double lowest(const NumberFormat& f) {
  if (f.specials == Specials::scale) return decode(f, 0);
  if (f.is_integer()) return f.sign_bits ? decode(f, f.max_code() + 1) : 0.0;
  return -max_finite(f);
}

double min_normal(const NumberFormat& f) {
  if (f.is_integer()) return 1.0;
  if (f.is_posit()) return decode(f, 1);
  return f.specials == Specials::scale ? decode(f, 0) : decode(f, std::uint64_t{1} << f.significand_bits);
}

double min_subnormal(const NumberFormat& f) { return f.specials == Specials::scale ? decode(f, 0) : decode(f, 1); }

namespace {

// The code `step` (+1 or -1) places along the number line.
std::optional<std::uint64_t> neighbour(const NumberFormat& f, std::uint64_t code, int step) {
  const Class kind = classify(f, code);
  if (kind == Class::nan) return std::nullopt;
  if (f.is_posit()) {
    const std::uint64_t next = (code + static_cast<std::uint64_t>(step)) & low_bits(f.bits());
    return next == nan_code(f) ? std::nullopt : std::optional(next);
  }
  const std::int64_t top = static_cast<std::int64_t>(f.max_code()) + (f.has_infinity() ? 1 : 0);
  std::int64_t place = 0;
  std::int64_t bottom = -top;
  if (f.is_integer()) {
    place = static_cast<std::int64_t>(decode(f, code));
    bottom = static_cast<std::int64_t>(lowest(f));
  } else {
    const auto magnitude = static_cast<std::int64_t>(code & low_bits(sign_position(f)));
    place = split(f, code).negative ? -magnitude : magnitude;
    if (f.sign_bits == 0) bottom = 0;
  }
  place += step;
  if (place > top || place < bottom) return std::nullopt;
  if (f.is_integer()) return static_cast<std::uint64_t>(place) & low_bits(f.bits());
  const auto magnitude = static_cast<std::uint64_t>(place < 0 ? -place : place);
  return place < 0 ? magnitude | (std::uint64_t{1} << sign_position(f)) : magnitude;
}

}  // namespace

std::optional<std::uint64_t> next_up(const NumberFormat& f, std::uint64_t code) { return neighbour(f, code, 1); }
std::optional<std::uint64_t> next_down(const NumberFormat& f, std::uint64_t code) { return neighbour(f, code, -1); }

Unrounded exactly(double value) {
  Unrounded out;
  out.negative = std::signbit(value);
  if (std::isnan(value)) {
    out.kind = Unrounded::Kind::nan;
  } else if (std::isinf(value)) {
    out.kind = Unrounded::Kind::infinite;
  } else if (value != 0) {
    int exponent = 0;
    const double fraction = std::frexp(std::fabs(value), &exponent);  // [0.5, 1)
    out.kind = Unrounded::Kind::finite;
    out.exponent = exponent - 1;
    out.significand = static_cast<Wide>(static_cast<std::uint64_t>(std::ldexp(fraction, 64))) << 64;
  }
  return out;
}

double to_double(const Unrounded& number) { return decode(kFormats[0], encode(kFormats[0], number).code); }

Encoded encode(const NumberFormat& f, const Unrounded& value, Rounding rounding, Overflow overflow,
               std::uint64_t random) {
  if (f.is_integer()) return encode_integer(f, value, rounding, random);
  if (f.is_posit()) return encode_posit(f, value, rounding, random);
  if (f.specials == Specials::scale) return encode_scale(f, value, rounding, overflow, random);
  const bool unsigned_zero = f.specials == Specials::fnuz;
  const std::uint64_t sign = value.negative ? std::uint64_t{1} << sign_position(f) : 0;
  if (value.kind == Unrounded::Kind::nan) {
    if (!f.has_nan()) return {0, true, false, false, true};
    return {nan_code(f) | (unsigned_zero ? 0 : sign), false, false, false, false};
  }
  if (value.kind == Unrounded::Kind::zero) return {unsigned_zero ? 0 : sign, false, false, false, false};
  Encoded result;
  std::uint64_t magnitude = std::numeric_limits<std::uint64_t>::max();
  const int lowest_exponent = 1 - f.bias;
  if (value.kind == Unrounded::Kind::finite && value.exponent <= f.bias + 2) {
    // The quantum is the weight of the last stored bit; below the normal range it stops shrinking.
    const int quantum = std::max(value.exponent, lowest_exponent) - f.significand_bits;
    const Cut part = cut(value, std::min(quantum - (value.exponent - 127), 100000));
    auto kept = static_cast<std::uint64_t>(part.kept);
    result.inexact = part.any;
    if (rounds_up(part, (kept & 1) != 0, rounding, random)) ++kept;
    // kept holds the hidden bit, so adding it to the exponent field below also carries a round-up into the next binade.
    const int field = quantum + f.significand_bits + f.bias - 1;
    magnitude = (static_cast<std::uint64_t>(field) << f.significand_bits) + kept;
    result.flushed = magnitude == 0;
  }
  if (magnitude > f.max_code()) {
    const bool was_infinite = value.kind == Unrounded::Kind::infinite;
    result.overflowed = !was_infinite || !f.has_infinity();
    result.inexact = result.overflowed;
    const bool clamp = overflow == Overflow::saturate || (rounding == Rounding::toward_zero && !was_infinite);
    if (clamp || !f.has_nan())
      magnitude = f.max_code();
    else if (f.has_infinity())
      magnitude = f.max_code() + 1;
    else
      return {nan_code(f) | (unsigned_zero ? 0 : sign), true, true, false, false};
  }
  result.code = magnitude == 0 && unsigned_zero ? 0 : magnitude | sign;
  return result;
}

double rounding_error(const Unrounded& value, double decoded) {
  if (value.kind == Unrounded::Kind::nan || value.kind == Unrounded::Kind::infinite || !std::isfinite(decoded))
    return to_double(value) - decoded;
  if (value.kind == Unrounded::Kind::zero) return 0.0 - decoded;
  const Unrounded other = exactly(decoded);
  if (other.kind == Unrounded::Kind::zero) return to_double(value);
  // Same sign (rounding never crosses zero) and exponents at most one apart whenever the two are close; otherwise fp64
  // subtraction is accurate enough.
  const int apart = value.exponent - other.exponent;
  if (value.negative != other.negative || apart > 1 || apart < -1) return to_double(value) - decoded;
  const int top = std::max(value.exponent, other.exponent);
  const Wide a = value.significand >> (top - value.exponent);
  const Wide b = other.significand >> (top - other.exponent);
  const Wide difference = a > b ? a - b : b - a;
  const double magnitude = std::ldexp(static_cast<double>(difference), top - 127);
  return (a < b) != value.negative ? -magnitude : magnitude;
}

std::string exact_decimal(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  int digits = 0;  // binary digits after the point = decimal digits after the point
  if (value != 0) {
    const auto whole = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    digits = std::max(0, 53 - exponent - std::countr_zero(whole));
  }
  char text[1500];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string bit_text(const NumberFormat& f, std::uint64_t code) {
  std::string out;
  if (f.is_posit() && classify(f, code) == Class::normal) {
    const PositFields fields = posit_fields(f, code);
    const int ends[] = {f.bits() - 1, f.bits() - 1 - fields.regime_bits, fields.fraction_bits, 0};
    for (int i = f.bits() - 1; i >= 0; --i) {
      out += ((code >> i) & 1) != 0 ? '1' : '0';
      if (i > 0 && std::find(std::begin(ends), std::end(ends), i) != std::end(ends)) out += ' ';
    }
    return out;
  }
  for (int i = f.bits() - 1; i >= 0; --i) {
    out += ((code >> i) & 1) != 0 ? '1' : '0';
    const bool after_sign = f.sign_bits != 0 && i == f.bits() - 1 && !f.is_integer();
    const bool after_exponent =
        !f.is_posit() && i == f.significand_bits && f.exponent_bits > 0 && f.significand_bits > 0;
    if (after_sign || after_exponent) out += ' ';
  }
  return out;
}

}  // namespace floptally::numerics
