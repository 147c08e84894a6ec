// RendererDef: one output format. Each file src/render/<name>.cpp defines `extern const RendererDef k_<name>` in
// namespace floptally::renderers; a renderer reads nothing but the Book.
#pragma once

#include <string>

#include "floptally/engine.h"

namespace floptally {

struct RendererDef {
  const char* format;  // also the file ending
  const char* summary;
  std::string (*render)(const Book& book, const RenderOptions& options);
};

namespace renderers {
extern const RendererDef* const kAll[];  // generated; null-terminated
}

}  // namespace floptally
