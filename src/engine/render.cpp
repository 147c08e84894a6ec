#include "render/renderer.h"

namespace floptally {

std::vector<std::string> formats() {
  std::vector<std::string> out;
  for (const RendererDef* const* each = renderers::kAll; *each != nullptr; ++each) out.emplace_back((*each)->format);
  return out;
}

Result<std::string> render(const Book& book, const std::string& format, const RenderOptions& options) {
  for (const RendererDef* const* each = renderers::kAll; *each != nullptr; ++each)
    if (format == (*each)->format) return (*each)->render(book, options);
  std::string known;
  for (const std::string& each : formats()) known += (known.empty() ? "" : ", ") + each;
  return error("unknown-format", "no output format '" + format + "'", {}, "known endings: " + known);
}

}  // namespace floptally
