#include "render/chart/chart.h"

#include <gtest/gtest.h>

#include <regex>

#include "render/chart/axis.h"

namespace floptally {
namespace {

std::vector<std::string> texts(double low, double high, bool log, Dim dim) {
  return tick_texts(make_axis(low, high, 0, 500, log, dim).ticks(5), dim);
}

TEST(Chart, BytesAreTickedInBinaryUnits) {
  const double gib = 1024.0 * 1024 * 1024;
  EXPECT_EQ(texts(0, 80 * gib, false, dim::kByte),
            (std::vector<std::string>{"0 B", "20 GiB", "40 GiB", "60 GiB", "80 GiB"}));
  for (const std::string& tick : texts(0.1 * gib, 200 * gib, true, dim::kByte))
    EXPECT_TRUE(tick.ends_with(" GiB") || tick.ends_with(" MiB")) << tick;
}

TEST(Chart, YearsHaveNoCommaAndTicksDiffer) {
  EXPECT_EQ(texts(2012, 2026, false, {}), (std::vector<std::string>{"2015", "2020", "2025"}));
  const std::vector<std::string> near = texts(1001, 1009, false, dim::kFlop);
  for (std::size_t i = 1; i < near.size(); ++i) EXPECT_NE(near[i], near[i - 1]);
}

TEST(Chart, DotsThatFallTogetherStayInside) {
  Chart chart;
  chart.form = Chart::Form::dots;
  chart.title = "fifty equal values";
  for (int i = 0; i < 50; ++i) chart.marks.push_back({i == 0 ? 2.0 : 1.0, 0, 0, 0, {}, {}});
  const std::string drawn = draw(chart).body;
  const std::regex circle("cy=\"([-0-9.]+)\" r=\"([0-9.]+)\"");
  int seen = 0;
  for (std::sregex_iterator it(drawn.begin(), drawn.end(), circle), end; it != end; ++it, ++seen)
    EXPECT_GE(std::stod((*it)[1]) - std::stod((*it)[2]), 30) << "above the title";
  EXPECT_EQ(seen, 50);
}

// Past ten groups colours come again, hollow: no two groups look the same.
TEST(Chart, TwentyGroupsLookDifferent) {
  Chart chart;
  chart.form = Chart::Form::scatter;
  for (int i = 0; i < 20; ++i) chart.marks.push_back({1.0 * i, 1, 0, 0, "mark", "group " + std::to_string(i)});
  const std::string drawn = draw(chart).body;
  EXPECT_NE(drawn.find("fill=\"none\""), std::string::npos);
}

}  // namespace
}  // namespace floptally
