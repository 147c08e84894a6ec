#include "base/date.h"

#include <cstdio>

namespace floptally {
namespace {

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
std::int64_t days_from_civil(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

int days_in_month(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Exactly `digits` decimal digits at the front of `text`, taken off it; -1 where they are not there.
int take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

}  // namespace

std::optional<Date> Date::parse(std::string_view text) {
  Date date;
  date.year = take_digits(text, 4);
  if (date.year < 1900 || date.year > 2199) return std::nullopt;
  if (text.empty()) return date;
  if (text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  date.month = take_digits(text, 2);
  if (date.month < 1 || date.month > 12) return std::nullopt;
  if (text.empty()) return date;
  if (text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  date.day = take_digits(text, 2);
  if (!text.empty() || date.day < 1 || date.day > days_in_month(date.year, date.month)) return std::nullopt;
  return date;
}

std::string Date::to_string() const {
  if (!known()) return "unknown";
  char buffer[16];
  const int length = day ? std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d", year % 10000, month % 100, day % 100)
                     : month ? std::snprintf(buffer, sizeof buffer, "%04d-%02d", year % 10000, month % 100)
                             : std::snprintf(buffer, sizeof buffer, "%04d", year % 10000);
  return {buffer, static_cast<std::size_t>(length)};
}

std::int64_t Date::days() const {
  if (!month) return days_from_civil(year, 7, 1);
  return days_from_civil(year, month, day ? day : 15);
}

double Date::decimal_year() const { return 1970.0 + static_cast<double>(days()) / 365.25; }

}  // namespace floptally
