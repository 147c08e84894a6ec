// InputFile and OutputFile: large files read and written in parts.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace floptally {

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile file;
  file.path_ = path;
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.descriptor_ < 0)
    return error(errno == ENOENT ? "file-not-found" : "file-unreadable",
                 "cannot open '" + path + "': " + std::strerror(errno));
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<bool> InputFile::read_at(std::uint64_t offset, std::byte* out, std::uint64_t size) const {
  while (size > 0) {
    const ssize_t got = ::pread(descriptor_, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return error("file-unreadable", "cannot read '" + path_ + "' at byte " + std::to_string(offset) + ": " +
                                          (got == 0 ? "the file ends there" : std::strerror(errno)));
    offset += static_cast<std::uint64_t>(got);
    out += got;
    size -= static_cast<std::uint64_t>(got);
  }
  return true;
}

Diagnostic OutputFile::problem(int code) const {
  return error("file-unwritable", "cannot write '" + path_ + "': " + std::strerror(code) + "; nothing was left behind",
               {}, code == ENOSPC ? "free some space, or choose another place with -o" : "");
}

Result<OutputFile> OutputFile::create(const std::string& path, std::uint64_t size) {
  Result<OutputPlace> place = output_place(path);
  if (!place) return place.take_problems();
  if (!place->regular) return error("file-unwritable", "cannot write '" + path + "': it is no regular file");
  OutputFile file;
  file.path_ = std::move(place->path);
  const std::size_t slash = file.path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.path_.substr(0, slash + 1);
#ifdef O_TMPFILE
  file.descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
#endif
  if (file.descriptor_ < 0) {
    std::string temporary = file.path_ + ".XXXXXX";
    file.descriptor_ = ::mkstemp(temporary.data());
    if (file.descriptor_ < 0) return file.problem(errno);
    file.temporary_ = std::move(temporary);
  }
  ::fchmod(file.descriptor_, place->mode);
  if (size == 0) return file;
  const int code = ::posix_fallocate(file.descriptor_, 0, static_cast<off_t>(size));
  // Where the file system cannot reserve, writing itself will tell.
  if (code != 0 && code != EOPNOTSUPP && code != EINVAL && code != ENOSYS) return file.problem(code);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<bool> OutputFile::write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t size) const {
  while (size > 0) {
    const ssize_t wrote = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return problem(wrote == 0 ? ENOSPC : errno);
    offset += static_cast<std::uint64_t>(wrote);
    bytes += wrote;
    size -= static_cast<std::uint64_t>(wrote);
  }
  return true;
}

Result<bool> OutputFile::commit() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (temporary_.empty()) {  // renaming replaces a file of that name, linking does not: first link, then rename
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor);
    std::string name = path_ + "." + std::to_string(::getpid());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      const int code = errno;
      ::close(descriptor);
      return problem(code);
    }
    temporary_ = std::move(name);
  }
  if (::close(descriptor) != 0) return problem(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return problem(errno);
  temporary_.clear();
  return true;
}

Result<OutputFolder> OutputFolder::create(const std::string& path) {
  OutputFolder folder;
  if (is_directory(path)) return folder;
  if (::mkdir(path.c_str(), 0777) != 0)
    return error("file-unwritable", "cannot make the folder '" + path + "': " + std::strerror(errno));
  folder.made_ = path;
  return folder;
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept : made_(std::exchange(other.made_, {})) {}

OutputFolder& OutputFolder::operator=(OutputFolder&& other) noexcept {
  std::swap(made_, other.made_);
  return *this;
}

OutputFolder::~OutputFolder() {
  if (!made_.empty()) ::rmdir(made_.c_str());
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat one {};
  struct stat two {};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

}  // namespace floptally
