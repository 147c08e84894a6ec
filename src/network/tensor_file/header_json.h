// JsonCursor: a strict pull reader for the flat JSON of tensor-file headers and shard indexes. It never allocates
// except to unescape, knows the byte it stands at, and stops at the first thing that is not JSON. (The positioned
// Document of document/ is for files people write; a header can hold 100,000 entries and must be read in milliseconds.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace floptally {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  // Each returns false and sets problem() when the text differs. Blanks before a token are skipped.
  bool expect(char c) {
    if (!ok() || peek() != c || position_ >= text_.size()) return unexpected(c);
    ++position_;
    return true;
  }
  // After '{' or '[': is there a first member? After a member: a ',' and another, or the closing `close`?
  // True: one follows; false: the end, or a problem (check ok()).
  bool first(char close) {
    if (!ok()) return false;
    if (peek() != close) return true;
    ++position_;
    return false;
  }
  bool next(char close);
  // A string, unescaped; `out` points into the text or into the cursor's scratch, until the next string is read.
  bool string(std::string_view& out);
  bool unsigned_number(std::uint64_t& out);  // digits only
  bool skip_value();                         // any value, at most 64 deep
  bool end();                                // nothing but blanks is left

  char peek() {  // the next character after blanks; 0 at the end
    for (; position_ < text_.size(); ++position_)
      if (const char c = text_[position_]; c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
    return 0;
  }
  [[nodiscard]] bool ok() const { return problem_ == nullptr; }
  [[nodiscard]] const char* problem() const { return problem_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  bool fail(const char* what) {
    if (problem_ == nullptr) problem_ = what;
    return false;
  }
  bool unexpected(char wanted);
  bool unescape(std::uint64_t begin, std::string_view& out);
  bool hex4(std::uint32_t& out);

  std::string_view text_;
  std::uint64_t position_ = 0;
  const char* problem_ = nullptr;
  std::string scratch_;
};

}  // namespace floptally
