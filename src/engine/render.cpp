#include "render/renderer.h"

namespace floptally {

Result<std::string> render(const Book& book, const std::string& format, const RenderOptions& options) {
  std::string known;
  for (const RendererDef* const* each = renderers::kAll; *each != nullptr; ++each) {
    if (format == (*each)->format) return (*each)->render(book, options);
    known += (known.empty() ? "" : ", ") + std::string((*each)->format);
  }
  return error("unknown-format", "no output format '" + format + "'", {}, "known endings: " + known);
}

}  // namespace floptally
