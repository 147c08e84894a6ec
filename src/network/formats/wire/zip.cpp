#include "network/formats/wire/zip.h"

#include <zlib.h>

#include <algorithm>

namespace floptally::wire {
namespace {

std::uint64_t little(std::string_view file, std::uint64_t at, int size) {
  std::uint64_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(file[at + static_cast<unsigned>(i)]);
  return value;
}

bool climbs(std::string_view name) {
  if (name.empty() || name[0] == '/' || name[0] == '\\' || name.find(':') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos)
    return true;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("/\\", at), name.size());
    if (name.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

Diagnostic malformed(const Source* source, std::uint64_t at, const std::string& what) {
  return error("zip-malformed", what + " (byte " + std::to_string(at) + ")", Span{source, at, at},
               "the archive is damaged or cut short");
}

struct Directory {
  std::uint64_t offset = 0, count = 0, size = 0;
};

// The end record is within the last 64 KiB; a zip64 one stands before it.
bool find_directory(std::string_view file, Directory& d) {
  if (file.size() < 22) return false;
  const std::uint64_t lowest = file.size() > 65557 ? file.size() - 65557 : 0;
  for (std::uint64_t at = file.size() - 22 + 1; at-- > lowest;) {
    if (little(file, at, 4) != 0x06054b50) continue;
    d = {little(file, at + 16, 4), little(file, at + 10, 2), little(file, at + 12, 4)};
    if (at >= 20 && little(file, at - 20, 4) == 0x07064b50) {
      const std::uint64_t where = little(file, at - 12, 8);
      if (where > file.size() - 56 || file.size() < 56 || little(file, where, 4) != 0x06064b50) return false;
      d = {little(file, where + 48, 8), little(file, where + 32, 8), little(file, where + 40, 8)};
    }
    return true;
  }
  return false;
}

// Sizes of 2^32 - 1 stand in the zip64 extra field.
void read_extra(std::string_view file, std::uint64_t at, std::uint64_t end, ZipEntry& e) {
  while (at + 4 <= end) {
    const std::uint64_t id = little(file, at, 2), size = little(file, at + 2, 2);
    at += 4;
    if (size > end - at) return;
    if (id == 1) {
      std::uint64_t field = at;
      for (std::uint64_t* value : {&e.size, &e.packed, &e.header})
        if (*value == 0xffffffff && field + 8 <= at + size) {
          *value = little(file, field, 8);
          field += 8;
        }
    }
    at += size;
  }
}

}  // namespace

Result<ZipArchive> ZipArchive::open(std::string_view file, const Source* source) {
  ZipArchive archive;
  archive.file_ = file;
  archive.source_ = source;
  Directory d;
  if (!find_directory(file, d)) return malformed(source, file.size(), "the archive has no directory at its end");
  if (d.offset > file.size() || d.size > file.size() - d.offset || d.count > d.size / 46)
    return malformed(source, d.offset, "the archive's directory reaches past its end");
  std::uint64_t at = d.offset;
  const std::uint64_t end = d.offset + d.size;
  for (std::uint64_t i = 0; i < d.count; ++i) {
    if (end - at < 46 || little(file, at, 4) != 0x02014b50)
      return malformed(source, at, "a directory entry is damaged");
    const std::uint64_t name = little(file, at + 28, 2), extra = little(file, at + 30, 2),
                        comment = little(file, at + 32, 2);
    if (name + extra + comment > end - at - 46)
      return malformed(source, at, "a directory entry reaches past the directory");
    ZipEntry e;
    e.name = file.substr(at + 46, name);
    e.method = static_cast<std::uint16_t>(little(file, at + 10, 2));
    e.packed = little(file, at + 20, 4);
    e.size = little(file, at + 24, 4);
    e.header = little(file, at + 42, 4);
    read_extra(file, at + 46 + name, at + 46 + name + extra, e);
    if (climbs(e.name))
      return error("unsafe-path",
                   "the archive holds an entry whose name leads out of it (byte " + std::to_string(at) + ")",
                   Span{source, at, at}, "archives of models have plain relative names");
    archive.entries_.push_back(e);
    at += 46 + name + extra + comment;
  }
  return archive;
}

Result<std::string> ZipArchive::read(const ZipEntry& e, std::uint64_t limit) const {
  if (e.header > file_.size() || file_.size() - e.header < 30 || little(file_, e.header, 4) != 0x04034b50)
    return malformed(source_, e.header, "an entry is not where the directory says");
  const std::uint64_t data = e.header + 30 + little(file_, e.header + 26, 2) + little(file_, e.header + 28, 2);
  if (data > file_.size() || e.packed > file_.size() - data)
    return malformed(source_, data, "an entry reaches past the archive");
  if (e.size > limit || e.size / 1100 > e.packed)
    return error("zip-too-large", "an entry claims to unpack to " + std::to_string(e.size) + " bytes",
                 Span{source_, data, data},
                 "at most " + std::to_string(limit) + " are read, and deflate packs no tighter than 1 to 1032");
  const std::string_view packed = file_.substr(data, e.packed);
  if (e.method == 0) {
    if (e.packed != e.size) return malformed(source_, data, "a stored entry has two sizes");
    return std::string(packed);
  }
  if (e.method != 8) return malformed(source_, data, "an entry is packed by an unknown method");
  std::string out(e.size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return malformed(source_, data, "an entry cannot be unpacked");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::uint64_t>(packed.size(), 0xffffffffu));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.total_out == e.size;
  inflateEnd(&stream);
  if (!whole) return malformed(source_, data, "an entry does not unpack to the size it claims");
  return out;
}

}  // namespace floptally::wire
