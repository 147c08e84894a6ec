// Markdown: pipe tables that a proposal or a pull request can hold.
#include <string>

#include "quantity/print.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += "\\|";
    else if (c == '\n')
      out += "<br>";
    else
      out += c;
  }
  return out;
}

void append(std::string& out, const Grid& grid) {
  if (!grid.title.empty()) out += "\n### " + escape(grid.title) + "\n";
  out += "\n|";
  for (const std::string& head : grid.heads) out += " " + escape(head) + " |";
  out += "\n|";
  for (const bool right : grid.right) out += right ? "---:|" : "---|";
  out += "\n";
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    const bool total = grid.totals > 0 && r + grid.totals >= grid.rows.size();
    out += "|";
    for (std::size_t c = 0; c < grid.rows[r].size(); ++c) {
      std::string cell = escape(grid.rows[r][c]);
      if (c == 0)
        for (int k = 0; k < grid.depth[r]; ++k) cell = "&nbsp;&nbsp;" + cell;
      if (total && !cell.empty()) cell = "**" + cell + "**";
      out += " " + cell + " |";
    }
    out += "\n";
  }
  if (!grid.note.empty()) out += "\n" + grid.note + "\n";
}

std::string render_markdown(const Book& book, const RenderOptions& options) {
  std::string out;
  if (!book.title.empty()) out += "## " + escape(book.title) + "\n";
  for (const std::string& line : book.summary) out += "\n" + escape(line) + "\n";
  if (!book.headlines.empty()) append(out, headline_grid(book));
  for (const Account& account : book.accounts)
    if (!account.children.empty()) append(out, account_grid(book, account, false, kPage));
  for (const Table& table : book.tables) append(out, table_grid(table, false));
  for (const std::string& line : influence_lines(book)) out += "\n" + escape(line) + "\n";
  for (const std::string& line : input_lines(book)) out += "\n" + escape(line) + "\n";
  if (options.notes && !book.notes.empty()) {
    out += "\nNotes:\n\n";
    for (const Diagnostic& each : book.notes)
      out += "- " + escape(each.message) + (each.help.empty() ? "" : " (" + escape(each.help) + ")") + "\n";
  }
  return out;
}

}  // namespace

namespace renderers {
extern const RendererDef k_md;
const RendererDef k_md = {"md", "Markdown tables", render_markdown};
}  // namespace renderers
}  // namespace floptally
