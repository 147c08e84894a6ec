// What the fuzz targets share. A target is one function that takes any bytes; answers and problems are both fine, what
// is not: a crash, a problem that cannot be shown, time or memory without bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "floptally/engine.h"

namespace floptally::fuzz {

std::string_view text_of(const std::uint8_t* data, std::size_t size);

// The bytes as a file of that name, in a folder of this process that is the current one and is removed at its end.
void write(const std::string& name, std::string_view bytes);

// The table of facts, among those whose paths begin with one of `rooms`, that has the same first line as `text`;
// `otherwise` where none has.
std::string table_like(std::string_view text, std::initializer_list<const char*> rooms, const char* otherwise);

// Aborts where there are no problems, or they cannot be shown.
void show(const Diagnostics& problems);

// The file as `floptally model FILE` reads it, counted whole and by operator.
void read_model(const std::string& name, std::string_view bytes);

// The request as the program answers it, shown as text and as JSON, which must be JSON; with `all`, in every format.
void answer(const Request& request, bool all = false);

}  // namespace floptally::fuzz
