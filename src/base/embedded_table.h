// The table that CMake generates from data/ (cmake/FloptallyEmbed.cmake); read it through base/embedded.h.
#pragma once

namespace floptally {
struct EmbeddedRow {
  const char* path;
  const char* begin;
  const char* end;
};
extern const EmbeddedRow kEmbedded[];
}  // namespace floptally
