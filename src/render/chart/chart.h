// Charts as SVG, drawn by hand so that the terminal, a pull request, a paper and a page show the same picture.
#pragma once

#include <string>

#include "floptally/book.h"

namespace floptally {

struct Canvas {
  double width = 720;
  double height = 0;
  std::string body;
  std::string above;  // drawn last: labels over areas
};

// The inside of one chart (without the <svg> element).
Canvas draw(const Chart& chart);
// The charts every answer has: a tornado for each headline with influences, range bars of the first account tree.
std::vector<Chart> standard_charts(const Book& book);
// A whole <svg> element with the canvases, or the charts, below one another.
std::string svg_page(const std::vector<Canvas>& canvases, const std::string& title);
std::string svg_document(const std::vector<Chart>& charts, const std::string& title);
std::string escape_xml(const std::string& text);

}  // namespace floptally
