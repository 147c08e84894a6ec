#include "book/difference.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "book/leaf.h"
#include "book/ledger.h"

namespace floptally {
namespace {

struct Line {
  std::string name;
  double runs, flop;
};

Book book(const std::vector<Line>& lines, double rate, double price, const char* spread = nullptr) {
  Ledger ledger("tally");
  Trace& trace = ledger.trace();
  Traced factor = spread != nullptr ? trace.leaf(leaf_of("utilization", *parse_amount(spread))) : Traced(1.0);
  Entry total{.name = "total"};
  for (const Line& line : lines) {
    const Traced runs = line.runs;
    const Traced flop = Traced(line.runs * line.flop);
    const Traced hours = flop / (Traced(rate) * factor);
    total.children.push_back(
        {.name = line.name,
         .cells = {{"runs", runs}, {"flop", flop}, {"device_hours", hours}, {"usd", hours * price}}});
  }
  const auto sums = ledger.add(std::move(total));
  for (const auto& [key, value] : sums) ledger.headline(key, key, value);
  return ledger.finish();
}

RC_GTEST_PROP(Difference, PartsAddUpExactlyWhateverChanges, ()) {
  const auto lines = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(1, 1000));
  const auto scale = [](int k) { return 0.25 + k / 400.0; };
  std::vector<Line> a{{"x", scale(lines[0]), scale(lines[1])}, {"y", 3, 4}};
  std::vector<Line> b{{"x", scale(lines[2]), scale(lines[3])}, {"z", 1, 2}};
  const Difference d = difference(book(a, scale(lines[4]), 2), book(b, scale(lines[5]), 3), "usd");
  double sum = 0;
  for (const auto& [factor, part] : d.factors) sum += part;
  RC_ASSERT(std::abs(sum - (d.after - d.before)) <= 1e-9 * (d.after + d.before));
  const Difference back = difference(book(b, scale(lines[5]), 3), book(a, scale(lines[4]), 2), "usd");
  RC_ASSERT(std::abs(back.after - back.before + d.after - d.before) <= 1e-9 * d.after);
}

TEST(Difference, NamesTheFactorThatChanged) {
  const Book a = book({{"x", 10, 5}}, 2, 3);
  const Book b = book({{"x", 10, 5}}, 2, 2);
  const Difference d = difference(a, b, "usd");
  ASSERT_EQ(d.factors.size(), 1u);
  EXPECT_EQ(d.factors[0].first, "price");
  EXPECT_NEAR(d.factors[0].second, -25, 1e-9);
  EXPECT_TRUE(difference(a, a, "usd").changes.empty());
}

TEST(Difference, SharedUncertaintyCancels) {
  const Book a = book({{"x", 10, 5}}, 2, 3, "0.5 (0.3 to 0.7)");
  const Book b = book({{"x", 11, 5}}, 2, 3, "0.5 (0.3 to 0.7)");
  const Difference d = difference(a, b, "usd");
  ASSERT_TRUE(d.known_spread);
  EXPECT_GT(d.low, 0);  // ten per cent more in every world, although each answer is uncertain by far more
}

}  // namespace
}  // namespace floptally
