#include "base/sources.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/file.h"

namespace floptally {

const Source& Sources::add(std::string name, std::string text) {
  return sources_.emplace_back(Source{std::move(name), std::move(text), false});
}

const Source& Sources::add_binary(std::string name) { return sources_.emplace_back(Source{std::move(name), {}, true}); }

namespace {

Result<bool> read_text(const std::string& path, std::uint64_t limit, std::string& text) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return error("file-not-found", "cannot open '" + path + "': " + std::strerror(errno), {},
                 "check the path; it is taken from the current folder");
  if (S_ISDIR(info.st_mode))
    return error("file-is-directory", "'" + path + "' is a directory, a file was expected", {},
                 "name the file inside it");
  if (S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) > limit)
    return error("file-too-large", "'" + path + "' has " + std::to_string(info.st_size) + " bytes; at most " +
                                       std::to_string(limit) + " are read as text");
  if (S_ISREG(info.st_mode)) text.reserve(static_cast<std::size_t>(info.st_size));
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return error("file-unreadable", "cannot read '" + path + "': " + std::strerror(errno));
  char buffer[1 << 16];
  std::size_t got = 0;
  bool too_large = false;
  while (!too_large && (got = std::fread(buffer, 1, sizeof buffer, file)) > 0) {
    text.append(buffer, got);
    too_large = text.size() > limit;
  }
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) return error("file-unreadable", "cannot read '" + path + "'");
  if (too_large) return error("file-too-large", "'" + path + "' has more than " + std::to_string(limit) + " bytes");
  return true;
}

}  // namespace

Result<const Source*> Sources::read(const std::string& path, std::uint64_t limit) {
  // One text a path and session: a command that looks twice sees the same, and standard input can be read once only.
  for (const Source& known : sources_)
    if (known.name == path && !known.binary && &known != refused_) return &known;
  std::string text;
  if (path == "-") {
    const Result<MappedFile> input = MappedFile::open(path);
    if (!input) return input.problems();
    if (input->size() > limit) return error("file-too-large", "'-' has more than " + std::to_string(limit) + " bytes");
    text = input->view();
  } else if (Result<bool> done = read_text(path, limit, text); !done) {
    return done.take_problems();
  }
  const std::size_t bad = find_invalid_utf8(text);
  const Source& source = add(path, std::move(text));
  if (bad != std::string::npos) {
    refused_ = &source;
    const std::string_view mark = std::string_view(source.text).substr(0, 2);
    if (mark == "\xFF\xFE" || mark == "\xFE\xFF")
      return error("not-utf8", "'" + path + "' is UTF-16 text", {}, "save the file as UTF-8");
    return error("not-utf8", "this byte is not UTF-8 text (byte offset " + std::to_string(bad) + ")",
                 Span{&source, bad, bad + 1}, "save the file as UTF-8; a model file is named as MODEL, not as a plan");
  }
  return &source;
}

std::size_t find_invalid_utf8(std::string_view text) {
  const auto* s = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t n = text.size();
  for (std::size_t i = 0; i < n;) {
    const unsigned char c = s[i];
    if (c < 0x80) {
      // Eight letters at once: of a word of ASCII without a NUL no byte's highest bit is set, nor when 1 is taken off.
      std::uint64_t word = 0;
      if (i + sizeof word <= n) std::memcpy(&word, s + i, sizeof word);
      if (word != 0 && ((word | (word - 0x0101010101010101)) & 0x8080808080808080) == 0) {
        i += sizeof word;
        continue;
      }
      if (c == 0) return i;
      ++i;
      continue;
    }
    std::size_t length = 0;
    if (c >= 0xC2 && c <= 0xDF)
      length = 2;
    else if (c >= 0xE0 && c <= 0xEF)
      length = 3;
    else if (c >= 0xF0 && c <= 0xF4)
      length = 4;
    else
      return i;
    if (i + length > n) return i;
    for (std::size_t k = 1; k < length; ++k)
      if ((s[i + k] & 0xC0) != 0x80) return i;
    if ((c == 0xE0 && s[i + 1] < 0xA0) || (c == 0xED && s[i + 1] > 0x9F) || (c == 0xF0 && s[i + 1] < 0x90) ||
        (c == 0xF4 && s[i + 1] > 0x8F))
      return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace floptally
