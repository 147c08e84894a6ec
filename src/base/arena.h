// Arena: copies of many short rows (letters of names, sizes of tensors), never moved and freed together.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

namespace floptally {

template <class T>
class Arena {
 public:
  std::span<const T> keep(std::span<const T> row) {
    if (row.size() > left_) {
      left_ = std::max(row.size(), kChunk);
      chunks_.push_back(std::make_unique_for_overwrite<T[]>(left_));
      next_ = chunks_.back().get();
    }
    T* const place = next_;
    next_ = std::copy(row.begin(), row.end(), place);
    left_ -= row.size();
    return {place, row.size()};
  }

 private:
  static constexpr std::size_t kChunk = (1 << 14) / sizeof(T);
  std::vector<std::unique_ptr<T[]>> chunks_;
  T* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace floptally
