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
