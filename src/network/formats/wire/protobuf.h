// A walk over one protobuf message in place: no copy, no schema, no recursion, nothing thrown.
//
// Always holds: a field handed out lies wholly inside the message, and the walk ends after at most as many steps as the
// message has bytes, whatever the bytes are. A mistake is recorded in the WireError that all readers of a file share,
// with its byte offset in the file, and ends the walk. The wire format: protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace floptally::wire {

struct WireError {
  const char* reason = nullptr;  // null: no mistake so far
  std::uint64_t offset = 0;
};

// One varint of at most ten bytes; advances `at`. False if it does not end before `end`.
inline bool read_varint(const char*& at, const char* end, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

class Message {
 public:
  // `file` is where the whole file begins: offsets count from there.
  Message(std::string_view message, const char* file, WireError& error)
      : at_(message.data()), end_(message.data() + message.size()), file_(file), error_(&error) {}

  // Moves to the next field; false at the end and after a mistake.
  bool next() {
    if (at_ >= end_ || error_->reason != nullptr) return false;
    start_ = at_;
    std::uint64_t key = 0;
    if (!read_varint(at_, end_, key)) return fail("a field's key does not end");
    if ((key >> 3) == 0 || (key >> 3) > 0x1fffffff) return fail("a field has an impossible number");
    number = static_cast<std::uint32_t>(key >> 3);
    type = static_cast<std::uint8_t>(key & 7);
    bytes = {};
    value = 0;
    switch (type) {
      case 0:
        if (!read_varint(at_, end_, value)) return fail("a varint is longer than ten bytes or does not end");
        return true;
      case 1:
        return fixed(8);
      case 5:
        return fixed(4);
      case 2: {
        if (!read_varint(at_, end_, value)) return fail("a length does not end");
        if (value > static_cast<std::uint64_t>(end_ - at_)) return fail("a length reaches past the end of its message");
        bytes = {at_, static_cast<std::size_t>(value)};
        at_ += value;
        return true;
      }
      default:
        return fail("a field has an unknown wire type");
    }
  }

  // The current field. `bytes` holds a length-delimited field, `value` any other one.
  std::uint32_t number = 0;
  std::uint8_t type = 0;
  std::uint64_t value = 0;
  std::string_view bytes;

  [[nodiscard]] bool is(std::uint32_t wanted, std::uint8_t wire_type) const {
    return number == wanted && type == wire_type;
  }
  [[nodiscard]] bool text(std::uint32_t wanted) const { return is(wanted, 2); }
  [[nodiscard]] bool varint(std::uint32_t wanted) const { return is(wanted, 0); }
  [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(value); }
  [[nodiscard]] float number32() const {
    const auto bits = static_cast<std::uint32_t>(value);
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
  }
  // Where the current field starts in the file.
  [[nodiscard]] std::uint64_t offset() const { return static_cast<std::uint64_t>(start_ - file_); }
  // Records a mistake at the current field; always false.
  bool fail(const char* reason) {
    if (error_->reason == nullptr) *error_ = {reason, offset()};
    at_ = end_;
    return false;
  }

 private:
  bool fixed(int size) {
    if (end_ - at_ < size) return fail("a fixed-size number reaches past the end of its message");
    for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(at_[i]);
    at_ += size;
    return true;
  }

  const char* at_;
  const char* end_;
  const char* start_ = nullptr;
  const char* file_;
  WireError* error_;
};

// Reads a repeated integer field, packed or not: calls each(int64) for every element; false on a mistake.
template <class F>
bool each_integer(Message& field, F&& each) {
  if (field.type == 0) {
    each(field.integer());
    return true;
  }
  const char* at = field.bytes.data();
  const char* end = at + field.bytes.size();
  while (at < end) {
    std::uint64_t value = 0;
    if (!read_varint(at, end, value)) return field.fail("a packed number does not end");
    each(static_cast<std::int64_t>(value));
  }
  return true;
}

}  // namespace floptally::wire
