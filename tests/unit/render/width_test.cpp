// Tables fit the width they are given, as long as there is anything to leave out or to break.
#include <gtest/gtest.h>

#include <sstream>

#include "floptally/engine.h"
#include "render/grid/grid.h"

namespace floptally {
namespace {

std::size_t widest_row(const std::string& command, const std::string& input, int width, const std::string& from) {
  Engine engine;
  Request request;
  request.command = command;
  request.inputs = {input};
  const Result<Book> book = engine.run(request);
  EXPECT_TRUE(book.ok());
  RenderOptions options;
  options.width = width;
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

}  // namespace
}  // namespace floptally
