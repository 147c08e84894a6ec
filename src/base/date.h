// Date: a day of the Gregorian calendar as facts carry it ("2022-09-20", "2022-09" or "2022"; what is left out is 0).
// Nothing here reads a clock: an age is always counted from a date that the data states.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace floptally {

struct Date {
  int year = 0;   // 0: unknown
  int month = 0;  // 1 to 12, or 0 where only the year is known
  int day = 0;    // 1 to 31, or 0 where only the month is known

  // "2022", "2022-09" or "2022-09-20" with real months and days between the years 1900 and 2199; else nothing.
  static std::optional<Date> parse(std::string_view text);
  [[nodiscard]] bool known() const { return year != 0; }
  [[nodiscard]] std::string to_string() const;  // as precise as it is known; "unknown" where it is not
  // Days since 1970-01-01; the middle of the month or year where the day is not known.
  [[nodiscard]] std::int64_t days() const;
  // Year with a fraction, 365.25 days a year: 2022-09-20 is about 2022.72.
  [[nodiscard]] double decimal_year() const;
  friend auto operator<=>(const Date&, const Date&) = default;
};

}  // namespace floptally
