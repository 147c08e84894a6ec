#include "quantity/quantity_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "quantity/unit.h"

namespace floptally {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// Reads one amount; remembers the whole text so that errors can point at the part.
class AmountReader {
 public:
  AmountReader(std::string_view text, Span at, Suffix suffix) : whole_(text), rest_(text), at_(at), suffix_(suffix) {}

  Result<Amount> read() {
    Amount amount;
    amount.text = std::string(whole_);
    skip_spaces();
    bool dollars = take("$");
    std::optional<NumberText> best = number();
    if (!best) return not_a_quantity();
    if (take("+-") || take("\xC2\xB1")) return plus_minus(amount, *best, dollars);
    if (peek() == '+') {
      take("+");
      amount.form = Amount::Form::floor;
      return finish(amount, *best, {}, dollars);
    }
    skip_spaces();
    if (word("to")) {
      dollars = take("$") || dollars;
      const auto high = number();
      if (!high) return not_a_quantity();
      amount.form = Amount::Form::range;
      return finish(amount, *best, {best->value, high->value}, dollars);
    }
    if (word("or")) {
      amount.form = Amount::Form::either;
      std::vector<double> values{best->value};
      do {
        dollars = take("$") || dollars;
        const auto next = number();
        if (!next) return not_a_quantity();
        values.push_back(next->value);
        skip_spaces();
      } while (word("or"));
      return finish(amount, *best, values, dollars);
    }
    if (take("(")) return bracketed(amount, *best, dollars);
    return unit_then_rest(amount, *best, dollars);
  }

 private:
  // A unit may stand before the range as well: "350 TFLOP/s (300 to 400)" is read as "350 (300 to 400) TFLOP/s", and
  // "30% (25% to 35%)" has its sign on each.
  Result<Amount> unit_then_rest(Amount& amount, const NumberText& best, bool dollars) {
    const auto unit_ends_at = [&](std::string_view mark) {
      const std::size_t at = rest_.find(mark);
      if (at == std::string_view::npos || (mark == "(" && at == 0)) return false;
      unit_text_ = trim(rest_.substr(0, at));
      rest_.remove_prefix(at + mark.size());
      return true;
    };
    if (unit_ends_at("(")) return bracketed(amount, best, dollars);
    if (unit_ends_at("+-")) return plus_minus(amount, best, dollars);
    if (!unit_ends_at(" to ")) return finish(amount, best, {}, dollars);
    const auto high = number();
    if (!high) return not_a_quantity();
    amount.form = Amount::Form::range;
    return finish(amount, best, {best.value, high->value}, dollars);
  }
  static std::string_view trim(std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
  }
  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  bool word(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    if (rest_.size() > token.size() && rest_[token.size()] != ' ') return false;
    rest_.remove_prefix(token.size());
    skip_spaces();
    return true;
  }
  std::optional<NumberText> number() {
    skip_spaces();
    const bool negative = rest_.starts_with('-') && rest_.size() > 1 && digit(rest_[1]);
    if (negative) rest_.remove_prefix(1);
    NumberText read = read_number(rest_, suffix_);
    if (read.length == 0) return std::nullopt;
    saw_binary_ = saw_binary_ || read.binary;
    rest_.remove_prefix(read.length);
    if (negative) {
      read.value = -read.value;
      if (read.exact) read.exact = -*read.exact;
    }
    if (rest_.starts_with('%')) {
      rest_.remove_prefix(1);
      saw_percent_ = true;
    }
    return read;
  }

  Span here(std::string_view piece) const {
    if (!at_ || at_.end - at_.begin != whole_.size()) return at_;
    Span span = at_;
    span.begin += static_cast<std::uint64_t>(piece.data() - whole_.data());
    span.end = span.begin + std::max<std::size_t>(1, piece.size());
    return span;
  }
  [[nodiscard]] Diagnostic not_a_quantity() const {
    return error("not-a-quantity", "'" + std::string(whole_.substr(0, 80)) + "' is not a quantity",
                 here(rest_.empty() ? whole_ : rest_),
                 "write a number with a unit, such as 15, 350 (300 to 400) TFLOP/s, 2 to 3.5, 800+, 7 or 8, 5 +- 10%");
  }

  Result<Amount> bracketed(Amount amount, NumberText best, bool dollars) {
    amount.form = Amount::Form::best_with_range;
    dollars = take("$") || dollars;
    const auto low = number();
    skip_spaces();
    if (!low || !(word("to") || take("-") || take(",") || take("\xE2\x80\x93"))) return not_a_quantity();
    dollars = take("$") || dollars;
    const auto high = number();
    if (!high || !take(")")) return not_a_quantity();
    return finish(amount, best, {low->value, high->value}, dollars);
  }

