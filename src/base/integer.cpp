#include "base/integer.h"

#include <algorithm>
#include <cmath>

namespace floptally {

std::optional<Integer> Integer::from_double(double value) {
  if (!(std::abs(value) < 0x1p126) || std::trunc(value) != value) return std::nullopt;
  return Integer(static_cast<Wide>(value));
}

std::optional<Integer> Integer::parse(std::string_view digits) {
  bool negative = false;
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits.front() == '_' || digits.back() == '_') return std::nullopt;
  Integer result;
  char previous = '0';
  for (const char c : digits) {
    if (c == '_') {
      if (previous == '_') return std::nullopt;
    } else if (c >= '0' && c <= '9') {
      result = result * Integer(10) + Integer(c - '0');
    } else {
      return std::nullopt;
    }
    previous = c;
  }
  if (!result.valid()) return std::nullopt;
  return negative ? -result : result;
}

std::string Integer::to_string() const {
  if (!valid_) return "?";
  if (value_ == 0) return "0";
  __extension__ using Unsigned = unsigned __int128;
  Unsigned rest = value_ < 0 ? Unsigned(0) - static_cast<Unsigned>(value_) : static_cast<Unsigned>(value_);
  std::string text;
  for (; rest != 0; rest /= 10) text.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  if (value_ < 0) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace floptally
