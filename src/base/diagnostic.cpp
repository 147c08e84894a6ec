#include "floptally/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/sources.h"

namespace floptally {
namespace {

constexpr std::size_t kShown = 20;

Diagnostic make(Severity severity, std::string code, std::string message, Span at, std::string help) {
  Diagnostic result{std::move(code), severity, std::move(message), {}, std::move(help)};
  if (at) result.labels.push_back({at, {}});
  return result;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The line that holds the byte `at`, without its newline.
std::string_view line_around(const std::string& text, std::size_t at, std::size_t& start) {
  at = std::min(at, text.size());
  start = at == 0 ? 0 : text.rfind('\n', at - 1);
  start = (start == std::string::npos || at == 0) ? 0 : start + 1;
  std::size_t stop = text.find('\n', at);
  if (stop == std::string::npos) stop = text.size();
  std::string_view line(text.data() + start, stop - start);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// A window of a long line around the place that matters, so that a 100 MB line does not fill the terminal.
constexpr std::size_t kWindow = 160;

void append_label(std::string& out, const Label& label, bool primary) {
  const Span& span = label.span;
  if (!span) return;
  const char* arrow = primary ? "  -->" : "  :::";
  if (span.source->binary) {
    out += fmt::format("{} {}: byte {}{}{}\n", arrow, span.source->name, span.begin, label.text.empty() ? "" : ": ",
                       label.text);
    return;
  }
  const Location at = locate(span);
  out += fmt::format("{} {}:{}:{}\n", arrow, span.source->name, at.line, at.column);
  std::size_t start = 0;
  std::string_view line = line_around(span.source->text, span.begin, start);
  std::size_t offset = std::min<std::size_t>(span.begin - start, line.size());
  std::string readable;  // bytes that are no text are shown as '?'
  if (line.size() > kWindow) {
    std::size_t from = offset > kWindow / 2 ? offset - kWindow / 2 : 0;
    for (int back = 0; back < 3 && from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80; ++back) --from;
    std::size_t length = std::min(kWindow, line.size() - from);
    while (from + length < line.size() && (static_cast<unsigned char>(line[from + length]) & 0xC0) == 0x80) ++length;
    line = line.substr(from, length);
    offset -= from;
  }
  for (std::size_t bad = find_invalid_utf8(line); bad != std::string_view::npos; bad = find_invalid_utf8(line)) {
    readable = std::string(line);
    readable[bad] = '?';
    line = readable;
  }
  const std::size_t stop = std::min<std::size_t>(std::max<std::size_t>(span.end, span.begin + 1) - span.begin + offset,
                                                 std::max(line.size(), offset + 1));
  const std::string number = std::to_string(at.line);
  std::string pad;
  for (const char c : line.substr(0, offset))
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) pad.push_back(c == '\t' ? '\t' : ' ');
  const std::size_t width = std::max<std::size_t>(1, code_points(line.substr(offset, stop - offset)));
  out += fmt::format("{} | {}\n{} | {}{}{}{}\n", number, line, std::string(number.size(), ' '), pad,
                     std::string(width, primary ? '^' : '-'), label.text.empty() ? "" : " ", label.text);
}

}  // namespace

Diagnostic error(std::string code, std::string message, Span at, std::string help) {
  return make(Severity::error, std::move(code), std::move(message), at, std::move(help));
}
Diagnostic warning(std::string code, std::string message, Span at, std::string help) {
  return make(Severity::warning, std::move(code), std::move(message), at, std::move(help));
}
Diagnostic note(std::string code, std::string message, Span at, std::string help) {
  return make(Severity::note, std::move(code), std::move(message), at, std::move(help));
}

Location locate(const Span& span) {
  if (!span || span.source->binary) return {};
  const std::string& text = span.source->text;
  const std::size_t at = std::min<std::size_t>(span.begin, text.size());
  Location result;
  result.line =
      1 + static_cast<std::uint64_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  std::size_t start = 0;
  line_around(text, at, start);
  if (start == 0 && at >= 3 && text.compare(0, 3, "\xEF\xBB\xBF") == 0) start = 3;  // a byte-order mark is no column
  result.column = 1 + code_points(std::string_view(text).substr(start, at - start));
  return result;
}

std::string to_text(const Diagnostic& diagnostic, bool colour) {
  static constexpr const char* kNames[] = {"error", "warning", "note"};
  static constexpr const char* kColours[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
  const auto index = static_cast<std::size_t>(diagnostic.severity);
  std::string out = fmt::format("{}{}[{}]{}: {}\n", colour ? kColours[index] : "", kNames[index], diagnostic.code,
                                colour ? "\033[0m" : "", diagnostic.message);
  bool primary = true;
  for (const Label& label : diagnostic.labels) {
    append_label(out, label, primary);
    primary = false;
  }
  if (!diagnostic.help.empty()) out += fmt::format("help: {}\n", diagnostic.help);
  return out;
}

std::string to_text(const Diagnostics& diagnostics, bool colour) {
  std::vector<const Diagnostic*> order;
  for (const Diagnostic& each : diagnostics) order.push_back(&each);
  // By file in order of first appearance, then by place; what has no place comes first.
  std::vector<const Source*> files{nullptr};
  const auto key = [&](const Diagnostic* d) {
    const Span span = d->labels.empty() ? Span{} : d->labels.front().span;
    const auto rank = std::find(files.begin(), files.end(), span.source) - files.begin();
    return std::pair(rank, span.begin);
  };
  for (const Diagnostic* each : order)
    if (!each->labels.empty() && std::find(files.begin(), files.end(), each->labels.front().span.source) == files.end())
      files.push_back(each->labels.front().span.source);
  std::stable_sort(order.begin(), order.end(),
                   [&](const Diagnostic* a, const Diagnostic* b) { return key(a) < key(b); });
  std::string out;
  for (std::size_t i = 0; i < order.size() && i < kShown; ++i) {
    if (i > 0) out += '\n';
    out += to_text(*order[i], colour);
  }
  if (order.size() > kShown) out += fmt::format("\nand {} more\n", order.size() - kShown);
  return out;
}

}  // namespace floptally