  Result<Amount> plus_minus(Amount amount, NumberText best, bool dollars) {
    const bool percent_before = saw_percent_;
    saw_percent_ = false;
    const auto spread = number();
    if (!spread) return not_a_quantity();
    const bool relative = saw_percent_ && !percent_before;
    const double half = relative ? std::abs(best.value) * spread->value / 100 : spread->value;
    saw_percent_ = percent_before;
    amount.form = Amount::Form::best_with_range;
    return finish(amount, best, {best.value - half, best.value + half}, dollars);
  }

  // The unit as written, times what a percent or dollar sign says.
  Result<Unit> unit_of(std::string_view unit_text, bool dollars) {
    Unit unit;
    if (saw_percent_) unit = Unit{dim::kNone, 0.01, std::nullopt, true};
    if (dollars) unit.dim = dim::kUsd;
    if (unit_text.empty()) return unit;
    // "$3/GPU-hour": the currency stands in front and the unit begins with what it is divided by.
    const bool continued = dollars && unit_text.front() == '/';
    const std::string_view written = continued ? unit_text.substr(1) : unit_text;
    auto parsed = parse_unit(written, here(written));
    if (!parsed) {
      const char first = unit_text.front();
      if (!digit(first) && (std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '%'))
        return parsed.take_problems();
      rest_ = unit_text;
      return not_a_quantity();
    }
    if (continued) {
      unit.dim = unit.dim / parsed->dim;
      unit.scale /= parsed->scale;
      unit.exact.reset();
      return unit;
    }
    unit.dim = unit.dim * parsed->dim;
    unit.scale *= parsed->scale;
    unit.percent = unit.percent || parsed->percent;
    if (unit.exact && parsed->exact)
      unit.exact = *unit.exact * *parsed->exact;
    else
      unit.exact.reset();
    return unit;
  }

  Result<Amount> finish(Amount amount, const NumberText& best, std::vector<double> values, bool dollars) {
    skip_spaces();
    if (amount.form != Amount::Form::floor && amount.form != Amount::Form::either && values.empty() && take("+"))
      amount.form = Amount::Form::floor;
    std::string_view unit_text = trim(rest_);
    if (unit_text.empty())
      unit_text = unit_text_;
    else if (!unit_text_.empty() && unit_text != unit_text_)
      return error("mixed-units",
                   "two units in one quantity: '" + std::string(unit_text_) + "' and '" + std::string(unit_text) + "'",
                   here(unit_text), "write the unit once, after the range");
    amount.bare = unit_text.empty() && !saw_percent_ && !dollars;
    Result<Unit> read = unit_of(unit_text, dollars);
    if (!read) return read.take_problems();
    const Unit& unit = *read;
    amount.dim = unit.dim;
    amount.percent = unit.percent;
    amount.binary = saw_binary_;
    const auto scaled = [&](double v) { return unit.percent ? v / 100 : v * unit.scale; };
    amount.best = scaled(best.value);
    if (best.exact && unit.exact && !unit.percent && (*best.exact * *unit.exact).valid())
      amount.exact = *best.exact * *unit.exact;
    if (amount.exact) amount.best = amount.exact->to_double();
    if (amount.form == Amount::Form::either) {
      for (const double v : values) amount.values.push_back(scaled(v));
    } else if (values.size() == 2) {
      amount.low = scaled(values[0]);
      amount.high = scaled(values[1]);
      if (amount.form == Amount::Form::range) {
        amount.exact.reset();
        amount.best = amount.low > 0 ? std::sqrt(amount.low * amount.high) : (amount.low + amount.high) / 2;
      }
      if (!(amount.low < amount.high))
        return error("bad-range", "the range in '" + std::string(whole_) + "' does not rise", at_,
                     "write the smaller end first");
      if (amount.best < amount.low || amount.best > amount.high)
        return error("bad-range", "the best guess in '" + std::string(whole_) + "' lies outside its range", at_,
                     "a range is the 5th and 95th percentile around the best guess");
    }
    return amount;
  }

  std::string_view whole_, rest_, unit_text_;
  Span at_;
  Suffix suffix_;
  bool saw_percent_ = false, saw_binary_ = false;
};

}  // namespace

