#include "base/embedded.h"

#include "base/embedded_table.h"

namespace floptally {

std::optional<std::string_view> embedded_file(std::string_view path) {
  for (const EmbeddedRow* row = kEmbedded; row->path != nullptr; ++row)
    if (path == row->path) return std::string_view(row->begin, static_cast<std::size_t>(row->end - row->begin));
  return std::nullopt;
}

std::vector<std::string_view> embedded_files(std::string_view prefix) {
  std::vector<std::string_view> paths;
  for (const EmbeddedRow* row = kEmbedded; row->path != nullptr; ++row)
    if (std::string_view(row->path).starts_with(prefix)) paths.emplace_back(row->path);
  return paths;
}

}  // namespace floptally
