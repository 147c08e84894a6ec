// SVG: the answer's charts, and a tornado and range bars wherever there are ranges; an answer that has none is drawn as
// the text a terminal shows.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "render/chart/chart.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace renderers {
extern const RendererDef k_txt;
}
namespace {

// A picture of lines of text, as wide as the longest.
Canvas text_canvas(const std::string& text) {
  constexpr double kLine = 16, kCharacter = 7.3, kMargin = 10;  // of a 12 px monospaced font
  constexpr std::size_t kMostLines = 400;
  Canvas canvas;
  std::size_t widest = 0, lines = 0;
  for (std::size_t at = 0; at < text.size() && lines < kMostLines; ++lines) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    widest = std::max(widest, display_width(line));
    canvas.height += kLine;
    if (line.empty()) continue;
    char place[64];
    std::snprintf(place, sizeof place, "<text x=\"%.0f\" y=\"%.0f\"", kMargin, canvas.height);
    canvas.body += place;
    canvas.body += " xml:space=\"preserve\" style=\"font-family: monospace\">" + escape_xml(line) + "</text>\n";
  }
  canvas.width = std::max(canvas.width, 2 * kMargin + kCharacter * static_cast<double>(widest));
  return canvas;
}

std::string render_svg(const Book& book, const RenderOptions& options) {
  const std::vector<Chart> charts = standard_charts(book);
  if (!charts.empty()) return svg_document(charts, book.title);
  RenderOptions plain = options;
  plain.colour = false;
  return svg_page({text_canvas(renderers::k_txt.render(book, plain))}, book.title);
}

}  // namespace

namespace renderers {
extern const RendererDef k_svg;
const RendererDef k_svg = {"svg", "the answer's charts; its text where it has none", render_svg};
}  // namespace renderers
}  // namespace floptally