namespace {

// digits x 10^scale where that is a whole number of 128 bits.
std::optional<Integer> exact_of(const std::string& digits, int scale) {
  std::size_t end = digits.size();
  while (scale < 0 && end > 1 && digits[end - 1] == '0') {
    --end;
    ++scale;
  }
  if (scale < 0) return digits.find_first_not_of('0') == std::string::npos ? std::optional(Integer(0)) : std::nullopt;
  constexpr int kMostDigits = 40;
  if (scale >= kMostDigits) return std::nullopt;
  auto exact = Integer::parse(digits.substr(0, end));
  for (int k = 0; exact && k < scale; ++k) exact = *exact * Integer(10);
  return exact && exact->valid() ? exact : std::nullopt;
}

// The power of ten that "e-3" at `i` says, past which `i` is moved; 0 where none stands there.
int read_exponent(std::string_view text, std::size_t& i) {
  if (i >= text.size() || (text[i] != 'e' && text[i] != 'E')) return 0;
  std::size_t j = i + 1;
  const bool negative = j < text.size() && text[j] == '-';
  if (negative || (j < text.size() && text[j] == '+')) ++j;
  if (j >= text.size() || !digit(text[j])) return 0;
  int exponent = 0;
  for (; j < text.size() && digit(text[j]); ++j) exponent = std::min(100000, exponent * 10 + (text[j] - '0'));
  i = j;
  return negative ? -exponent : exponent;
}

}  // namespace

NumberText read_number(std::string_view text, Suffix suffix) {
  NumberText result;
  std::size_t i = 0;
  std::string digits;
  int scale = 0;
  std::int64_t factor = 1;
  bool any = false;
  bool point = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (digit(c)) {
      digits.push_back(c);
      any = true;
      if (point) --scale;
    } else if (c == '.' && !point && (i + 1 < text.size() && digit(text[i + 1]))) {
      point = true;
    } else if (c == '_' && any && i + 1 < text.size() && digit(text[i + 1])) {
      continue;
    } else {
      break;
    }
  }
  if (!any) return {};
  scale += read_exponent(text, i);
  // A suffix counts only when no longer word follows ("4M tokens", not "4 MB").
  static constexpr std::pair<char, int> kSuffixes[] = {{'K', 3}, {'k', 3}, {'M', 6}, {'B', 9}, {'T', 12}};
  if (i < text.size())
    for (const auto& [letter, power] : kSuffixes)
      if (text[i] == letter && (i + 1 == text.size() || (std::isalnum(static_cast<unsigned char>(text[i + 1])) == 0))) {
        if (suffix != Suffix::decimal && power <= 6)
          factor = power == 3 ? 1024 : 1024 * 1024;
        else
          scale += power;
        ++i;
        break;
      }
  result.length = i;
  if (factor > 1) {
    result.binary = true;
    const auto whole = Integer::parse(digits);
    const Integer product = whole ? *whole * Integer(factor) : Integer::overflowed();
    if (product.valid())
      digits = product.to_string();
    else
      scale += factor == 1024 ? 3 : 6;  // 40 digits: no length of anything
  }
  const std::string written = digits + "e" + std::to_string(scale);
  std::from_chars(written.data(), written.data() + written.size(), result.value);
  if (scale > 400) result.value = INFINITY;
  result.exact = exact_of(digits, scale);
  if (result.exact) result.value = result.exact->to_double();
  return result;
}

Suffix suffix_of(std::string_view key) {
  for (const std::string_view length : {"sequence", "source_sequence", "context", "window", "max_positions"})
    if (key == length) return Suffix::length;
  return key == "batch" || key == "micro_batch" ? Suffix::batch : Suffix::decimal;
}

Result<Amount> parse_amount(std::string_view text, Span at, Suffix suffix) {
  Result<Amount> amount = AmountReader(text, at, suffix).read();
  if (suffix == Suffix::batch && amount.ok() && amount->dim == dim::kToken)
    return AmountReader(text, at, Suffix::decimal).read();
  return amount;
}

Result<Amount> parse_amount(std::string_view text, Dim expected, std::string_view what, Span at, bool bare_ok,
                            Suffix suffix) {
  auto amount = parse_amount(text, at, suffix);
  if (!amount) return amount;
  Dim got = amount->dim;
  got.kind = expected.kind;
  if (amount->bare && bare_ok) {
    amount->dim = expected;
    return amount;
  }
  if (got != expected)
    return error(
        "wrong-unit",
        "expected " + std::string(what) + ", found " + name_of(amount->dim) + " in '" + std::string(text) + "'", at,
        "this field is measured in " + name_of(expected));
  amount->dim = expected;
  return amount;
}

}  // namespace floptally
