// Ranges by class of run: what is known better, and what has to do where nothing is.
#include "estimate/memory_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace floptally {
namespace {

RunClass tensor_parallel(const char* source) { return {source, "megatron", "allocated", "dense tensor"}; }

double width(const Spread& spread) { return std::log(spread.high); }

TEST(MemoryRange, IsTheSameFactorEitherWay) {
  const Spread spread = memory_spread(tensor_parallel(""));
  EXPECT_NEAR(spread.low * spread.high, 1, 1e-12);
  EXPECT_GT(spread.high, 1.01);
  EXPECT_NEAR(width(memory_spread(tensor_parallel(""), 1.5)), 1.5 * width(spread), 1e-12);
}

TEST(MemoryRange, AMeasuredSourceIsKnownBetterThanOneThatWasNot) {
  const Spread known = memory_spread(tensor_parallel("Megatron-LM functional tests @d98e8a64"));
  const Spread other = memory_spread(tensor_parallel("somebody's cluster"));
  EXPECT_LT(width(known), width(other));
  EXPECT_EQ(width(other), width(memory_spread(tensor_parallel(""))));
}

TEST(MemoryRange, AKindNeverSeenHasTheSourcesRange) {
  RunClass odd = tensor_parallel("SimuMax b200 v1.2");
  odd.kind = "experts tensor+pipeline+context+expert full";
  RunClass odder = odd;
  odder.kind = "nothing like it";
  EXPECT_EQ(width(memory_spread(odd)), width(memory_spread(odder)));
}

TEST(MemoryRange, AFrameworkNeverSeenHasTheMeasuresRange) {
  RunClass other = tensor_parallel("");
  other.framework = "internevo";
  RunClass unknown = tensor_parallel("");
  unknown.framework = "no such framework";
  EXPECT_EQ(width(memory_spread(other)), width(memory_spread(unknown)));
}

TEST(MemoryRange, LargeRegimesAreHeldToACoverageWithoutTheModel) {
  for (const char* regime : {"all", "framework megatron", "recompute none"}) {
    const std::optional<double> share = coverage_left_out(regime);
    ASSERT_TRUE(share) << regime;
    EXPECT_GT(*share, 0.8) << regime;
    EXPECT_LE(*share, 1) << regime;
  }
  EXPECT_FALSE(coverage_left_out("generation mi300"));  // four rows
}

TEST(MemoryRange, MeasuredNeedsTheFrameworkTheFeaturesAndTheSize) {
  EXPECT_TRUE(memory_measured("megatron", "dense tensor", 4e10));
  EXPECT_FALSE(memory_measured("internevo", "dense tensor", 4e10));
  EXPECT_FALSE(memory_measured("litgpt", "experts expert", 1e10));
  EXPECT_FALSE(memory_measured("megatron", "dense tensor", 4e13));
}

TEST(MemoryRange, RegimesOfARunWithoutASource) {
  floptally::Run run = default_run();
  run.device = "H100-SXM";
  run.layout.tensor = 2;
  run.recompute.mode = Recompute::Mode::full;
  const auto regimes = regimes_of(run, "", "megatron", "allocated", 7e9, 64, false);
  for (const char* expected : {"generation h100", "parameters 1e9 to 1e10", "devices 9 to 64", "experts no",
                               "parallel tensor", "recompute full", "measure allocated", "framework megatron"})
    EXPECT_NE(std::find(regimes.begin(), regimes.end(), expected), regimes.end()) << expected;
  EXPECT_TRUE(std::none_of(regimes.begin(), regimes.end(),
                           [](const std::string& name) { return name.compare(0, 6, "source") == 0; }));
  EXPECT_EQ(generation_of("NVIDIA GB200 NVL72"), "gb200");
  EXPECT_EQ(generation_of(""), "unknown");
}

}  // namespace
}  // namespace floptally
