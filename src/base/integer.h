// Integer: an exact signed 128-bit count (parameters, FLOP, bytes, tokens) that knows when it stopped being exact.
//
// Always holds: either `valid()` and the value is the mathematically exact result of every operation that led to it, or
// it is invalid (an operation left the 128-bit range) and stays so. 2^127 is 1.7e38: the largest programme of training
// runs on record is near 1e26 FLOP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace floptally {

class Integer {
 public:
  __extension__ using Wide = __int128;

  constexpr Integer() = default;
  constexpr Integer(int value) : value_(value) {}
  constexpr Integer(long value) : value_(value) {}
  constexpr Integer(long long value) : value_(value) {}
  constexpr Integer(unsigned value) : value_(value) {}
  constexpr Integer(unsigned long value) : value_(static_cast<Wide>(value)) {}
  constexpr Integer(unsigned long long value) : value_(static_cast<Wide>(value)) {}
  constexpr Integer(Wide value) : value_(value) {}

  static constexpr Integer overflowed() {
    Integer result;
    result.valid_ = false;
    return result;
  }
  // The integer a double holds, if it is one (|value| < 2^126), else nothing.
  static std::optional<Integer> from_double(double value);
  // Decimal digits with an optional sign; underscores between digits are allowed.
  static std::optional<Integer> parse(std::string_view digits);

  [[nodiscard]] constexpr bool valid() const { return valid_; }
  [[nodiscard]] constexpr Wide value() const { return value_; }
  [[nodiscard]] constexpr bool fits_int64() const { return valid_ && value_ >= INT64_MIN && value_ <= INT64_MAX; }
  [[nodiscard]] constexpr std::int64_t to_int64() const { return static_cast<std::int64_t>(value_); }
  // Correctly rounded (to nearest even).
  [[nodiscard]] constexpr double to_double() const { return static_cast<double>(value_); }
  [[nodiscard]] std::string to_string() const;  // "?" when invalid

  friend constexpr Integer operator+(Integer a, Integer b) {
    Integer r;
    r.valid_ = !__builtin_add_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  friend constexpr Integer operator-(Integer a, Integer b) {
    Integer r;
    r.valid_ = !__builtin_sub_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  friend constexpr Integer operator*(Integer a, Integer b) {
    Integer r;
    if (a.fits_int64() && b.fits_int64()) {  // the common case: one 64x64 multiply, which cannot overflow
      r.value_ = static_cast<Wide>(static_cast<std::int64_t>(a.value_)) * static_cast<std::int64_t>(b.value_);
      return r;
    }
    r.valid_ = !__builtin_mul_overflow(a.value_, b.value_, &r.value_) && a.valid_ && b.valid_;
    return r;
  }
  // Truncates toward zero, as in C++; division by zero is invalid.
  friend constexpr Integer operator/(Integer a, Integer b) {
    if (!a.valid_ || !b.valid_ || b.value_ == 0) return overflowed();
    return Integer(a.value_ / b.value_);
  }
  friend constexpr Integer operator%(Integer a, Integer b) {
    if (!a.valid_ || !b.valid_ || b.value_ == 0) return overflowed();
    return Integer(a.value_ % b.value_);
  }
  constexpr Integer operator-() const { return Integer(0) - *this; }
  constexpr Integer& operator+=(Integer b) { return *this = *this + b; }
  constexpr Integer& operator-=(Integer b) { return *this = *this - b; }
  constexpr Integer& operator*=(Integer b) { return *this = *this * b; }
  constexpr Integer& operator/=(Integer b) { return *this = *this / b; }

  friend constexpr bool operator==(Integer a, Integer b) { return a.valid_ == b.valid_ && a.value_ == b.value_; }
  friend constexpr bool operator<(Integer a, Integer b) { return a.value_ < b.value_; }
  friend constexpr bool operator>(Integer a, Integer b) { return a.value_ > b.value_; }
  friend constexpr bool operator<=(Integer a, Integer b) { return a.value_ <= b.value_; }
  friend constexpr bool operator>=(Integer a, Integer b) { return a.value_ >= b.value_; }

 private:
  Wide value_ = 0;
  bool valid_ = true;
};

constexpr Integer ceil_div(Integer a, Integer b) { return (a + b - Integer(1)) / b; }
constexpr Integer min(Integer a, Integer b) { return b < a ? b : a; }
constexpr Integer max(Integer a, Integer b) { return a < b ? b : a; }

}  // namespace floptally
