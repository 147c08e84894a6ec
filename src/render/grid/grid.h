// Grid: tables made of strings, shared by the text, Markdown, CSV, LaTeX and HTML renderers; and the view of an account
// tree as such a table (a row per child, ranges beside values, shares, the total last).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "floptally/book.h"
#include "floptally/engine.h"

namespace floptally {

struct Grid {
  std::string title;
  std::vector<std::string> heads;
  std::vector<bool> right;  // by column
  std::vector<std::vector<std::string>> rows;
  std::vector<int> depth;  // indentation of each row's first cell
  std::size_t totals = 0;  // how many of the last rows are totals
  std::string note;
};

// How a key of an account is headed ("flop" -> "FLOP", "device_hours" -> "Device-hours").
std::string title_of(const std::string& key);
// What figures under a key are multiplied by in JSON and CSV: hours are the unit of *_hours, all else is in base units.
double json_scale(std::string_view key);
// A page is as wide as this, in characters: every column, ranges of FLOP and money.
inline constexpr int kPage = 400;
// The tree as a grid; `full` keeps every column, otherwise those that fit `width` characters in order of importance.
Grid account_grid(const Book& book, const Account& account, bool full, int width);
// Figures as people read them, or with every digit in base units.
Grid table_grid(const Table& table, bool raw);

// The headlines: label, value and, where any has one, the 90% range.
Grid headline_grid(const Book& book);

// Display width in terminal cells of UTF-8 text (escape sequences are not expected).
std::size_t display_width(const std::string& text);

// Sentences shared by the renderers.
std::vector<std::string> influence_lines(const Book& book);
std::vector<std::string> input_lines(const Book& book);

}  // namespace floptally
