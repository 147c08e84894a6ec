// Lists inside a cell or a word: "a|b|c".
#pragma once

#include <string_view>
#include <vector>

namespace floptally {

// The parts of `text` between separators, as views into it; empty parts are left out.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace floptally
