// Plain text for a terminal: the answer first, aligned columns, ranges beside values, what the ranges come from.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "quantity/print.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kReset = "\033[0m";

void pad(std::string& out, std::size_t n) { out.append(n, ' '); }

void append(std::string& out, const Grid& grid, bool colour) {
  std::vector<std::size_t> width(grid.heads.size());
  for (std::size_t c = 0; c < width.size(); ++c) {
    width[c] = display_width(grid.heads[c]);
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
    line(grid.heads, 0, kDim);
  for (std::size_t r = 0; r < grid.rows.size(); ++r)
    line(grid.rows[r], grid.depth[r], r + grid.totals >= grid.rows.size() && grid.totals > 0 ? kBold : nullptr);
  if (!grid.note.empty()) out += grid.note + "\n";
}

// `text` in lines of at most `width` characters, broken at spaces; a longer word stays whole.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width)
      lines.push_back(std::exchange(line, ""));
    line += (line.empty() ? "" : " ") + word;
  }
  lines.push_back(line);
  return lines;
}

// A grid of prose that is wider than `limit`: its widest columns of words are broken into lines, each a row of its own.
Grid narrowed(Grid grid, std::size_t limit) {
  constexpr std::size_t kNarrowest = 24;
  constexpr std::ptrdiff_t kProse = 4;  // blanks of a cell that may be broken
  const std::size_t n = grid.heads.size();
  std::vector<std::size_t> width(n), least(n);
  std::size_t total = n > 0 ? 2 * (n - 1) : 0;
  for (std::size_t c = 0; c < n; ++c) {
    width[c] = least[c] = display_width(grid.heads[c]);
    bool prose = false;
    for (const auto& row : grid.rows) {
      width[c] = std::max(width[c], display_width(row[c]));
      prose = prose || std::count(row[c].begin(), row[c].end(), ' ') >= kProse;
      for (const std::string& word : wrapped(row[c], 1)) least[c] = std::max(least[c], display_width(word));
    }
    least[c] = grid.right[c] || !prose ? width[c] : std::min(width[c], std::max(least[c], kNarrowest));
    total += width[c];
  }
  if (total <= limit) return grid;
  while (total > limit) {  // the widest gives way
    std::size_t widest = n;
    for (std::size_t c = 0; c < n; ++c)
      if (width[c] > least[c] && (widest == n || width[c] > width[widest])) widest = c;
    if (widest == n) break;
    --width[widest];
    --total;
  }
  Grid out = grid;
  out.rows.clear();
  out.depth.clear();
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    std::vector<std::vector<std::string>> cells;
    std::size_t lines = 1;
    for (std::size_t c = 0; c < n; ++c) {
      cells.push_back(wrapped(grid.rows[r][c], width[c]));
      lines = std::max(lines, cells.back().size());
    }
    for (std::size_t i = 0; i < lines; ++i) {
      std::vector<std::string> row;
      for (std::size_t c = 0; c < n; ++c) row.push_back(i < cells[c].size() ? cells[c][i] : "");
      out.rows.push_back(std::move(row));
      out.depth.push_back(grid.depth[r]);
    }
  }
  return out;
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
    append(out, account_grid(book, account, false, options.width), options.colour);
  }
  for (const Table& table : book.tables) {
    paragraph();
    if (!table.title.empty()) out += options.colour ? kBold + table.title + kReset + "\n" : table.title + "\n";
    append(out, narrowed(table_grid(table, false), static_cast<std::size_t>(std::max(options.width, 1))),
           options.colour);
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
