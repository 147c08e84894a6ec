// SVG: the answer's charts, and a tornado and range bars wherever there are ranges.
#include "render/chart/chart.h"
#include "render/renderer.h"

namespace floptally {
namespace {
std::string render_svg(const Book& book, const RenderOptions&) {
  return svg_document(standard_charts(book), book.title);
}
}  // namespace

namespace renderers {
extern const RendererDef k_svg;
const RendererDef k_svg = {"svg", "the answer's charts", render_svg};
}  // namespace renderers
}  // namespace floptally
