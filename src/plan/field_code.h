// Field expressions as flat code over plain numbers: what a million runs are counted with. Exact integers stay exact.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "plan/names.h"

namespace floptally {

// A certain number: the exact integer where it is one.
class Num {
 public:
  Integer whole;
  bool exact = false;
  [[nodiscard]] double value() const { return exact ? whole.to_double() : inexact_; }
  [[nodiscard]] bool negative() const { return exact ? whole < Integer(0) : inexact_ < 0; }

  Num() = default;
  Num(Integer i) : whole(i), exact(i.valid()) {}
  explicit Num(double v) : inexact_(v) {
    if (const auto i = Integer::from_double(v); i && v > -9007199254740992.0 && v < 9007199254740992.0) {
      whole = *i;
      exact = true;
    }
  }
  static Num of(const Traced& t) {
    if (const auto i = t.exact()) return Num(*i);
    return Num(t.value());
  }
  friend Num operator+(const Num& a, const Num& b) {
    if (a.exact && b.exact)
      if (const Integer r = a.whole + b.whole; r.valid()) return Num(r);
    return inexact(a.value() + b.value());
  }
  friend Num operator-(const Num& a, const Num& b) {
    if (a.exact && b.exact)
      if (const Integer r = a.whole - b.whole; r.valid()) return Num(r);
    return inexact(a.value() - b.value());
  }
  friend Num operator*(const Num& a, const Num& b) {
    if (a.exact && b.exact)
      if (const Integer r = a.whole * b.whole; r.valid()) return Num(r);
    return inexact(a.value() * b.value());
  }
  friend Num operator/(const Num& a, const Num& b) {
    if (a.exact && b.exact && !(b.whole == Integer(0)) && a.whole % b.whole == Integer(0))
      return Num(a.whole / b.whole);
    return inexact(a.value() / b.value());
  }
  [[nodiscard]] Traced traced() const { return exact ? Traced(whole) : Traced(inexact_); }

 private:
  static Num inexact(double v) {
    Num r;
    r.inexact_ = v;
    return r;
  }
  double inexact_ = 0;
};

// Names that only runs have, beside the fields.
enum class ModelName : std::uint8_t { parameters, non_embedding_parameters, active_parameters, count_ };
inline constexpr std::string_view kModelNames[] = {"parameters", "non_embedding_parameters", "active_parameters"};
inline constexpr std::size_t kSlotCount = kFieldCount + static_cast<std::size_t>(ModelName::count_);
// Index of a field or model name among the slots; `given_parameters`: the model is given by its size, so "parameters"
// is a field.
std::optional<std::size_t> slot_named(std::string_view name, bool given_parameters);

class FieldCode {
 public:
  // Empty where the expression is uncertain or holds lists: then it is evaluated as traced numbers.
  static FieldCode compile(const Expression& expression, LetNames& names, bool given_parameters);
  explicit operator bool() const { return !steps_.empty(); }
  [[nodiscard]] Num run(const std::array<Num, kSlotCount>& slots) const;

 private:
  struct Step {
    ExprOp op;  // amount: push the constant; name: push the slot
    std::size_t slot = 0;
    Num constant;
  };
  static bool emit(const Expression& expression, int index, LetNames& names, bool given_parameters,
                   std::vector<Step>& steps);
  std::vector<Step> steps_;
  mutable std::array<Num, 16>
      stack_;  // 31 steps need no more; kept, because making it anew would cost more than the work
};

// The slots that an expression names.
std::vector<std::size_t> slots_of(const Expression& expression, bool given_parameters);

}  // namespace floptally
