// Expressions as people state them in accounts: "4 * (2 + 4)", "6 * 1.54e9 * 18e12", "FLOP/second * second", evaluated
// with their units, so that a stated formula can be checked for its dimension as well as for its value.
//
// A unit here is any word (an account may measure in "positions" or "width"); units of a product multiply, a sum needs
// equal ones. Words that the quantity grammar knows ("TFLOP/s", "day") are reduced to base units.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "floptally/diagnostic.h"

namespace floptally {

using Units = std::map<std::string, int>;  // word -> exponent; empty for a plain number

struct Evaluated {
  double value = 0;
  bool has_value = true;  // false where a symbol stands for a unit only
  Units units;
};

using Symbols = std::map<std::string, Evaluated, std::less<>>;

// Grammar: sums, products, quotients, powers (^), parentheses, numbers, numbers with units, symbols and unit words.
// Errors: bad-formula (what stands where), mixed-dimensions (a sum of unlike units).
Result<Evaluated> evaluate(std::string_view text, const Symbols& symbols, Span at = {});

// "FLOP second^-1"; "a plain number" for none.
std::string units_text(const Units& units);

}  // namespace floptally
