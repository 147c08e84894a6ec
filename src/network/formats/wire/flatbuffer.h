// FlatTable: bounds-checked views of a FlatBuffers file. Nothing is copied and nothing outside the file is read.
//
// Always holds: a table or vector handed out lies inside the file; a field that is absent, or whose offset leads out of
// the file, reads as its default (and the shared FlatError remembers the first such place). flatbuffers.dev/internals.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace floptally::wire {

struct FlatError {
  const char* reason = nullptr;
  std::uint64_t offset = 0;
};

class FlatTable;

class FlatVector {
 public:
  FlatVector() = default;
  FlatVector(std::string_view file, std::uint64_t begin, std::uint32_t size, FlatError* error)
      : file_(file), begin_(begin), size_(size), error_(error) {}
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::int32_t int32(std::uint32_t i) const {
    std::int32_t value = 0;
    if (i < size_ && begin_ + 4 * std::uint64_t{i} + 4 <= file_.size())
      std::memcpy(&value, file_.data() + begin_ + 4 * std::uint64_t{i}, 4);
    return value;
  }
  [[nodiscard]] FlatTable table(std::uint32_t i) const;
  [[nodiscard]] std::uint64_t begin() const { return begin_; }

 private:
  std::string_view file_;
  std::uint64_t begin_ = 0;
  std::uint32_t size_ = 0;
  FlatError* error_ = nullptr;
};

class FlatTable {
 public:
  FlatTable() = default;
  // The table at `position`; empty (every field absent) where there is none.
  FlatTable(std::string_view file, std::uint64_t position, FlatError* error)
      : file_(file), at_(position), error_(error) {
    const char* problem = open();
    if (problem == nullptr) return;
    vtable_ = 0;
    note(problem, at_);
  }
  // The root of a whole file.
  static FlatTable root(std::string_view file, FlatError& error) {
    std::uint32_t offset = 0;
    if (file.size() >= 8) std::memcpy(&offset, file.data(), 4);
    return {file, offset == 0 ? file.size() : offset, &error};
  }
  [[nodiscard]] bool ok() const { return vtable_ != 0; }
  [[nodiscard]] std::uint64_t position() const { return at_; }

  template <class T>
  [[nodiscard]] T number(std::uint32_t field, T otherwise = T{}) const {
    T value = otherwise;
    const std::uint64_t where = place(field, sizeof(T));
    if (where != 0) std::memcpy(&value, file_.data() + where, sizeof(T));
    return value;
  }
  [[nodiscard]] FlatTable table(std::uint32_t field) const {
    const std::uint64_t where = follow(field);
    return where == 0 ? FlatTable{} : FlatTable(file_, where, error_);
  }
  // A vector whose elements have `width` bytes.
  [[nodiscard]] FlatVector vector(std::uint32_t field, std::uint32_t width = 4) const {
    const std::uint64_t where = follow(field);
    if (where == 0 || file_.size() - where < 4) return {};
    std::uint32_t size = 0;
    std::memcpy(&size, file_.data() + where, 4);
    if (size > (file_.size() - where - 4) / width) {
      note("a list reaches past the file", where);
      return {};
    }
    return {file_, where + 4, size, error_};
  }
  [[nodiscard]] std::string_view text(std::uint32_t field) const {
    const FlatVector bytes = vector(field, 1);
    return bytes.size() == 0 ? std::string_view{} : file_.substr(bytes.begin(), bytes.size());
  }

 private:
  friend class FlatVector;
  // Why there is no table at at_, or null.
  const char* open() {
    if (at_ > file_.size() || file_.size() - at_ < 4) return "a table lies outside the file";
    std::int32_t back = 0;
    std::memcpy(&back, file_.data() + at_, 4);
    const std::int64_t vtable = static_cast<std::int64_t>(at_) - back;
    if (vtable < 0 || static_cast<std::uint64_t>(vtable) + 4 > file_.size())
      return "a table's directory lies outside the file";
    vtable_ = static_cast<std::uint64_t>(vtable);
    std::uint16_t size = 0;
    std::memcpy(&size, file_.data() + vtable_, 2);
    if (size < 4 || vtable_ + size > file_.size()) return "a table's directory reaches past the file";
    fields_ = (size - 4u) / 2u;
    return nullptr;
  }
  void note(const char* reason, std::uint64_t offset) const {
    if (error_ != nullptr && error_->reason == nullptr) *error_ = {reason, offset};
  }
  [[nodiscard]] std::uint64_t place(std::uint32_t field, std::size_t width) const {
    if (vtable_ == 0 || field >= fields_) return 0;
    std::uint16_t offset = 0;
    std::memcpy(&offset, file_.data() + vtable_ + 4 + std::size_t{2} * field, 2);
    if (offset == 0) return 0;
    const std::uint64_t where = at_ + offset;
    if (where > file_.size() || file_.size() - where < width) {
      note("a field lies outside the file", where);
      return 0;
    }
    return where;
  }
  [[nodiscard]] std::uint64_t follow(std::uint32_t field) const {
    const std::uint64_t where = place(field, 4);
    if (where == 0) return 0;
    std::uint32_t offset = 0;
    std::memcpy(&offset, file_.data() + where, 4);
    if (offset > file_.size() - where) {
      note("an offset leads out of the file", where);
      return 0;
    }
    return where + offset;
  }

  std::string_view file_;
  std::uint64_t at_ = 0, vtable_ = 0;
  std::uint32_t fields_ = 0;
  FlatError* error_ = nullptr;
};

inline FlatTable FlatVector::table(std::uint32_t i) const {
  if (i >= size_ || begin_ + 4 * std::uint64_t{i} + 4 > file_.size()) return {};
  const std::uint64_t where = begin_ + 4 * std::uint64_t{i};
  std::uint32_t offset = 0;
  std::memcpy(&offset, file_.data() + where, 4);
  if (offset > file_.size() - where) {
    if (error_ != nullptr && error_->reason == nullptr) *error_ = {"an offset leads out of the file", where};
    return {};
  }
  return {file_, where + offset, error_};
}

}  // namespace floptally::wire
