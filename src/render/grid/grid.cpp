#include "render/grid/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "quantity/print.h"

namespace floptally {
namespace {

constexpr std::pair<const char*, const char*> kTitles[] = {
    {"runs", "Runs"},
    {"flop", "FLOP"},
    {"flop_training", "Training FLOP"},
    {"flop_forward", "Forward FLOP"},
    {"flop_backward", "Backward FLOP"},
    {"activation_bytes", "Activations"},
    {"memory_bytes_per_device", "Memory a device"},
    {"memory_visible_bytes_per_device", "Memory as nvidia-smi shows it"},
    {"usd", "Cost"},
    {"device_hours", "Device-hours"},
    {"node_hours", "Node-hours"},
    {"parameters", "Parameters"},
    {"tokens", "Tokens"},
    {"samples", "Samples"},
    {"joules", "Energy"},
    {"grams_co2e", "CO2e"},
    {"training_seconds", "Time"},
};

// The unit is in the column's title already, so cells say the bare number.
std::string cell_text(const Figure& figure, const std::string& key) {
  std::string text = figure_text(figure);
  for (const char* unit : {" FLOP", " device-hours", " node-hours", " tokens", " samples"})
    if (text.size() > std::string_view(unit).size() && text.ends_with(unit) && key != "unit")
      return text.substr(0, text.size() - std::string_view(unit).size());
  return text;
}

std::string bare_range(const Figure& figure) {
  if (!figure.p5 || !figure.p95) return figure.unknown ? "" : (figure.at_least ? "floor" : "exact");
  Figure low = figure;
  low.at_least = low.at_most = false;
  low.value = *figure.p5;
  Figure high = low;
  high.value = *figure.p95;
  return without_unit(quantity_text(low.value, low.dim, 2)) + " to " +
         without_unit(quantity_text(high.value, high.dim, 2));
}

struct Columns {
  std::vector<std::string> keys;
  std::vector<bool> ranged;
  std::string share_key;
};

const Figure* find(const Book& book, const Account& account, const std::string& key) {
  for (const Cell& cell : account.cells)
    if (cell.key == key) return &book.steps[cell.step].figure;
  return nullptr;
}

void add_row(Grid& grid, const Book& book, const Account& account, const Columns& columns, int depth, double whole,
             bool total) {
  std::vector<std::string> row{total ? "Total" : account.name};
  for (std::size_t i = 0; i < columns.keys.size(); ++i) {
    const Figure* figure = find(book, account, columns.keys[i]);
    row.push_back(figure == nullptr ? "" : cell_text(*figure, columns.keys[i]));
    if (columns.ranged[i]) row.push_back(figure == nullptr ? "" : bare_range(*figure));
  }
  if (!columns.share_key.empty()) {
    const Figure* figure = find(book, account, columns.share_key);
    row.push_back(figure == nullptr || whole == 0 ? "" : fmt::format("{:.0f}%", 100 * figure->value / whole));
  }
  grid.rows.push_back(std::move(row));
  grid.depth.push_back(depth);
}

void add_children(Grid& grid, const Book& book, const Account& account, const Columns& columns, int depth,
                  double whole) {
  for (const Account& child : account.children) {
    add_row(grid, book, child, columns, depth, whole, false);
    add_children(grid, book, child, columns, depth + 1, whole);
  }
}

std::size_t width_of(const Grid& grid) {
  std::size_t sum = 0;
  for (std::size_t c = 0; c < grid.heads.size(); ++c) {
    std::size_t widest = display_width(grid.heads[c]);
    for (std::size_t r = 0; r < grid.rows.size(); ++r)
      widest =
          std::max(widest, display_width(grid.rows[r][c]) + (c == 0 ? 2 * static_cast<std::size_t>(grid.depth[r]) : 0));
    sum += widest + 2;
  }
  return sum;
}

Grid make(const Book& book, const Account& account, const Columns& columns) {
  Grid grid;
  grid.title = account.name;
  grid.heads.emplace_back("");
  grid.right.push_back(false);
  for (std::size_t i = 0; i < columns.keys.size(); ++i) {
    grid.heads.push_back(title_of(columns.keys[i]));
    grid.right.push_back(true);
    if (columns.ranged[i]) {
      grid.heads.emplace_back("90% range");
      grid.right.push_back(true);
    }
  }
  double whole = 0;
  if (!columns.share_key.empty()) {
    grid.heads.emplace_back("Share");
    grid.right.push_back(true);
    if (const Figure* figure = find(book, account, columns.share_key)) whole = figure->value;
  }
  add_children(grid, book, account, columns, 0, whole);
  add_row(grid, book, account, columns, 0, whole, true);
  grid.totals = 1;
  grid.note = account.note;
  return grid;
}

bool has_range(const Book& book, const Account& account, const std::string& key) {
  const Figure* figure = find(book, account, key);
  if (figure != nullptr && figure->p5) return true;
  return std::any_of(account.children.begin(), account.children.end(),
                     [&](const Account& child) { return has_range(book, child, key); });
}

}  // namespace

double json_scale(std::string_view key) { return key.ends_with("_hours") ? 1.0 / 3600 : 1.0; }

std::string title_of(const std::string& key) {
  for (const auto& [known, title] : kTitles)
    if (key == known) return title;
  std::string title = key;
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty() && title.front() >= 'a' && title.front() <= 'z')
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

Grid account_grid(const Book& book, const Account& account, bool full, int width) {
  Columns columns;
  for (const Cell& cell : account.cells) columns.keys.push_back(cell.key);
  for (const std::string& key : columns.keys)
    columns.ranged.push_back(
        (full || (key != "tokens" && key != "samples" && key != "node_hours") || columns.keys.size() <= 2) &&
        has_range(book, account, key));
  if (account.combine == Combine::sum && account.children.size() > 1)
    for (const char* key : {"usd", "flop", "flop_training"})
      if (columns.share_key.empty() && std::find(columns.keys.begin(), columns.keys.end(), key) != columns.keys.end())
        columns.share_key = key;
  Grid grid = make(book, account, columns);
  // What a narrow terminal leaves out first: ranges of counts and hours, columns, then the range of FLOP, shares, and
  // what is left of ranges.
  const auto too_wide = [&] { return !full && width_of(grid) > static_cast<std::size_t>(width) + 2; };
  const auto place = [&](const char* key) {
    return std::find(columns.keys.begin(), columns.keys.end(), key) - columns.keys.begin();
  };
  for (const char* key : {"device_hours", "runs"}) {
    const auto at = static_cast<std::size_t>(place(key));
    if (!too_wide() || at >= columns.keys.size()) continue;
    columns.ranged[at] = false;
    grid = make(book, account, columns);
  }
  for (const char* key : {"tokens", "samples", "node_hours", "device_hours", "activation_bytes"}) {
    const auto at = place(key);
    if (!too_wide() || at == static_cast<std::ptrdiff_t>(columns.keys.size())) continue;
    columns.ranged.erase(columns.ranged.begin() + at);
    columns.keys.erase(columns.keys.begin() + at);
    grid = make(book, account, columns);
  }
  for (const char* key : {"flop", "", "usd"}) {
    if (!too_wide()) break;
    const auto at = static_cast<std::size_t>(place(key));
    if (*key == '\0') columns.share_key.clear();
    if (at < columns.ranged.size()) columns.ranged[at] = false;
    grid = make(book, account, columns);
  }
  return grid;
}

Grid table_grid(const Table& table, bool raw) {
  Grid grid;
  grid.title = table.title;
  grid.note = table.note;
  for (const Column& column : table.columns) {
    grid.heads.push_back(raw ? column.key : column.title);
    grid.right.push_back(column.right);
  }
  // A column is set to the right when all it holds is figures or short words.
  constexpr std::size_t kWord = 12;
  for (std::size_t c = 0; c < grid.right.size(); ++c) {
    bool figures = false;
    bool prose = false;
    for (const std::vector<Value>& row : table.rows) {
      if (c >= row.size()) continue;
      if (std::holds_alternative<Figure>(row[c])) figures = true;
      if (const auto* text = std::get_if<std::string>(&row[c])) prose = prose || text->size() > kWord;
    }
    grid.right[c] = (grid.right[c] || figures) && !prose;
  }
  for (const std::vector<Value>& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < row.size() && c < grid.heads.size(); ++c) {
      if (const auto* text = std::get_if<std::string>(&row[c])) {
        cells.push_back(*text);
      } else if (const auto* figure = std::get_if<Figure>(&row[c])) {
        if (raw)
          cells.push_back(figure->unknown ? "" : (figure->exact.empty() ? shortest(figure->value) : figure->exact));
        else
          cells.push_back(figure_text(*figure) + (figure->p5 ? " (" + bare_range(*figure) + ")" : ""));
      } else {
        cells.emplace_back();
      }
    }
    cells.resize(grid.heads.size());
    grid.rows.push_back(std::move(cells));
    grid.depth.push_back(0);
  }
  return grid;
}

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Grid headline_grid(const Book& book) {
  Grid grid;
  const bool ranged = std::any_of(book.headlines.begin(), book.headlines.end(),
                                  [&](const Headline& h) { return book.steps[h.step].figure.p5.has_value(); });
  grid.heads = {"", "Value"};
  grid.right = {false, true};
  if (ranged) {
    grid.heads.emplace_back("90% range");
    grid.right.push_back(false);
  }
  for (const Headline& each : book.headlines) {
    const Figure& f = book.steps[each.step].figure;
    grid.rows.push_back({each.label, figure_text(f)});
    if (ranged) grid.rows.back().push_back(range_text(f));
    grid.depth.push_back(0);
  }
  return grid;
}

std::vector<std::string> influence_lines(const Book& book) {
  std::vector<std::string> lines;
  std::string key;
  for (const Influence& each : book.influences) {
    if (each.share < 0.005) continue;
    const std::string part = fmt::format("{} {:.0f}%", each.input, 100 * each.share);
    if (each.key != key) {
      key = each.key;
      lines.push_back(fmt::format("Range of {} comes from  {}", title_of(key), part));
    } else {
      lines.back() += "   " + part;
    }
  }
  return lines;
}

std::vector<std::string> input_lines(const Book& book) {
  std::vector<std::string> lines;
  for (const Mark mark : {Mark::assumed, Mark::catalogue}) {
    std::string line;
    for (const Step& step : book.steps) {
      if (step.mark != mark) continue;
      line += (line.empty() ? "" : "; ") + step.name + " " + figure_text(step.figure);
      if (step.figure.p5) line += " (" + bare_range(step.figure) + ")";
    }
    if (!line.empty())
      lines.push_back(std::string(mark == Mark::assumed ? "Assumed" : "From the catalogue") + "  " + line);
  }
  return lines;
}

}  // namespace floptally
