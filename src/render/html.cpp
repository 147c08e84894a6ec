// HTML: one self-contained page: the answer, its tables and charts, and every number's derivation to open.
#include <string>

#include "quantity/print.h"
#include "render/chart/chart.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .7rem;text-align:left;border-bottom:1px solid "
    "#ddd}"
    "th{font-weight:600;color:#555}.r{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.wide{"
    "overflow-x:auto}.total "
    "td{font-weight:700;border-top:2px solid #888}"
    "details{margin:.2rem 0}summary{cursor:pointer}.src{color:#666}code{background:#f3f3f3;padding:0 "
    ".2rem}svg{max-width:100%;height:auto}";

void append(std::string& out, const Grid& grid) {
  if (!grid.title.empty()) out += "<h2>" + escape_xml(grid.title) + "</h2>\n";
  out += "<div class=\"wide\"><table>\n<tr>";
  for (std::size_t c = 0; c < grid.heads.size(); ++c)
    out += std::string("<th") + (grid.right[c] ? " class=\"r\">" : ">") + escape_xml(grid.heads[c]) + "</th>";
  out += "</tr>\n";
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    out += grid.totals > 0 && r + grid.totals >= grid.rows.size() ? "<tr class=\"total\">" : "<tr>";
    for (std::size_t c = 0; c < grid.rows[r].size(); ++c) {
      out += std::string("<td") + (grid.right[c] ? " class=\"r\"" : "");
      if (c == 0 && grid.depth[r] > 0) out += " style=\"padding-left:" + std::to_string(1 + grid.depth[r]) + "rem\"";
      out += ">" + escape_xml(grid.rows[r][c]) + "</td>";
    }
    out += "</tr>\n";
  }
  out += "</table></div>\n";
  if (!grid.note.empty()) out += "<p>" + escape_xml(grid.note) + "</p>\n";
}

void append_step(std::string& out, const Book& book, std::size_t index) {
  const Step& step = book.steps[index];
  out += "<details id=\"step-" + std::to_string(index) + "\"><summary>" + escape_xml(step.name) + " = <b>" +
         escape_xml(figure_text(step.figure)) + "</b>";
  if (const std::string range = range_text(step.figure); !range.empty()) out += " (90% " + escape_xml(range) + ")";
  out += "</summary>\n";
  if (!step.formula.empty()) out += "<p><code>" + escape_xml(step.formula) + "</code></p>\n";
  if (!step.inputs.empty()) {
    out += "<p>from ";
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      out += std::string(i > 0 ? ", " : "") + "<a href=\"#step-" + std::to_string(step.inputs[i]) + "\">" +
             escape_xml(book.steps[step.inputs[i]].name) + "</a>";
    out += "</p>\n";
  }
  out += "<p class=\"src\">" + std::string(to_text(step.mark));
  if (!step.stated.empty()) out += ", stated as \xE2\x80\x9C" + escape_xml(step.stated) + "\xE2\x80\x9D";
  if (!step.source.empty()) out += "; " + escape_xml(step.source);
  if (step.place) {
    const Location at = locate(step.place);
    out += "; " + escape_xml(step.place.source->name) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  }
  out += "</p></details>\n";
}

std::string render_html(const Book& book, const RenderOptions&) {
  const std::string title = book.title.empty() ? "floptally " + book.command : book.title;
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>" +
      escape_xml(title) + "</title>\n<style>" + kStyle + "</style></head><body>\n<h1>" + escape_xml(title) + "</h1>\n";
  for (const std::string& line : book.summary) out += "<p>" + escape_xml(line) + "</p>\n";
  if (!book.headlines.empty()) append(out, headline_grid(book));
  for (const Account& account : book.accounts)
    if (!account.children.empty()) append(out, account_grid(book, account, false, kPage));
  for (const Table& table : book.tables) append(out, table_grid(table, false));
  const std::vector<Chart> charts = standard_charts(book);
  if (!charts.empty()) out += svg_document(charts, title);
  for (const std::string& line : influence_lines(book)) out += "<p>" + escape_xml(line) + "</p>\n";
  if (!book.notes.empty()) {
    out += "<h2>Notes</h2>\n<ul>\n";
    for (const Diagnostic& each : book.notes)
      out += "<li>" + escape_xml(each.message) + (each.help.empty() ? "" : " \xE2\x80\x94 " + escape_xml(each.help)) +
             "</li>\n";
    out += "</ul>\n";
  }
  if (!book.steps.empty()) {
    out += "<h2>Where every number comes from</h2>\n";
    for (std::size_t i = book.steps.size(); i-- > 0;) append_step(out, book, i);
  }
  return out + "</body></html>\n";
}

}  // namespace

namespace renderers {
extern const RendererDef k_html;
const RendererDef k_html = {"html", "one self-contained page with charts and derivations", render_html};
}  // namespace renderers
}  // namespace floptally
