#include "document/scalar.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

namespace floptally {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && digit(text[at + count])) ++count;
  return count;
}

// [-+]? ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?      (YAML 1.2.2, section 10.3.2)
bool is_decimal(std::string_view text) {
  std::size_t at = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;
  const std::size_t whole = digits(text, at);
  at += whole;
  std::size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    fraction = digits(text, at + 1);
    at += 1 + fraction;
  }
  if (whole == 0 && fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t exponent = digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

bool is_radix(std::string_view text, unsigned& radix) {
  if (text.size() < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'o')) return false;
  radix = text[1] == 'x' ? 16 : 8;
  for (const char c : text.substr(2)) {
    const bool octal = c >= '0' && c <= '7';
    const bool hex = digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (radix == 16 ? !hex : !octal) return false;
  }
  return true;
}

// +1 / -1 for the infinities, 0 for not-a-number, nothing for anything else.
std::optional<int> special(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN" || text == "NaN") return 0;
  int sign = 1;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == ".inf" || text == ".Inf" || text == ".INF" || text == "Infinity") return sign;
  return std::nullopt;
}

}  // namespace

NodeKind resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return NodeKind::null;
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" || text == "FALSE")
    return NodeKind::boolean;
  unsigned radix = 0;
  const char c = text[0];
  if (!digit(c) && c != '-' && c != '+' && c != '.') return NodeKind::string;
  if (is_decimal(text) || is_radix(text, radix)) return NodeKind::number;
  if (special(text) && text.find('.') != std::string_view::npos) return NodeKind::number;
  return NodeKind::string;
}

bool is_json_number(std::string_view text) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = digits(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  return at == text.size() || ((text[at] == 'e' || text[at] == 'E') && is_decimal(text));
}

std::optional<Integer> integer_from_text(std::string_view text) {
  unsigned radix = 10;
  if (is_radix(text, radix)) {
    Integer value;
    for (const char c : text.substr(2)) {
      const int d = digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
      value = value * Integer(radix) + Integer(d);
    }
    return value.valid() ? std::optional(value) : std::nullopt;
  }
  if (!is_decimal(text)) return std::nullopt;
  const bool negative = text[0] == '-';
  std::string significand;  // digits with trailing zeros of the fraction taken off, so that 32.0 is 32
  std::int64_t exponent = 0;
  bool after_point = false;
  std::size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  for (; at < text.size() && (digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    if (significand.empty() && text[at] == '0') {
      exponent -= after_point ? 1 : 0;
      continue;
    }
    significand.push_back(text[at]);
    exponent -= after_point ? 1 : 0;
  }
  if (at < text.size()) {
    std::int64_t written = 0;
    const char* begin = text.data() + at + 1 + (text[at + 1] == '+' ? 1 : 0);
    if (std::from_chars(begin, text.data() + text.size(), written).ec != std::errc{} || written > 1000 ||
        written < -100000)
      return significand.empty() ? std::optional(Integer(0)) : std::nullopt;
    exponent += written;
  }
  while (!significand.empty() && significand.back() == '0') {
    significand.pop_back();
    ++exponent;
  }
  if (significand.empty()) return Integer(0);
  if (exponent < 0 || exponent > 40 || significand.size() > 40) return std::nullopt;
  std::optional<Integer> value = Integer::parse(significand);
  if (!value) return std::nullopt;
  for (; exponent > 0; --exponent) *value = *value * Integer(10);
  if (!value->valid()) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<double> double_from_text(std::string_view text) {
  if (const auto sign = special(text)) {
    if (*sign == 0) return std::numeric_limits<double>::quiet_NaN();
    return *sign * std::numeric_limits<double>::infinity();
  }
  unsigned radix = 10;
  if (is_radix(text, radix)) {
    const auto value = integer_from_text(text);
    return value ? std::optional(value->to_double()) : std::nullopt;
  }
  if (!is_decimal(text)) return std::nullopt;
  const std::size_t skip = text[0] == '+' ? 1 : 0;
  double value = 0;
  const auto result = std::from_chars(text.data() + skip, text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // from_chars leaves the value alone: tell a huge number from a tiny one by its exponent's sign.
    const std::size_t e = text.find_first_of("eE");
    const bool tiny = e != std::string_view::npos && e + 1 < text.size() && text[e + 1] == '-';
    if (tiny) return 0.0;
    return text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  return value;
}

}  // namespace floptally
