// Grids that are wider than the page: words broken into lines, heads too, and at last the columns that find no room
// below the others, with the first column again.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "render/grid/grid.h"

namespace floptally {

// A head may hold several lines then ('\n' between them). Without `split` only columns of prose give way, and what is
// still too wide stays so: a file or a pipe has no margin.
std::vector<Grid> fitted(const Grid& grid, std::size_t limit, bool split);

// `text` in lines of at most `width` characters, broken at spaces; a longer word stays whole.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

}  // namespace floptally
