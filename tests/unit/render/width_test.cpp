// Tables fit the width they are given, as long as there is anything to leave out or to break.
#include <gtest/gtest.h>

#include <sstream>

#include "floptally/engine.h"
#include "render/grid/fit.h"
#include "render/grid/grid.h"

namespace floptally {
namespace {

std::size_t widest_row(const std::string& command, const std::string& input, int width, const std::string& from,
                       bool split = false) {
  Engine engine;
  Request request;
  request.command = command;
  request.inputs = {input};
  const Result<Book> book = engine.run(request);
  EXPECT_TRUE(book.ok());
  RenderOptions options;
  options.width = width;
  options.split = split;
  std::istringstream text(*render(*book, "txt", options));
  std::size_t widest = 0;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    inside = line.find(from) != std::string::npos || (inside && !line.empty());
    if (inside) widest = std::max(widest, display_width(line));
  }
  return widest;
}

TEST(Width, AccountsLeaveColumnsOut) {
  const std::string plan = std::string(FLOPTALLY_SOURCE_DIR) + "/plans/gdm-scaling-exponents.yaml";
  for (const int width : {60, 80, 100, 120})
    EXPECT_LE(widest_row("tally", plan, width, "Runs        FLOP"), static_cast<std::size_t>(width));
}

TEST(Width, ProseIsBroken) {
  for (const int width : {100, 120, 160})
    EXPECT_LE(widest_row("train", "llama-3.1-8b", width, "Leaves out"), static_cast<std::size_t>(width));
}

TEST(Width, OnATerminalEveryTableFits) {
  const std::string plan = std::string(FLOPTALLY_SOURCE_DIR) + "/plans/gdm-scaling-exponents.yaml";
  for (const std::size_t width : {60, 80, 100}) {
    const int w = static_cast<int>(width);
    EXPECT_LE(widest_row("train", "llama-3.1-8b", w, "Leaves out", true), width);
    EXPECT_LE(widest_row("train", "llama-3.1-8b", w, "Micro-batches", true), width);
    EXPECT_LE(widest_row("tally", plan, w, "Runs        FLOP", true), width);
    EXPECT_LE(widest_row("model", "llama-3.1-8b", w, "Parameters  Forward", true), width);
  }
}

Grid wide() {
  Grid grid;
  grid.heads = {"Name", "Master and optimizer", "What it is", "Bytes"};
  grid.right = {false, true, false, true};
  grid.rows = {{"first", "89.7 GiB", "one two three four five six seven eight nine", "1.00 GiB"},
               {"second one", "3 B", "ten", "2 B"}};
  grid.depth = {0, 1};
  grid.totals = 1;
  grid.note = "a remark";
  return grid;
}

std::size_t width_of(const Grid& grid) {
  std::size_t total = 2 * (grid.heads.size() - 1);
  for (std::size_t c = 0; c < grid.heads.size(); ++c) {
    std::size_t widest = 0;
    for (std::size_t from = 0; from <= grid.heads[c].size();) {
      const std::size_t to = std::min(grid.heads[c].find('\n', from), grid.heads[c].size());
      widest = std::max(widest, to - from);
      from = to + 1;
    }
    for (std::size_t r = 0; r < grid.rows.size(); ++r)
      widest = std::max(widest, grid.rows[r][c].size() + (c == 0 ? 2 * static_cast<std::size_t>(grid.depth[r]) : 0));
    total += widest;
  }
  return total;
}

// Nothing is lost on the way: the words of every column come back in order.
TEST(Fit, WordsAreKeptAtEveryWidth) {
  for (std::size_t limit = 20; limit < 120; ++limit) {
    const std::vector<Grid> parts = fitted(wide(), limit, true);
    std::string bytes, prose, note;
    std::size_t others = 0;
    for (const Grid& part : parts) {
      ASSERT_FALSE(part.heads.empty());
      EXPECT_EQ(part.heads[0], "Name");
      if (limit >= 40) {
        EXPECT_LE(width_of(part), limit) << limit;
      }
      others += part.heads.size() - 1;
      note += part.note;
      for (std::size_t c = 1; c < part.heads.size(); ++c)
        for (const auto& row : part.rows) {
          if (part.heads[c].starts_with("What")) prose += row[c] + " ";
          if (part.heads[c] == "Bytes") bytes += row[c] + " ";
        }
    }
    EXPECT_EQ(others, 3U);
    EXPECT_EQ(note, "a remark");
    std::string words;
    for (const std::string& word : wrapped(prose, 1)) words += word.empty() ? "" : word + " ";
    EXPECT_EQ(words, "one two three four five six seven eight nine ten ");
    EXPECT_NE(bytes.find("1.00 GiB"), std::string::npos);
  }
}

TEST(Fit, WithoutATerminalColumnsStayTogether) {
  EXPECT_EQ(fitted(wide(), 20, false).size(), 1U);
  EXPECT_EQ(fitted(wide(), 20, false)[0].heads[1], "Master and optimizer");
  EXPECT_EQ(fitted(wide(), 200, true)[0].rows, wide().rows);
}

TEST(Fit, TotalsKeepTheirLines) {
  const std::vector<Grid> parts = fitted(wide(), 40, true);
  for (const Grid& part : parts) {
    std::size_t lines = 0;
    for (std::size_t r = part.rows.size(); r-- > 0 && lines == 0;)
      if (part.rows[r][0].starts_with("second")) lines = part.rows.size() - r;
    EXPECT_EQ(part.totals, lines);
  }
}

}  // namespace
}  // namespace floptally
