#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace floptally {
namespace {

bool wants_colour(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* force = std::getenv("CLICOLOR_FORCE");
  if (force != nullptr && *force != '\0' && *force != '0') return true;
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && std::string(term) != "dumb";
}

// The width that tables fit: COLUMNS where it is set, else the terminal's; none for a file or a pipe.
std::optional<int> page_width() {
  constexpr int kWidest = 10000, kNarrowest = 20;
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const int width = std::atoi(columns);
    if (width >= kNarrowest && width <= kWidest) return width;
  }
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return std::nullopt;
}

// What goes to standard output; a file is the same wherever it is written.
RenderOptions of_terminal(const std::string& format) {
  RenderOptions options;
  options.colour = format == "txt" && wants_colour(STDOUT_FILENO);
  if (const std::optional<int> width = page_width()) {
    options.width = *width;
    options.split = true;
  }
  return options;
}

bool is_model_output(const std::string& file) {
  return file.ends_with(".safetensors") || file.ends_with(".gguf") || file.ends_with("/");
}

// In as few writes as the system allows: a reader such as `head` that stops early then stops nothing half-way.
Diagnostics print(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      return {error("file-unwritable", std::string("cannot write standard output: ") + std::strerror(errno))};
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

// What was written wrongly on the command line itself: in a value such as that of "--set KEY", or, of codes that files
// share, without a place.
bool in_command_line(const Diagnostic& problem) {
  if (!problem.labels.empty() && problem.labels.front().span)
    return problem.labels.front().span.source->name.starts_with("--");
  static constexpr std::string_view kCodes[] = {
      "bad-date",        "bad-option",         "bad-override",   "command-line", "not-editable", "unknown-axis",
      "unknown-command", "unknown-convention", "unknown-format", "unknown-key",  "unknown-lint", "unknown-method"};
  return std::find(std::begin(kCodes), std::end(kCodes), problem.code) != std::end(kCodes);
}

int fail(const Diagnostics& problems, bool json) {
  std::fputs(json ? problems_json(problems).c_str() : to_text(problems, wants_colour(STDERR_FILENO)).c_str(), stderr);
  return std::any_of(problems.begin(), problems.end(), in_command_line) ? 2 : 3;
}

}  // namespace

int answer(const Request& request) {
  const bool json = request.has("json");
  // Formats are checked before any work is done.
  std::vector<std::pair<std::string, std::string>> targets;  // file, format
  for (const std::string& file : request.words("output")) {
    if (request.command == "quantize" && is_model_output(file)) continue;  // the command itself writes models
    const std::size_t dot = file.rfind('.');
    const std::size_t slash = file.rfind('/');
    const bool ended = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    targets.emplace_back(
        file, file == "-" ? request.word("format", json ? "json" : "txt") : (ended ? file.substr(dot + 1) : "txt"));
  }
  if (targets.empty()) targets.emplace_back("-", request.word("format", json ? "json" : "txt"));
  for (const auto& [file, format] : targets)
    if (const auto probe = render(Book{}, format); !probe) return fail(probe.problems(), json);

  Engine engine;
  Result<Book> book = engine.run(request);
  if (!book) return fail(book.problems(), json);
  for (const auto& [file, format] : targets) {
    const RenderOptions options = file == "-" ? of_terminal(format) : RenderOptions{};
    const Result<std::string> text = render(*book, format, options);
    if (!text) return fail(text.problems(), json);
    if (file == "-") {
      if (const Diagnostics problems = print(*text); !problems.empty()) return fail(problems, json);
    } else if (const auto written = write_file(file, *text); !written) {
      return fail(written.problems(), json);
    }
  }
  if (!request.has("quiet") && !json && !book->notes.empty())
    std::fputs(to_text(book->notes, wants_colour(STDERR_FILENO)).c_str(), stderr);
  return book->yes ? 0 : 1;
}

}  // namespace floptally
