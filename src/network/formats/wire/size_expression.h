// Sizes written as expressions over symbols, as PyTorch exports print them: "2*s0 + 1", "(s0//4)", "Mod(s0, 8)".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace floptally::wire {

// Recursive descent over + - * // / ** ( ) and the functions Mod, FloorDiv, CleanDiv, Max, Min, ceiling, floor.
// `lookup` gives a symbol's value, or -1. Nothing where a symbol is open or the text is no such expression.
template <class Lookup>
class SizeExpression {
 public:
  SizeExpression(std::string_view text, Lookup& lookup) : text_(text), lookup_(lookup) {}
  std::optional<std::int64_t> run() {
    const auto value = sum();
    skip();
    return at_ == text_.size() ? value : std::nullopt;
  }

 private:
  using Value = std::optional<std::int64_t>;
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool eat(std::string_view word) {
    skip();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  static Value apply(char op, Value a, Value b) {
    std::int64_t r = 0;
    if (!a || !b) return std::nullopt;
    switch (op) {
      case '+':
        return __builtin_add_overflow(*a, *b, &r) ? Value{} : Value{r};
      case '-':
        return __builtin_sub_overflow(*a, *b, &r) ? Value{} : Value{r};
      case '*':
        return __builtin_mul_overflow(*a, *b, &r) ? Value{} : Value{r};
      case '%':
        return *b <= 0 ? Value{} : Value{((*a % *b) + *b) % *b};
      default:
        return *b <= 0 ? Value{} : Value{*a >= 0 ? *a / *b : -((-(*a + 1)) / *b) - 1};
    }
  }
  Value sum() {
    Value value = product();
    for (;;) {
      if (eat("+"))
        value = apply('+', value, product());
      else if (eat("-"))
        value = apply('-', value, product());
      else
        return value;
    }
  }
  Value product() {
    Value value = power();
    for (;;) {
      skip();
      if (text_.substr(at_, 2) == "**") return value;
      if (eat("//") || eat("/"))
        value = apply('/', value, power());
      else if (eat("*"))
        value = apply('*', value, power());
      else
        return value;
    }
  }
  Value power() {
    const Value base = primary();
    if (!eat("**")) return base;
    const Value exponent = primary();
    if (!base || !exponent || *exponent < 0 || *exponent > 63) return std::nullopt;
    Value value = 1;
    for (std::int64_t i = 0; i < *exponent; ++i) value = apply('*', value, base);
    return value;
  }
  Value primary() {
    if (++depth_ > 64) return std::nullopt;
    const Value value = atom();
    --depth_;
    return value;
  }
  Value atom() {
    if (eat("-")) return apply('-', 0, primary());
    if (eat("(")) {
      const Value value = sum();
      return eat(")") ? value : std::nullopt;
    }
    skip();
    std::size_t end = at_;
    const auto letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    };
    while (end < text_.size() && letter(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word.empty()) return std::nullopt;
    if (word[0] >= '0' && word[0] <= '9') {
      std::int64_t number = 0;
      for (char c : word)
        if (c < '0' || c > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, c - '0', &number))
          return std::nullopt;
      return number;
    }
    if (!eat("(")) {
      const std::int64_t value = lookup_(word);
      return value < 0 ? std::nullopt : Value{value};
    }
    const Value first = sum();
    if (eat(")")) return word == "floor" || word == "ceiling" || word == "IntTrueDiv" ? first : std::nullopt;
    if (!eat(",")) return std::nullopt;
    const Value second = sum();
    if (!eat(")") || !first || !second) return std::nullopt;
    if (word == "Mod" || word == "PythonMod") return apply('%', first, second);
    if (word == "FloorDiv" || word == "CleanDiv" || word == "IntTrueDiv") return apply('/', first, second);
    if (word == "Max") return *first < *second ? second : first;
    if (word == "Min") return *first < *second ? first : second;
    return std::nullopt;
  }

  std::string_view text_;
  Lookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

template <class Lookup>
std::optional<std::int64_t> evaluate_size(std::string_view text, Lookup lookup) {
  return SizeExpression<Lookup>(text, lookup).run();
}

}  // namespace floptally::wire
