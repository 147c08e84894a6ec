// The quantity grammar of the user contract: "15 (10 to 22)", "2 to 3.5", "800+", "7 or 8", "5 +- 10%", each with a
// unit. An Amount keeps what was said; leaf_of() in src/book/leaf.h turns it into an uncertain input of a trace.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/integer.h"
#include "floptally/diagnostic.h"
#include "floptally/quantity.h"

namespace floptally {

struct Amount {
  enum class Form { point, best_with_range, range, floor, either };
  Form form = Form::point;
  Dim dim;
  double best = 0;               // base units; for a range the geometric (arithmetic if it touches 0) middle
  std::optional<Integer> exact;  // points, floors and best guesses, when integers in base units
  double low = 0, high = 0;      // 5th and 95th percentile of a range
  std::vector<double> values;    // of `either`
  bool percent = false;          // written with %
  bool bare = false;             // written without a unit
  bool binary = false;           // its k or M was read as 1,024 or 1,048,576
  std::string text;              // as written
};

// What K and M of a number mean. Everywhere a thousand and a million, but for what is a power of two by custom: the
// length of a sequence ("8k" is 8,192) and a batch counted in sequences ("32k"; in tokens, "4M tokens" is 4,000,000).
enum class Suffix { decimal, length, batch };
// Of the field called `key`: sequence, context, window ...; batch, micro_batch.
Suffix suffix_of(std::string_view key);

// Reads a whole scalar. Numbers: 50_000, 3.5e14, 1e25, 250K, 4M, 3.3T, $12.9M (K M B T are 1e3 1e6 1e9 1e12).
// Errors (at `at`, narrowed to the offending part): not-a-quantity, unknown-unit, flops-spelling, bad-range,
// mixed-units.
Result<Amount> parse_amount(std::string_view text, Span at = {}, Suffix suffix = Suffix::decimal);
// The same, and its dimension must be `expected` (a bare number is accepted where `bare_ok`): error wrong-unit, which
// says what was expected; `what` is the user's word for it ("a price per device and hour, such as 2.5
// USD/device-hour").
Result<Amount> parse_amount(std::string_view text, Dim expected, std::string_view what, Span at = {},
                            bool bare_ok = false, Suffix suffix = Suffix::decimal);

// One number at the start of `text` (with _ and a K/M/B/T suffix): its value, exact integer if it is one, and how many
// bytes were read (0: no number there). Shared with the plan's expressions.
struct NumberText {
  double value = 0;
  std::optional<Integer> exact;
  std::size_t length = 0;
  bool binary = false;
};
NumberText read_number(std::string_view text, Suffix suffix = Suffix::decimal);

}  // namespace floptally
