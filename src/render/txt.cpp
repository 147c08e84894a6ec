// Plain text for a terminal: the answer first, aligned columns, ranges beside values, what the ranges come from.
#include <fmt/format.h>

#include <algorithm>

#include "quantity/print.h"
#include "render/grid/fit.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kReset = "\033[0m";

void pad(std::string& out, std::size_t n) { out.append(n, ' '); }

// The lines of the heads; shorter ones stand at the foot.
std::vector<std::vector<std::string>> head_lines(const Grid& grid) {
  std::size_t lines = 1;
  for (const std::string& head : grid.heads)
    lines = std::max(lines, static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n')) + 1);
  std::vector<std::vector<std::string>> out(lines, std::vector<std::string>(grid.heads.size()));
  for (std::size_t c = 0; c < grid.heads.size(); ++c) {
    std::string rest = grid.heads[c];
    for (std::size_t i = lines; i-- > 0;) {
      const std::size_t cut = rest.rfind('\n');
      out[i][c] = cut == std::string::npos ? rest : rest.substr(cut + 1);
      if (cut == std::string::npos) break;
      rest.resize(cut);
    }
  }
  return out;
}

void append(std::string& out, const Grid& grid, bool colour) {
  std::vector<std::size_t> width(grid.heads.size());
  const std::vector<std::vector<std::string>> heads = head_lines(grid);
  for (std::size_t c = 0; c < width.size(); ++c) {
    for (const auto& each : heads) width[c] = std::max(width[c], display_width(each[c]));
    for (std::size_t r = 0; r < grid.rows.size(); ++r)
      width[c] = std::max(width[c],
                          display_width(grid.rows[r][c]) + (c == 0 ? 2 * static_cast<std::size_t>(grid.depth[r]) : 0));
  }
  const auto line = [&](const std::vector<std::string>& cells, int depth, const char* style) {
    std::string text;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string cell = (c == 0 ? std::string(2 * static_cast<std::size_t>(depth), ' ') : "") + cells[c];
      const std::size_t gap = width[c] - std::min(width[c], display_width(cell));
      if (c > 0) text += "  ";
      if (grid.right[c]) pad(text, gap);
      text += cell;
      if (!grid.right[c]) pad(text, gap);
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out += style != nullptr && colour ? style + text + kReset + "\n" : text + "\n";
  };
  if (std::any_of(grid.heads.begin(), grid.heads.end(), [](const std::string& h) { return !h.empty(); }))
    for (const auto& each : heads) line(each, 0, kDim);
  for (std::size_t r = 0; r < grid.rows.size(); ++r)
    line(grid.rows[r], grid.depth[r], r + grid.totals >= grid.rows.size() && grid.totals > 0 ? kBold : nullptr);
  if (!grid.note.empty()) out += grid.note + "\n";
}

void append_fitted(std::string& out, const Grid& grid, const RenderOptions& options) {
  const std::vector<Grid> parts = fitted(grid, static_cast<std::size_t>(std::max(options.width, 1)), options.split);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += '\n';
    append(out, parts[i], options.colour);
  }
}

bool shown_in_accounts(const Book& book, std::uint32_t step) {
  for (const Account& account : book.accounts)
    for (const Cell& cell : account.cells)
      if (cell.step == step && !account.children.empty()) return true;
  return false;
}

void append_headlines(std::string& out, const Book& book, bool colour) {
  Grid grid;
  grid.heads = {"", "", ""};
  grid.right = {false, true, false};
  for (const Headline& each : book.headlines) {
    if (shown_in_accounts(book, each.step)) continue;
    const Figure& figure = book.steps[each.step].figure;
    std::string range = range_text(figure);
    grid.rows.push_back({each.label, figure_text(figure), range.empty() ? "" : "90% " + range});
    grid.depth.push_back(0);
  }
  if (!grid.rows.empty()) append(out, grid, colour);
}

std::string render_text(const Book& book, const RenderOptions& options) {
  std::string out;
  const auto paragraph = [&] {
    if (!out.empty() && !out.ends_with("\n\n")) out += '\n';
  };
  if (!book.title.empty()) out += options.colour ? kBold + book.title + kReset + "\n" : book.title + "\n";
  for (const std::string& line : book.summary) out += line + "\n";
  if (!book.headlines.empty()) {
    std::string headlines;
    append_headlines(headlines, book, options.colour);
    if (!headlines.empty()) {
      if (!book.summary.empty()) paragraph();
      out += headlines;
    }
  }
  for (const Account& account : book.accounts) {
    if (account.children.empty()) continue;
    paragraph();
    append_fitted(out, account_grid(book, account, false, options.width), options);
  }
  for (const Table& table : book.tables) {
    paragraph();
    if (!table.title.empty()) out += options.colour ? kBold + table.title + kReset + "\n" : table.title + "\n";
    append_fitted(out, table_grid(table, false), options);
  }
  const std::vector<std::string> influences = influence_lines(book);
  const std::vector<std::string> inputs = input_lines(book);
  if (!influences.empty() || !inputs.empty()) paragraph();
  for (const std::string& line : influences) out += line + "\n";
  for (const std::string& line : inputs) out += line + "\n";
  return out;
}

}  // namespace

namespace renderers {
extern const RendererDef k_txt;
const RendererDef k_txt = {"txt", "aligned text, as on a terminal", render_text};
}  // namespace renderers
}  // namespace floptally
