#include "plan/line_names.h"

#include <gtest/gtest.h>

#include <deque>

#include "document/document.h"

namespace floptally {
namespace {

std::vector<std::string> names_of(const std::string& lines) {
  static std::deque<Source> sources;
  static std::deque<Document> documents;
  sources.push_back(
      {"plan.yaml", "plan: 1\nmodel: {parameters: 1B}\ntrain: {tokens: 1B}\nruns:\n  S:\n" + lines, false});
  Result<Document> document = read_yaml(sources.back());
  EXPECT_TRUE(document.ok());
  documents.push_back(std::move(*document));
  const Result<Plan> plan = read_plan(documents.back().root());
  EXPECT_TRUE(plan.ok());
  return line_names(plan->subsets.front());
}

using Names = std::vector<std::string>;

TEST(LineNames, TheFirstWordsThatTellLinesApart) {
  EXPECT_EQ(names_of("  - {over: {parameters: [1B, 2B]}, times: {seed: 3}}\n"
                     "  - {over: {parameters: [1B, 2B]}, times: {seed: 3, optimizer: [SGD, Adam]}}\n"
                     "  - {over: {parameters: [1B, 2B]}, times: {seed: 3}, set: {tokens: 20 * parameters}}\n"),
            (Names{"parameters 1B, 2B", "optimizer SGD, Adam", "tokens 20 * parameters"}));
  EXPECT_EQ(names_of("  - {over: {parameters: [1B, 2B, 3B, 4B]}, times: {seed: 3}}\n"
                     "  - {over: {parameters: [1B, 2B, 3B, 4B]}, times: {seed: 5}}\n"),
            (Names{"seed 3", "seed 5"}));
  EXPECT_EQ(names_of("  - {over: {parameters: [1B, 2B, 3B, 4B]}, times: {seed: 3}}\n"
                     "  - {over: {parameters: [7B]}, times: {seed: 3}}\n"
                     "  - {over: {parameters: [7B]}, times: {seed: 5}}\n"),
            (Names{"parameters 1B to 4B", "parameters 7B, seed 3", "parameters 7B, seed 5"}));
}

TEST(LineNames, IdsStandAndEqualLinesAreNumbered) {
  EXPECT_EQ(names_of("  - {id: large, over: {parameters: [7B]}}\n"
                     "  - {over: {parameters: [7B]}}\n"
                     "  - {over: {parameters: [7B]}}\n"
                     "  - {note: nothing but the plan's own run}\n"),
            (Names{"large", "parameters 7B, line 2", "parameters 7B, line 3", "line 4"}));
}

}  // namespace
}  // namespace floptally
