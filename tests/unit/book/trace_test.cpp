#include "book/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "book/leaf.h"
#include "book/ledger.h"
#include "book/worlds.h"

namespace floptally {
namespace {

Leaf uncertain(const char* name, const char* text) { return leaf_of(name, *parse_amount(text)); }

TEST(Trace, ExactIntegersStayExact) {
  Trace trace;
  const Traced a = trace.given("a", *Integer::parse("5421133696079458546483200"));
  EXPECT_EQ((a * 3 - a * 2).exact()->to_string(), "5421133696079458546483200");
  EXPECT_EQ((a / 2).exact()->to_string(), "2710566848039729273241600");
  EXPECT_FALSE((a / 7).exact());
  EXPECT_FALSE((a * 0.5).exact());
}

TEST(Trace, OneNameIsOneDraw) {
  Trace trace;
  const Traced x = trace.leaf(uncertain("x", "15 (10 to 22)"));
  const Traced again = trace.leaf(uncertain("x", "99"));
  const Worlds worlds(trace);
  const auto difference = worlds.percentiles({(x - again).in(trace)})[0];
  EXPECT_EQ(difference.p5, 0);
  EXPECT_EQ(difference.p95, 0);
  // 96 layers that share one factor keep its spread.
  std::vector<Traced> layers;
  for (int i = 1; i <= 96; ++i) layers.push_back(x * i);
  const auto total = worlds.percentiles({trace.sum(layers).id(), x.id()});
  EXPECT_NEAR(total[0].p95 / total[0].p5, total[1].p95 / total[1].p5, 1e-9);
}

TEST(Trace, FloorsMakeTotalsAtLeast) {
  Trace trace;
  const Traced trials = trace.leaf(uncertain("trials", "800+"));
  const Traced total = trials * 5 + 3;
  EXPECT_TRUE(trace.node(total.id()).at_least);
  EXPECT_EQ(total.exact()->to_int64(), 4003);
  const Traced inverse = Traced(1.0) / trials;
  EXPECT_FALSE(trace.node(inverse.id()).at_least);
  EXPECT_TRUE(trace.node(inverse.id()).at_most);
}

TEST(Trace, UnknownIsNotZero) {
  Trace trace;
  Leaf leaf;
  leaf.name = "price of X";
  leaf.unknown = true;
  leaf.dim = dim::kUsd;
  const Traced price = trace.leaf(leaf);
  const Traced sum = trace.sum({price, trace.given("rest", Integer(7), dim::kUsd)});
  EXPECT_TRUE(trace.node(sum.id()).at_least);
  EXPECT_FALSE(trace.node(sum.id()).unknown);
  EXPECT_EQ(sum.value(), 7);
  EXPECT_TRUE(trace.node((price * 3).in(trace)).unknown);
}

TEST(Trace, FormulasPrintFromTheExpression) {
  Trace trace;
  const Traced a = trace.given("a", Integer(2));
  const Traced b = trace.given("b", Integer(3));
  const Traced c = trace.given("c", Integer(4));
  const auto text = [&](const Traced& t) { return trace.formula(t.id()); };
  EXPECT_EQ(text(a / (b * c)), "a / (b * c)");
  EXPECT_EQ(text(a / b * c), "a / b * c");
  EXPECT_EQ(text(a - (b - c)), "a - (b - c)");
  EXPECT_EQ(text((a + b) * c), "(a + b) * c");
  std::vector<NodeId> inputs;
  const Traced named = trace.name("area", a * b);
  EXPECT_EQ(trace.formula((named * c).id(), &inputs), "area * c");
  EXPECT_EQ(inputs.size(), 2u);
  EXPECT_EQ(trace.formula(named.id()), "a * b");
}

TEST(Worlds, PercentilesOfTheStatedRange) {
  Trace trace;
  const Traced lrs = trace.leaf(uncertain("lrs", "15 (10 to 22)"));
  const auto p = Worlds(trace).percentiles({lrs.id()})[0];
  EXPECT_NEAR(p.p5, 10, 0.01);
  EXPECT_NEAR(p.p50, 15, 0.01);
  EXPECT_NEAR(p.p95, 22, 0.02);
}

TEST(Worlds, PercentilesAgreeWithSorting) {
  std::vector<double> values;
  std::uint64_t state = 1;
  for (int i = 0; i < 10007; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    values.push_back(std::exp(static_cast<double>(state >> 40) / 4e6));
  }
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double q) {
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto i = static_cast<std::size_t>(position);
    return sorted[i] + (position - static_cast<double>(i)) * (sorted[i + 1] - sorted[i]);
  };
  const Percentiles p = percentiles_of(values);
  EXPECT_DOUBLE_EQ(p.p5, at(0.05));
  EXPECT_DOUBLE_EQ(p.p50, at(0.5));
  EXPECT_DOUBLE_EQ(p.p95, at(0.95));
  std::vector<double> equal(100, 3.0);
  EXPECT_EQ(percentiles_of(equal).p50, 3.0);
}

TEST(Worlds, OpaqueExpressionsAreEvaluated) {
  Trace trace;
  const Traced x = trace.leaf(uncertain("x", "15 (10 to 22)"));
  const Traced y = trace.leaf(uncertain("y", "3 (2 to 5)"));
  const Traced z = max(x, y * 4) / (x + y) + ceil(x);
  const Worlds worlds(trace, 4096);
  const auto values = worlds.values(z.id());
  const auto& xs = worlds.draws(0);
  const auto& ys = worlds.draws(1);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], std::max(xs[i], ys[i] * 4) / (xs[i] + ys[i]) + std::ceil(xs[i]), 1e-12);
}

