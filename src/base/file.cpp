#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace floptally {
namespace {

// All of standard input in a nameless file, copied once: what can be read once only can then be mapped, and read again.
int standard_input() {
  static const int copy = [] {
    std::FILE* file = std::tmpfile();  // open until the process ends
    if (file == nullptr) return -1;
    char buffer[1 << 16];
    for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;)
      if (std::fwrite(buffer, 1, got, file) != got) return -1;
    return std::ferror(stdin) != 0 || std::fflush(file) != 0 ? -1 : ::fileno(file);
  }();
  return copy;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int descriptor = path == "-" ? ::dup(standard_input()) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const char* code = errno == ENOENT ? "file-not-found" : "file-unreadable";
    return error(code, "cannot open '" + path + "': " + std::strerror(errno));
  }
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return error(S_ISDIR(info.st_mode) ? "file-is-directory" : "file-unreadable",
                 "'" + path + "' is not a regular file");
  }
  MappedFile file;
  file.size_ = static_cast<std::uint64_t>(info.st_size);
  if (file.size_ > 0) {
    void* address = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) {
      ::close(descriptor);
      return error("file-unreadable", "cannot map '" + path + "': " + std::strerror(errno));
    }
    file.data_ = static_cast<const std::byte*>(address);
  }
  ::close(descriptor);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

Result<OutputPlace> output_place(const std::string& path) {
  const auto refused = [&](const char* why) { return error("file-unwritable", "cannot write '" + path + "': " + why); };
  const mode_t mask = ::umask(0);
  ::umask(mask);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return OutputPlace{path, 0666 & ~mask, true};
  if (S_ISDIR(info.st_mode)) return refused("it is a folder");
  if (::access(path.c_str(), W_OK) != 0) return refused(std::strerror(errno));
  std::error_code problem;
  const std::string target = std::filesystem::canonical(path, problem).string();
  return OutputPlace{problem ? path : target, info.st_mode & 0777, S_ISREG(info.st_mode)};
}

namespace {

// 0, or why not.
int write_all(int descriptor, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t wrote = ::write(descriptor, contents.data(), contents.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : ENOSPC;
    contents.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

// What is no regular file (a pipe, a device) is never replaced by one.
int write_through(const std::string& path, std::string_view contents) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int problem = write_all(descriptor, contents);
  return ::close(descriptor) != 0 && problem == 0 ? errno : problem;
}

int write_and_rename(const OutputPlace& place, std::string_view contents) {
  std::string temporary = place.path + ".XXXXXX";
  const int descriptor = ::mkstemp(temporary.data());
  if (descriptor < 0) return errno;
  int problem = write_all(descriptor, contents);
  ::fchmod(descriptor, place.mode);
  if (::close(descriptor) != 0 && problem == 0) problem = errno;
  if (problem == 0 && ::rename(temporary.c_str(), place.path.c_str()) != 0) problem = errno;
  if (problem != 0) ::unlink(temporary.c_str());
  return problem;
}

}  // namespace

Result<bool> write_file_atomically(const std::string& path, std::string_view contents) {
  const Result<OutputPlace> place = output_place(path);
  if (!place) return place.problems();
  const int problem = place->regular ? write_and_rename(*place, contents) : write_through(path, contents);
  if (problem == 0) return true;
  return error("file-unwritable", "cannot write '" + path + "': " + std::strerror(problem) +
                                      (place->regular ? "; nothing was left behind" : ""));
}

bool path_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code problem;
  for (std::filesystem::directory_iterator it(path, problem), end; !problem && it != end; it.increment(problem))
    names.push_back(it->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string resolve_beside(const std::string& base_file, const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  const std::size_t slash = base_file.rfind('/');
  if (slash == std::string::npos) return path;
  return base_file.substr(0, slash + 1) + path;
}

}  // namespace floptally
