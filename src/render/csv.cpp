// CSV (RFC 4180): the rows of the first account tree or table, every digit, base units; the head names the unit.
#include <string>

#include "quantity/print.h"
#include "quantity/unit.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string number(const Figure& figure) {
  if (figure.unknown && !figure.at_least) return {};
  return figure.exact.empty() ? shortest(figure.value) : figure.exact;
}

void append(std::string& out, const Book& book, const Account& root, const Account& account, const std::string& path) {
  const std::string own = &account == &root ? "total" : (path.empty() ? account.name : path + "/" + account.name);
  for (const Account& child : account.children) append(out, book, root, child, &account == &root ? "" : own);
  out += quoted(own);
  for (const Cell& column : root.cells) {
    const Figure* figure = nullptr;
    for (const Cell& cell : account.cells)
      if (cell.key == column.key) figure = &book.steps[cell.step].figure;
    if (figure == nullptr) {
      out += ",,,,";
      continue;
    }
    out += "," + number(*figure) + "," + (figure->p5 ? shortest(*figure->p5) : "") + "," +
           (figure->p95 ? shortest(*figure->p95) : "") + "," + (figure->at_least ? "1" : "0");
  }
  out += "\n";
}

std::string render_csv(const Book& book, const RenderOptions&) {
  std::string out;
  for (const Account& account : book.accounts) {
    if (account.children.empty()) continue;
    out += "name";
    for (const Cell& cell : account.cells)
      out += "," + cell.key + "," + cell.key + "_p5," + cell.key + "_p95," + cell.key + "_at_least";
    out += "\n";
    append(out, book, account, account, "");
    return out;
  }
  if (!book.tables.empty()) {
    const Grid grid = table_grid(book.tables.front(), true);
    for (std::size_t c = 0; c < grid.heads.size(); ++c) out += (c > 0 ? "," : "") + quoted(grid.heads[c]);
    out += "\n";
    for (const auto& row : grid.rows) {
      for (std::size_t c = 0; c < row.size(); ++c) out += (c > 0 ? "," : "") + quoted(row[c]);
      out += "\n";
    }
    return out;
  }
  out += "key,value,p5,p50,p95,at_least\n";
  for (const Headline& each : book.headlines) {
    const Figure& f = book.steps[each.step].figure;
    out += each.key + "," + number(f) + "," + (f.p5 ? shortest(*f.p5) : "") + "," + (f.p50 ? shortest(*f.p50) : "") +
           "," + (f.p95 ? shortest(*f.p95) : "") + "," + (f.at_least ? "1" : "0") + "\n";
  }
  return out;
}

}  // namespace

namespace renderers {
extern const RendererDef k_csv;
const RendererDef k_csv = {"csv", "comma-separated rows in base units, every digit", render_csv};
}  // namespace renderers
}  // namespace floptally
