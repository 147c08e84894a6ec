// gunzip: the text inside a gzip file.
#pragma once

#include <string>
#include <string_view>

#include "floptally/diagnostic.h"

namespace floptally {

// True for the two magic bytes of RFC 1952.
[[nodiscard]] bool is_gzip(std::string_view bytes);
// Errors: bad-gzip (damaged or cut short), file-too-large (more than `most` bytes inside).
Result<std::string> gunzip(std::string_view bytes, std::size_t most = std::size_t{1} << 30);

}  // namespace floptally
