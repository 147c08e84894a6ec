#include "network/tensor_file/header_json.h"

#include <cstring>

#include "base/sources.h"

namespace floptally {

namespace {

// The first byte from `at` that a string may not simply hold (a quote, a backslash, a control character, beyond ASCII),
// or one of the seven before the text's end: eight bytes at a time.
std::uint64_t end_of_plain(std::string_view text, std::uint64_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull, kHigh = 0x8080808080808080ull;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t quote = word ^ (kOnes * '"'), slash = word ^ (kOnes * '\\');
    const std::uint64_t found =
        (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) | (word - kOnes * 0x20) | word) & kHigh;
    if (found != 0) return at + static_cast<std::uint64_t>(__builtin_ctzll(found)) / 8;  // little-endian
  }
  return at;
}

}  // namespace

bool JsonCursor::unexpected(char wanted) {
  switch (wanted) {
    case '{':
      return fail("'{' expected");
    case '[':
      return fail("'[' expected");
    case ':':
      return fail("':' expected after a key");
    default:
      return fail("unexpected character");
  }
}

bool JsonCursor::next(char close) {
  if (!ok()) return false;
  const char c = peek();
  if (c == ',') {
    ++position_;
    if (peek() == close) return fail("a comma before the closing bracket");
    return true;
  }
  if (c != close || position_ >= text_.size()) return fail("',' or a closing bracket expected");
  ++position_;
  return false;
}

bool JsonCursor::string(std::string_view& out) {
  if (!ok()) return false;
  if (peek() != '"') return fail("a string expected");
  const std::uint64_t begin = ++position_;
  position_ = end_of_plain(text_, position_);
  bool ascii = true;
  while (position_ < text_.size()) {
    const auto c = static_cast<unsigned char>(text_[position_]);
    if (c == '"') {
      out = text_.substr(begin, position_ - begin);
      if (!ascii && find_invalid_utf8(out) != std::string_view::npos) return fail("a string that is not UTF-8");
      ++position_;
      return true;
    }
    if (c == '\\') return unescape(begin, out);
    if (c < 0x20) return fail("a control character inside a string");
    ascii = ascii && c < 0x80;
    ++position_;
  }
  return fail("a string without its closing quote");
}

bool JsonCursor::hex4(std::uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i, ++position_) {
    const char c = position_ < text_.size() ? text_[position_] : '?';
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return fail("\\u needs four hexadecimal digits");
    out = out * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

bool JsonCursor::unescape(std::uint64_t begin, std::string_view& out) {
  scratch_.assign(text_.substr(begin, position_ - begin));
  while (position_ < text_.size()) {
    const char c = text_[position_++];
    if (c == '"') {
      if (find_invalid_utf8(scratch_) != std::string_view::npos)
        return fail("a string that is not UTF-8, or holds NUL");
      out = scratch_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) return fail("a control character inside a string");
    if (c != '\\') {
      scratch_ += c;
      continue;
    }
    const char kind = position_ < text_.size() ? text_[position_++] : '\0';
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kFrom.find(kind); kind != '\0' && i != std::string_view::npos) {
      scratch_ += kTo[i];
      continue;
    }
    if (kind != 'u') return fail("an unknown escape");
    std::uint32_t point = 0;
    if (!hex4(point)) return false;
    if (point >= 0xD800 && point < 0xDC00) {  // a surrogate pair
      std::uint32_t low = 0;
      if (text_.substr(position_, 2) != "\\u") return fail("half a surrogate pair");
      position_ += 2;
      if (!hex4(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail("half a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      return fail("half a surrogate pair");
    }
    if (point < 0x80) {
      scratch_ += static_cast<char>(point);
    } else if (point < 0x800) {
      scratch_ += static_cast<char>(0xC0 | (point >> 6));
      scratch_ += static_cast<char>(0x80 | (point & 63));
    } else if (point < 0x10000) {
      scratch_ += static_cast<char>(0xE0 | (point >> 12));
      scratch_ += static_cast<char>(0x80 | ((point >> 6) & 63));
      scratch_ += static_cast<char>(0x80 | (point & 63));
    } else {
      scratch_ += static_cast<char>(0xF0 | (point >> 18));
      scratch_ += static_cast<char>(0x80 | ((point >> 12) & 63));
      scratch_ += static_cast<char>(0x80 | ((point >> 6) & 63));
      scratch_ += static_cast<char>(0x80 | (point & 63));
    }
  }
  return fail("a string without its closing quote");
}

bool JsonCursor::unsigned_number(std::uint64_t& out) {
  if (!ok()) return false;
  peek();
  const std::uint64_t begin = position_;
  std::uint64_t at = begin, value = 0;
  for (; at < text_.size() && text_[at] >= '0' && text_[at] <= '9'; ++at)
    value = value * 10 + static_cast<std::uint64_t>(text_[at] - '0');
  position_ = at;
  out = value;
  constexpr std::string_view kMost = "18446744073709551615";
  const std::string_view digits = text_.substr(begin, at - begin);
  if (digits.size() > kMost.size() || (digits.size() == kMost.size() && digits > kMost))
    return fail("a number beyond 2^64");
  if (position_ == begin) return fail("a whole number that is not negative expected");
  if (text_[begin] == '0' && position_ > begin + 1) return fail("a number with a leading zero");
  if (position_ < text_.size() && (text_[position_] == '.' || (text_[position_] | 0x20) == 'e'))
    return fail("a whole number expected");
  return true;
}

bool JsonCursor::skip_value() {
  std::string closers;  // brackets still open
  do {
    std::string_view ignored;
    const char c = peek();
    if (c == '"') {
      if (!string(ignored)) return false;
    } else if (c == '{' || c == '[') {
      ++position_;
      if (closers.size() >= 64) return fail("nested more than 64 deep");
      closers += c == '{' ? '}' : ']';
      if (first(closers.back())) {
        if (closers.back() == '}' && !(string(ignored) && expect(':'))) return false;
        continue;
      }
      closers.pop_back();
    } else {
      const std::uint64_t begin = position_;
      while (position_ < text_.size() &&
             std::string_view(",]} \n\r\t\":[{").find(text_[position_]) == std::string_view::npos)
        ++position_;
      const std::string_view word = text_.substr(begin, position_ - begin);
      const bool numeral = !word.empty() && word.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
      if (!numeral && word != "true" && word != "false" && word != "null") return fail("a value expected");
    }
    while (ok() && !closers.empty()) {
      if (next(closers.back())) {
        if (closers.back() == '}' && !(string(ignored) && expect(':'))) return false;
        break;
      }
      if (ok()) closers.pop_back();
    }
  } while (ok() && !closers.empty());
  return ok();
}

bool JsonCursor::end() {
  if (!ok()) return false;
  peek();
  return position_ == text_.size() || fail("more text after the closing bracket");
}

}  // namespace floptally
