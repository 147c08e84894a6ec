// Sources: owns the text of everything read in a session, at stable addresses, so that a Span is self-sufficient.
// This and base/file.h are the only places that touch the file system.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "floptally/diagnostic.h"

namespace floptally {

class Sources {
 public:
  // Adds text that is already in memory.
  const Source& add(std::string name, std::string text);
  // Adds a binary file by name only; spans into it are byte offsets.
  const Source& add_binary(std::string name);
  // Reads a whole text file ("-" is standard input): at most `limit` bytes, must be UTF-8 without NUL bytes.
  // Errors: file-not-found, file-is-directory, file-unreadable, file-too-large, not-utf8 (names the byte).
  Result<const Source*> read(const std::string& path, std::uint64_t limit = 1ull << 28);

 private:
  std::deque<Source> sources_;
  const Source* refused_ = nullptr;  // the last text that was no UTF-8
};

// Byte offset of the first byte that is not valid UTF-8 (or is NUL), or npos.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace floptally