TEST(Worlds, SobolPointsAreStratified) {
  // In every dimension each of 1,024 equal slices holds exactly one of the first 1,024 points; so do pairs of 32 x 32
  // boxes.
  Trace trace;
  for (int d = 0; d < 8; ++d) trace.leaf(uncertain(("leaf " + std::to_string(d)).c_str(), "1 (0.5 to 2)"));
  const Worlds worlds(trace, 1024);
  const auto slice = [&](std::uint32_t leaf, std::size_t i) {
    const double z = std::log(worlds.draws(leaf)[i]) / (std::log(2.0) / 1.6448536269514722);
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
  };
  for (std::uint32_t leaf = 0; leaf < 8; ++leaf) {
    std::vector<int> hits(1024);
    for (std::size_t i = 0; i < 1024; ++i) ++hits[static_cast<std::size_t>(slice(leaf, i) * 1024)];
    for (const int h : hits) EXPECT_EQ(h, 1);
  }
}

TEST(Worlds, SharesOfVarianceAddUpForProducts) {
  Trace trace;
  const Traced a = trace.leaf(uncertain("a", "1 (0.5 to 2)"));
  const Traced b = trace.leaf(uncertain("b", "1 (0.25 to 4)"));
  const auto shares = Worlds(trace).shares((a * b).in(trace));
  ASSERT_EQ(shares.size(), 2u);
  EXPECT_NEAR(shares[0].share, 0.8, 0.02);
  EXPECT_NEAR(shares[1].share, 0.2, 0.02);
}

TEST(Ledger, ParentsAreSumsOfTheirChildren) {
  Ledger ledger("test");
  Trace& trace = ledger.trace();
  const Traced lrs = trace.leaf(uncertain("lrs", "15 (10 to 22)"));
  Entry total{.name = "total"};
  total.children.push_back({.name = "one", .cells = {{"runs", lrs * 2}}});
  total.children.push_back({.name = "two", .cells = {{"runs", Traced(7)}}});
  const auto sums = ledger.add(std::move(total));
  ledger.headline("runs", "Runs", sums[0].second);
  ledger.influences("runs");
  const Book book = ledger.finish();
  const Step* runs = find_headline(book, "runs");
  ASSERT_NE(runs, nullptr);
  EXPECT_EQ(runs->figure.value, 37);
  EXPECT_EQ(runs->figure.exact, "37");
  EXPECT_NEAR(*runs->figure.p95, 51, 0.1);
  EXPECT_EQ(runs->formula, "total/one/runs + total/two/runs");
  ASSERT_EQ(book.influences.size(), 1u);
  EXPECT_NEAR(book.influences[0].share, 1, 0.01);
}

}  // namespace
}  // namespace floptally
