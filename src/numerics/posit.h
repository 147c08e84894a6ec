// Posits (Standard for Posit Arithmetic 2022): sign, a run of equal bits (the regime), two exponent bits, fraction.
// Two's complement orders them as integers; one zero, one NaR ("not a real"), no infinities, no subnormals, no
// overflow: a finite value that is not zero never becomes zero or NaR.
#pragma once

#include "numerics/format.h"

namespace floptally::numerics {

// The fields of a code as they stand in it (section 3.4): value = ((1 - 3 s) + f) * 2^((1 - 2 s) (4 r + e + s)).
// Exponent and fraction bits past the end are 0.
struct PositFields {
  bool sign = false;
  int regime = 0;       // r
  int regime_bits = 0;  // its run and the bit that ends it, where there is room
  int exponent = 0;     // e
  int exponent_bits = 0;
  std::uint64_t fraction = 0;  // f * 2^fraction_bits
  int fraction_bits = 0;
};
// For codes other than zero and NaR.
PositFields posit_fields(const NumberFormat& format, std::uint64_t code);

double decode_posit(const NumberFormat& format, std::uint64_t code);
// Nearest, ties to the even code: the bits of the exact value, cut behind the last.
Encoded encode_posit(const NumberFormat& format, const Unrounded& value, Rounding rounding, std::uint64_t random);

}  // namespace floptally::numerics
