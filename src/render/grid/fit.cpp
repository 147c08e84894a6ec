#include "render/grid/fit.h"

#include <algorithm>
#include <utility>

namespace floptally {
namespace {

constexpr std::size_t kGap = 2;

// How far a column may give way.
enum class Yield { prose, words, all_words };

struct Column {
  std::size_t width = 0, least = 0;
};

std::size_t longest_word(const std::string& text) {
  std::size_t longest = 0;
  for (const std::string& word : wrapped(text, 1)) longest = std::max(longest, display_width(word));
  return longest;
}

// Heads give way to their longest word; of cells, those of prose (a few blanks) or, at last, all that are words.
Column column_of(const Grid& grid, std::size_t c, Yield yield) {
  constexpr std::size_t kNarrowest = 24, kNarrow = 12;
  constexpr std::ptrdiff_t kProse = 4;  // blanks of a cell that may be broken
  Column out;
  std::size_t cells = 0, word = 0;
  bool prose = false;
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    const std::string& cell = grid.rows[r][c];
    const std::size_t indent = c == 0 ? kGap * static_cast<std::size_t>(grid.depth[r]) : 0;
    cells = std::max(cells, display_width(cell) + indent);
    prose = prose || std::count(cell.begin(), cell.end(), ' ') >= kProse;
    word = std::max(word, longest_word(cell) + indent);
  }
  const std::size_t head = display_width(grid.heads[c]);
  out.width = std::max(cells, head);
  if (yield == Yield::prose) {
    out.least = grid.right[c] || !prose ? out.width : std::min(out.width, std::max({head, word, kNarrowest}));
    return out;
  }
  if (!grid.right[c] && (prose || yield == Yield::all_words))
    cells = std::min(cells, std::max(word, yield == Yield::words ? kNarrowest : kNarrow));
  out.least = std::min(out.width, std::max(cells, longest_word(grid.heads[c])));
  return out;
}

struct Widths {
  std::vector<std::size_t> columns;
  bool fit = false;
};

// The widest columns give way first.
Widths widths_of(const Grid& grid, std::size_t limit, Yield yield) {
  std::vector<Column> columns;
  std::size_t total = grid.heads.empty() ? 0 : kGap * (grid.heads.size() - 1);
  for (std::size_t c = 0; c < grid.heads.size(); ++c) {
    columns.push_back(column_of(grid, c, yield));
    total += columns.back().width;
  }
  while (total > limit) {
    Column* widest = nullptr;
    for (Column& each : columns)
      if (each.width > each.least && (widest == nullptr || each.width > widest->width)) widest = &each;
    if (widest == nullptr) break;
    --widest->width;
    --total;
  }
  Widths out;
  for (const Column& each : columns) out.columns.push_back(each.width);
  out.fit = total <= limit;
  return out;
}

// Every row in as many rows as its cells have lines.
Grid broken(const Grid& grid, const std::vector<std::size_t>& width) {
  Grid out = grid;
  out.rows.clear();
  out.depth.clear();
  out.totals = 0;
  for (std::size_t c = 0; c < width.size(); ++c) {
    std::string head;
    for (const std::string& line : wrapped(grid.heads[c], width[c])) head += (head.empty() ? "" : "\n") + line;
    out.heads[c] = std::move(head);
  }
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    std::vector<std::vector<std::string>> cells;
    std::size_t lines = 1;
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::size_t indent = c == 0 ? kGap * static_cast<std::size_t>(grid.depth[r]) : 0;
      cells.push_back(wrapped(grid.rows[r][c], width[c] - std::min(indent, width[c])));
      lines = std::max(lines, cells.back().size());
    }
    for (std::size_t i = 0; i < lines; ++i) {
      std::vector<std::string> row;
      for (const auto& cell : cells) row.push_back(i < cell.size() ? cell[i] : "");
      out.rows.push_back(std::move(row));
      out.depth.push_back(grid.depth[r]);
    }
    if (r + grid.totals >= grid.rows.size()) out.totals += lines;
  }
  return out;
}

Grid with_columns(const Grid& grid, const std::vector<std::size_t>& columns) {
  Grid out;
  out.title = grid.title;
  out.depth = grid.depth;
  out.totals = grid.totals;
  out.rows.resize(grid.rows.size());
  for (const std::size_t c : columns) {
    out.heads.push_back(grid.heads[c]);
    out.right.push_back(grid.right[c]);
    for (std::size_t r = 0; r < grid.rows.size(); ++r) out.rows[r].push_back(grid.rows[r][c]);
  }
  return out;
}

// The first column and as many others as fit, then the first again with the next ones.
std::vector<Grid> blocks_of(const Grid& grid, std::size_t limit) {
  const std::vector<std::size_t> least = widths_of(grid, 0, Yield::words).columns;
  std::vector<std::vector<std::size_t>> blocks{{0}};
  std::size_t total = least[0];
  for (std::size_t c = 1; c < least.size(); ++c) {
    if (blocks.back().size() > 1 && total + kGap + least[c] > limit) {
      blocks.push_back({0});
      total = least[0];
    }
    blocks.back().push_back(c);
    total += kGap + least[c];
  }
  std::vector<Grid> out;
  for (const auto& columns : blocks) {
    const Grid block = with_columns(grid, columns);
    out.push_back(broken(block, widths_of(block, limit, Yield::all_words).columns));
  }
  return out;
}

}  // namespace

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

std::vector<Grid> fitted(const Grid& grid, std::size_t limit, bool split) {
  const Widths whole = widths_of(grid, SIZE_MAX, Yield::prose);
  std::size_t total = whole.columns.empty() ? 0 : kGap * (whole.columns.size() - 1);
  for (const std::size_t each : whole.columns) total += each;
  if (total <= limit) return {grid};
  for (const Yield yield : {Yield::prose, Yield::words, Yield::all_words}) {
    const Widths widths = widths_of(grid, limit, yield);
    if (widths.fit || !split) return {broken(grid, widths.columns)};
  }
  std::vector<Grid> out = blocks_of(grid, limit);
  out.back().note = grid.note;
  return out;
}

}  // namespace floptally
