#include "book/worlds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "book/points.h"

namespace floptally {
namespace {

Traced lognormal(Trace& trace, const std::string& name, double best, double spread) {
  Leaf leaf;
  leaf.name = name;
  leaf.distribution = Distribution::range(best, best / spread, best * spread);
  return trace.leaf(std::move(leaf));
}

// A product of log-normal numbers is log-normal: its percentiles are known in closed form.
TEST(Worlds, ProductOfSixFactorsHasItsClosedFormPercentiles) {
  Trace trace;
  Traced product = 1.0;
  double variance = 0;
  for (int i = 0; i < 6; ++i) {
    const double spread = 1.1 + 0.1 * i;
    product = product * lognormal(trace, "factor " + std::to_string(i), 2 + i, spread);
    variance += std::log(spread) * std::log(spread);
  }
  const double median = 2 * 3 * 4 * 5 * 6 * 7;
  for (const std::uint32_t count : {1u << 14, 1u << 16, 1000000u}) {
    const Percentiles found = Worlds(trace, count).percentiles({product.id()}).front();
    EXPECT_NEAR(found.p50 / median, 1, 0.005) << count;
    EXPECT_NEAR(found.p5 / (median * std::exp(-std::sqrt(variance))), 1, 0.005) << count;
    EXPECT_NEAR(found.p95 / (median * std::exp(std::sqrt(variance))), 1, 0.005) << count;
  }
}

// What is read off block by block is what sorting every world gives, few worlds or many, a whole number of blocks or
// not.
TEST(Worlds, StreamedPercentilesAreTheOrderStatisticsOfAllWorlds) {
  Trace trace;
  const Traced sum = lognormal(trace, "a", 3, 2) * lognormal(trace, "b", 5, 1.3) + lognormal(trace, "c", 40, 1.5);
  const Traced largest = max(sum, lognormal(trace, "d", 55, 1.2));
  for (const std::uint32_t count : {16u, 1000u, 5000u, 16384u, 70001u}) {
    const Worlds worlds(trace, count);
    const std::vector<Percentiles> found = worlds.percentiles({sum.id(), largest.id()});
    std::size_t i = 0;
    for (const Traced& each : {sum, largest}) {
      std::vector<double> all = worlds.values(each.id());
      ASSERT_EQ(all.size(), count);
      std::sort(all.begin(), all.end());
      const auto at = [&](double p) {
        const double position = p * (count - 1);
        const auto k = static_cast<std::size_t>(position);
        return all[k] + (position - static_cast<double>(k)) * (all[std::min<std::size_t>(k + 1, count - 1)] - all[k]);
      };
      EXPECT_DOUBLE_EQ(found[i].p5, at(0.05)) << count;
      EXPECT_DOUBLE_EQ(found[i].p50, at(0.5)) << count;
      EXPECT_DOUBLE_EQ(found[i].p95, at(0.95)) << count;
      ++i;
    }
  }
}

TEST(Worlds, SharesOfAProductFollowTheVariances) {
  Trace trace;
  const Traced product = lognormal(trace, "wide", 10, 2) * lognormal(trace, "narrow", 10, 1.2);
  for (const std::uint32_t count : {1u << 14, 1u << 18}) {
    const std::vector<Worlds::Share> shares = Worlds(trace, count).shares(product.id());
    ASSERT_EQ(shares.size(), 2u);
    const double wide = std::log(2) * std::log(2), narrow = std::log(1.2) * std::log(1.2);
    EXPECT_NEAR(shares[0].share, wide / (wide + narrow), 0.01);
    EXPECT_NEAR(shares[1].share, narrow / (wide + narrow), 0.01);
    EXPECT_NEAR(shares[0].high / shares[0].low, 4, 1e-12);
  }
}

// Of hundreds of leaves each is set to its ends alone, the others stay at their best guess.
TEST(Worlds, SharesOfASumSetOneLeafAtATime) {
  Trace trace;
  constexpr int kLeaves = 600;
  std::vector<Traced> parts;
  double rest = 0;
  for (int i = 0; i < kLeaves; ++i) {
    parts.push_back(lognormal(trace, "part " + std::to_string(i), 1 + i % 7, 1.5));
    rest += 1 + i % 7;
  }
  const Traced sum = trace.sum(parts);
  const std::vector<Worlds::Share> shares = Worlds(trace, 1u << 12).shares(sum.in(trace));
  ASSERT_EQ(shares.size(), static_cast<std::size_t>(kLeaves));
  for (const Worlds::Share& share : shares) {
    const Distribution& d = trace.leaves()[share.leaf].distribution;
    EXPECT_NEAR(share.low, rest - d.best + d.quantile(0.05), 1e-9 * rest);
    EXPECT_NEAR(share.high, rest - d.best + d.quantile(0.95), 1e-9 * rest);
  }
}

// So many leaves that their draws are not kept: the same worlds all the same.
TEST(Worlds, DrawsThatAreNotKeptAreTheSame) {
  Trace few, many;
  const Traced a = lognormal(few, "a", 3, 1.4) + lognormal(few, "b", 5, 1.2);
  const Traced b = lognormal(many, "a", 3, 1.4) + lognormal(many, "b", 5, 1.2);
  constexpr std::uint32_t kCount = 1u << 16;
  for (std::uint64_t i = 0; i < Worlds::kMostKept / kCount; ++i) {
    Leaf point;
    point.name = "idle " + std::to_string(i);
    point.distribution = Distribution::range(1.0, 0.5, 2.0);
    many.leaf(std::move(point));
  }
  const Percentiles kept = Worlds(few, kCount).percentiles({a.in(few)})[0];
  const Percentiles made = Worlds(many, kCount).percentiles({b.in(many)})[0];
  // Dimensions of the two leaves differ beside so many others; the percentiles are those of the same number.
  EXPECT_NEAR(kept.p5, made.p5, 2e-3 * kept.p5);
  EXPECT_NEAR(kept.p95, made.p95, 2e-3 * kept.p95);
  const std::vector<double> all = Worlds(many, kCount).values(b.in(many));
  std::vector<double> sorted = all;
  const Percentiles exact = percentiles_of(sorted);
  EXPECT_EQ(made.p5, exact.p5);
  EXPECT_EQ(made.p50, exact.p50);
  EXPECT_EQ(made.p95, exact.p95);
}

// Each 64th of [0, 1) holds its part of any first 2^k points, of Sobol's and of shuffled sequences.
TEST(Points, EverySequenceIsStratified) {
  for (const std::uint32_t rank : {0u, 3u, 7u, 8u, 50u}) {
    const Points points(seed_of("a name"), rank);
    std::vector<int> members(64, 0);
    for (std::uint32_t start = 0; start < 4096; start += Points::kBlock) {
      double u[Points::kBlock];
      std::uint8_t slice[Points::kBlock];
      points.block(start, Points::kBlock, u, slice);
      for (std::uint32_t i = 0; i < Points::kBlock; ++i) {
        ASSERT_GT(u[i], 0);
        ASSERT_LT(u[i], 1);
        ASSERT_EQ(slice[i], static_cast<int>(u[i] * 64));
        ++members[slice[i]];
      }
    }
    for (const int each : members) EXPECT_EQ(each, 64) << rank;
  }
}

}  // namespace
}  // namespace floptally
