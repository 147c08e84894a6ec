// Diagnostic: a user's mistake as data (code, severity, message, labelled spans, help), and Result<T>, a value or a
// list of diagnostics. The library never prints and never throws across its border; it returns these.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace floptally {

// The text (or bytes) that spans point into. Owned by a Sources, which outlives every span and diagnostic of its
// session.
struct Source {
  std::string name;  // as the user wrote the path; "-" for standard input; "--set KEY" for a word of the command line
  std::string text;  // empty for binary files: then a span's begin is shown as a byte offset
  bool binary = false;
};

// A half-open byte range [begin, end) of a source. A default Span points nowhere.
struct Span {
  const Source* source = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  explicit operator bool() const { return source != nullptr; }
};

// 1-based line and column (columns count UTF-8 code points); 0 where the span points nowhere or into a binary file.
struct Location {
  std::uint64_t line = 0;
  std::uint64_t column = 0;
};
Location locate(const Span& span);

enum class Severity { error, warning, note };

struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  std::string code;  // a row of src/base/codes.def, such as "unknown-key"
  Severity severity = Severity::error;
  std::string message;
  std::vector<Label> labels;  // the first is the primary place
  std::string help;
};

using Diagnostics = std::vector<Diagnostic>;

// Convenience makers; `at` may be a default Span.
Diagnostic error(std::string code, std::string message, Span at = {}, std::string help = {});
Diagnostic warning(std::string code, std::string message, Span at = {}, std::string help = {});
Diagnostic note(std::string code, std::string message, Span at = {}, std::string help = {});

// "error[unknown-key]: ...\n  --> plan.yaml:12:13\n12 |   pipelin: 7\n   |   ^^^^^^^\nhelp: ..." ; ends with a newline.
std::string to_text(const Diagnostic& diagnostic, bool colour = false);
std::string to_text(const Diagnostics& diagnostics, bool colour = false);  // sorted by position, at most 20 shown

// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Diagnostics problems) : state_(std::in_place_index<1>, std::move(problems)) {}
  Result(Diagnostic problem) : state_(std::in_place_index<1>, Diagnostics{std::move(problem)}) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  [[nodiscard]] const Diagnostics& problems() const { return std::get<1>(state_); }
  Diagnostics take_problems() { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Diagnostics> state_;
};

}  // namespace floptally
