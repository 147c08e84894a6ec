// WholeNumbers: a long list of whole numbers of at least 0, such as the column of a table of runs. It takes half the
// room while none of them needs more than 32 bits.
#pragma once

#include <cstdint>
#include <vector>

namespace floptally {

class WholeNumbers {
 public:
  void push_back(std::int64_t value) {
    if (wide_.empty() && value <= std::int64_t{UINT32_MAX}) {
      narrow_.push_back(static_cast<std::uint32_t>(value));
      return;
    }
    if (wide_.empty()) {
      wide_.reserve(narrow_.capacity());
      wide_.assign(narrow_.begin(), narrow_.end());
      narrow_ = {};
    }
    wide_.push_back(value);
  }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const { return wide_.empty() ? narrow_[i] : wide_[i]; }
  [[nodiscard]] std::size_t size() const { return wide_.empty() ? narrow_.size() : wide_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  void reserve(std::size_t count) { narrow_.reserve(count); }

 private:
  std::vector<std::uint32_t> narrow_;
  std::vector<std::int64_t> wide_;  // all of them, as soon as one is too large for `narrow_`
};

}  // namespace floptally
