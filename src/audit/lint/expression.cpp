#include "audit/lint/expression.h"

#include <cmath>

#include "quantity/quantity_text.h"
#include "quantity/unit.h"

namespace floptally {
namespace {

constexpr int kDeepest = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add(Units& units, const Units& more, int sign) {
  for (const auto& [word, exponent] : more) {
    units[word] += sign * exponent;
    if (units[word] == 0) units.erase(word);
  }
}

Units units_of(Dim d) {
  const std::pair<const char*, int> all[] = {
      {"FLOP", d.flop},     {"byte", d.byte},           {"second", d.second}, {"USD", d.usd},
      {"token", d.token},   {"device", d.device},       {"joule", d.joule},   {"gram", d.gram},
      {"sample", d.sample}, {"parameter", d.parameter}, {"node", d.node}};
  Units units;
  for (const auto& [word, exponent] : all) {
    if (exponent != 0) units[word] = exponent;
  }
  return units;
}

class Parser {
 public:
  Parser(std::string_view text, const Symbols& symbols, Span at) : text_(text), symbols_(symbols), at_(at) {}

  Result<Evaluated> parse() {
    Evaluated result = sum(0);
    blank();
    if (problems_.empty() && position_ < text_.size())
      fail("bad-formula", "'" + std::string(text_.substr(position_)) + "' was not expected here");
    if (!problems_.empty()) return problems_;
    return result;
  }

 private:
  void blank() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t')) ++position_;
  }
  bool take(char c) {
    blank();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void fail(std::string code, std::string message) {
    if (problems_.empty()) problems_.push_back(error(std::move(code), std::move(message), at_));
    position_ = text_.size();
  }

  Evaluated sum(int depth) {
    if (depth > kDeepest) {
      fail("bad-formula", "the formula is nested too deeply");
      return {};
    }
    Evaluated left = product(depth);
    while (problems_.empty()) {
      const bool plus = take('+');
      if (!plus && !take('-')) break;
      const Evaluated right = product(depth);
      if (left.units != right.units)
        fail("mixed-dimensions", "the formula adds " + units_text(left.units) + " and " + units_text(right.units));
      left.value += plus ? right.value : -right.value;
      left.has_value = left.has_value && right.has_value;
    }
    return left;
  }

  Evaluated product(int depth) {
    Evaluated left = power(depth);
    while (problems_.empty()) {
      const bool times = take('*');
      if (!times && !take('/')) break;
      const Evaluated right = power(depth);
      left.value = times ? left.value * right.value : left.value / right.value;
      left.has_value = left.has_value && right.has_value;
      add(left.units, right.units, times ? 1 : -1);
    }
    return left;
  }

  Evaluated power(int depth) {
    Evaluated base = atom(depth);
    if (!take('^')) return base;
    const Evaluated exponent = atom(depth);
    const int whole = static_cast<int>(std::lround(std::min(std::max(exponent.value, -20.0), 20.0)));
    base.value = std::pow(base.value, exponent.value);
    for (auto& [word, power] : base.units) power *= whole;
    return base;
  }

  Evaluated atom(int depth) {
    blank();
    if (take('-')) {
      Evaluated negative = atom(depth);
      negative.value = -negative.value;
      return negative;
    }
    if (take('(')) {
      Evaluated inside = sum(depth + 1);
      if (problems_.empty() && !take(')')) fail("bad-formula", "a parenthesis is not closed");
      return inside;
    }
    if (position_ < text_.size() && (is_digit(text_[position_]) || text_[position_] == '.')) return number();
    if (position_ < text_.size() && is_word(text_[position_])) return word(1);
    fail("bad-formula", position_ < text_.size() ? "'" + std::string(1, text_[position_]) + "' was not expected here"
                                                 : "the formula ends too early");
    return {};
  }

  Evaluated number() {
    const NumberText read = read_number(text_.substr(position_));
    if (read.length == 0) {
      fail("bad-formula", "'" + std::string(text_.substr(position_)) + "' is not a number");
      return {};
    }
    position_ += read.length;
    blank();
    if (position_ < text_.size() && is_word(text_[position_])) return word(read.value);
    return {read.value, true, {}};
  }

  Evaluated word(double times) {
    std::size_t end = position_;
    while (end < text_.size() && (is_word(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string name(text_.substr(position_, end - position_));
    position_ = end;
    if (const auto symbol = symbols_.find(name); symbol != symbols_.end()) {
      Evaluated value = symbol->second;
      value.value *= times;
      return value;
    }
    if (const Result<Unit> unit = parse_unit(name); unit.ok()) return {times * unit->scale, true, units_of(unit->dim)};
    return {times, false, {{name, 1}}};
  }

  std::string_view text_;
  const Symbols& symbols_;
  Span at_;
  std::size_t position_ = 0;
  Diagnostics problems_;
};

}  // namespace

Result<Evaluated> evaluate(std::string_view text, const Symbols& symbols, Span at) {
  return Parser(text, symbols, at).parse();
}

std::string units_text(const Units& units) {
  std::string text;
  for (const auto& [word, exponent] : units) {
    if (exponent > 0) text += (text.empty() ? "" : " x ") + word + (exponent > 1 ? "^" + std::to_string(exponent) : "");
  }
  for (const auto& [word, exponent] : units) {
    if (exponent < 0)
      text += (text.empty() ? "1 / " : " / ") + word + (exponent < -1 ? "^" + std::to_string(-exponent) : "");
  }
  return text.empty() ? "a plain number" : text;
}

}  // namespace floptally
