// CSV (RFC 4180): the rows of the account trees and, in a row "answer", the headlines that are none of their totals;
// else the rows of the first table, else the headlines; every digit, in the units of the JSON (base units; hours under
// *_hours).
#include "base/csv.h"

#include <algorithm>
#include <string>
#include <vector>

#include "quantity/print.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

std::string number(const Figure& figure, double scale) {
  if (figure.unknown && !figure.at_least) return {};
  return figure.exact.empty() || scale != 1 ? shortest(figure.value * scale) : figure.exact;
}

using Keys = std::vector<std::string>;

std::string cells_of(const Figure* figure, double scale) {
  if (figure == nullptr) return ",,,,";
  return "," + number(*figure, scale) + "," + (figure->p5 ? shortest(*figure->p5 * scale) : "") + "," +
         (figure->p95 ? shortest(*figure->p95 * scale) : "") + "," + (figure->at_least ? "1" : "0");
}

// Children before their parent; `prefix` ends in '/' where it is not empty.
void append(std::string& out, const Book& book, const Account& account, const std::string& own,
            const std::string& prefix, const Keys& keys) {
  for (const Account& child : account.children)
    append(out, book, child, prefix + child.name, prefix + child.name + "/", keys);
  out += csv_quote(own);
  for (const std::string& key : keys) {
    const auto cell =
        std::find_if(account.cells.begin(), account.cells.end(), [&](const Cell& each) { return each.key == key; });
    out += cells_of(cell == account.cells.end() ? nullptr : &book.steps[cell->step].figure, json_scale(key));
  }
  out += "\n";
}

// Headlines that no tree adds up to, under keys that the trees do not use.
std::vector<const Headline*> headlines_beside(const Book& book, const std::vector<const Account*>& trees,
                                              const Keys& keys) {
  std::vector<const Headline*> out;
  if (book.command == "tally") return out;  // its rows hold every total
  for (const Headline& each : book.headlines) {
    bool known = std::find(keys.begin(), keys.end(), each.key) != keys.end();
    for (const Account* tree : trees)
      for (const Cell& cell : tree->cells) known = known || cell.step == each.step;
    if (!known) out.push_back(&each);
  }
  return out;
}

// All account trees; where there are several, each row begins with the name of its tree.
std::string account_rows(const Book& book) {
  std::vector<const Account*> trees;
  Keys keys;
  for (const Account& account : book.accounts) {
    if (account.children.empty()) continue;
    trees.push_back(&account);
    for (const Cell& cell : account.cells)
      if (std::find(keys.begin(), keys.end(), cell.key) == keys.end()) keys.push_back(cell.key);
  }
  if (trees.empty()) return {};
  const std::vector<const Headline*> more = headlines_beside(book, trees, keys);
  std::string out = "name";
  for (const Headline* each : more) keys.push_back(each->key);
  for (const std::string& key : keys) out += "," + key + "," + key + "_p5," + key + "_p95," + key + "_at_least";
  out += "\n";
  if (!more.empty()) out += "answer";
  for (const std::string& key : more.empty() ? Keys() : keys) {
    const auto own = std::find_if(more.begin(), more.end(), [&](const Headline* each) { return each->key == key; });
    out += cells_of(own == more.end() ? nullptr : &book.steps[(*own)->step].figure, json_scale(key));
  }
  if (!more.empty()) out += "\n";
  for (const Account* tree : trees) {
    const std::string prefix = trees.size() > 1 ? tree->name + "/" : "";
    append(out, book, *tree, prefix + "total", prefix, keys);
  }
  return out;
}

std::string render_csv(const Book& book, const RenderOptions&) {
  std::string out = account_rows(book);
  if (!out.empty()) return out;
  if (!book.tables.empty()) {
    const Grid grid = table_grid(book.tables.front(), true);
    for (std::size_t c = 0; c < grid.heads.size(); ++c) out += (c > 0 ? "," : "") + csv_quote(grid.heads[c]);
    out += "\n";
    for (const auto& row : grid.rows) {
      for (std::size_t c = 0; c < row.size(); ++c) out += (c > 0 ? "," : "") + csv_quote(row[c]);
      out += "\n";
    }
    return out;
  }
  out += "key,value,p5,p50,p95,at_least\n";
  for (const Headline& each : book.headlines) {
    const Figure& f = book.steps[each.step].figure;
    const double scale = json_scale(each.key);
    const auto percentile = [&](std::optional<double> value) { return value ? shortest(*value * scale) : ""; };
    out += each.key + "," + number(f, scale) + "," + percentile(f.p5) + "," + percentile(f.p50) + "," +
           percentile(f.p95) + "," + (f.at_least ? "1" : "0") + "\n";
  }
  return out;
}

}  // namespace

namespace renderers {
extern const RendererDef k_csv;
const RendererDef k_csv = {"csv", "comma-separated rows in base units, every digit", render_csv};
}  // namespace renderers
}  // namespace floptally
