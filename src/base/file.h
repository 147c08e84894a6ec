// The seam to the file system: memory-mapped reading and atomic writing. Nothing above it opens a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"

namespace floptally {

// A read-only mapping of a whole file; pages are read only when touched.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);  // "-" is standard input
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

// Where an output goes: to the file that a link leads to, with the permissions of the file that it replaces.
struct OutputPlace {
  std::string path;
  std::uint32_t mode;
  bool regular;  // or to be made; else a pipe or a device
};
// Errors: file-unwritable (a folder, or a file that may not be written).
Result<OutputPlace> output_place(const std::string& path);

// Writes to a temporary name beside `path` and renames it, so that a half-written file is never seen; into a pipe or a
// device as it is. Errors: file-unwritable (the temporary file is removed).
Result<bool> write_file_atomically(const std::string& path, std::string_view contents);

// Reads parts of a file into the caller's memory, from any thread; nothing stays mapped or cached here.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path);
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;
  ~InputFile();
  // Exactly `size` bytes from `offset`. Errors: file-unreadable (also where the file ends early).
  Result<bool> read_at(std::uint64_t offset, std::byte* out, std::uint64_t size) const;

 private:
  InputFile() = default;
  int descriptor_ = -1;
  std::string path_;
};

// A file written in any order, from any thread, without a name where the system can, else under a temporary one beside
// `path`. commit() gives it its name; without commit nothing is left behind (nameless: not even when the process is
// killed). The space is reserved at once, so a full disk is found before any work.
class OutputFile {
 public:
  // Errors: file-unwritable.
  static Result<OutputFile> create(const std::string& path, std::uint64_t size);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();
  Result<bool> write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t size) const;
  Result<bool> commit();

 private:
  OutputFile() = default;
  [[nodiscard]] Diagnostic problem(int code) const;
  int descriptor_ = -1;
  std::string path_, temporary_;  // temporary_ is empty while the file has no name
};

// A folder to write into, made where it is not there yet; without keep() one that was made is removed again.
class OutputFolder {
 public:
  // Errors: file-unwritable.
  static Result<OutputFolder> create(const std::string& path);
  OutputFolder(OutputFolder&&) noexcept;
  OutputFolder& operator=(OutputFolder&&) noexcept;
  ~OutputFolder();
  void keep() { made_.clear(); }

 private:
  OutputFolder() = default;
  std::string made_;
};

// Whether both names lead to one file (through links, too).
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);
[[nodiscard]] bool path_exists(const std::string& path);
[[nodiscard]] bool is_directory(const std::string& path);
// Names (not paths) in a directory, sorted; empty if it cannot be read.
std::vector<std::string> list_directory(const std::string& path);
// `path` as seen from the folder that holds `base_file`.
std::string resolve_beside(const std::string& base_file, const std::string& path);

}  // namespace floptally
