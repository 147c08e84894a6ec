// ZipArchive: the directory of a zip file in memory, and single entries taken out of it. Nothing is written to disk.
//
// Always holds: an entry handed out lies inside the file; names that climb out ("../x", "/x") are refused, whether or
// not they are read; what an entry unpacks to is bounded by the caller and by what its directory entry promises.
// APPNOTE.TXT 6.3.10 (PKWARE): stored and deflated entries, zip64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"

namespace floptally::wire {

struct ZipEntry {
  std::string_view name;
  std::uint64_t packed = 0, size = 0, header = 0;  // header: offset of its local header
  std::uint16_t method = 0;
};

class ZipArchive {
 public:
  // Errors: zip-malformed (with byte offset), unsafe-path.
  static Result<ZipArchive> open(std::string_view file, const Source* source);
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  // Errors: zip-malformed, zip-too-large (beyond `limit` bytes).
  [[nodiscard]] Result<std::string> read(const ZipEntry& entry, std::uint64_t limit) const;

 private:
  std::string_view file_;
  const Source* source_ = nullptr;
  std::vector<ZipEntry> entries_;
};

}  // namespace floptally::wire
