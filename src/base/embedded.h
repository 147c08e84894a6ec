// The facts under data/, compiled into the binary: find one by its path relative to data/, or list a folder.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace floptally {

// The file's whole text, for example embedded_file("hardware/devices.csv").
std::optional<std::string_view> embedded_file(std::string_view path);
// Paths that start with `prefix`, sorted.
std::vector<std::string_view> embedded_files(std::string_view prefix);

}  // namespace floptally
