// LaTeX: booktabs tables.
#include <string>

#include "quantity/print.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        out += c;
        break;
      default:
        out += c;
    }
  }
  return out;
}

void append(std::string& out, const Grid& grid) {
  out += "\\begin{tabular}{";
  for (const bool right : grid.right) out += right ? 'r' : 'l';
  out += "}\n\\toprule\n";
  for (std::size_t c = 0; c < grid.heads.size(); ++c) out += (c > 0 ? " & " : "") + escape(grid.heads[c]);
  out += " \\\\\n\\midrule\n";
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    if (grid.totals > 0 && r + grid.totals == grid.rows.size()) out += "\\midrule\n";
    for (std::size_t c = 0; c < grid.rows[r].size(); ++c) {
      if (c > 0)
        out += " & ";
      else
        for (int k = 0; k < grid.depth[r]; ++k) out += "\\quad ";
      out += escape(grid.rows[r][c]);
    }
    out += " \\\\\n";
  }
  out += "\\bottomrule\n\\end{tabular}\n";
}

std::string render_latex(const Book& book, const RenderOptions& options) {
  std::string out = "% needs \\usepackage{booktabs}\n";
  if (!book.title.empty()) out += "% " + book.title + "\n";
  bool any = book.command != "tally" && !book.headlines.empty();  // the rows of a tally hold every total
  if (any) append(out, headline_grid(book));
  for (const Account& account : book.accounts)
    if (!account.children.empty()) {
      append(out, account_grid(book, account, false, options.width));
      any = true;
    }
  for (const Table& table : book.tables) {
    append(out, table_grid(table, false));
    any = true;
  }
  if (!any) append(out, headline_grid(book));
  return out;
}

}  // namespace

namespace renderers {
extern const RendererDef k_tex;
const RendererDef k_tex = {"tex", "LaTeX booktabs tables", render_latex};
}  // namespace renderers
}  // namespace floptally
