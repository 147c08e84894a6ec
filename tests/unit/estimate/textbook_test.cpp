#include "estimate/textbook.h"

#include <gtest/gtest.h>

namespace floptally::textbook {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

// Rajbhandari et al. 1910.02054, figure 1 and table 1 (GB of 1e9 bytes).
TEST(Textbook, ZeroTable) {
  EXPECT_DOUBLE_EQ(zero(7.5e9, 7.5e9, 64.0, 0) / 1e9, 120);
  EXPECT_DOUBLE_EQ(zero(7.5e9, 7.5e9, 64.0, 1) / 1e9, 31.40625);
  EXPECT_DOUBLE_EQ(zero(7.5e9, 7.5e9, 64.0, 2) / 1e9, 16.640625);
  EXPECT_DOUBLE_EQ(zero(7.5e9, 7.5e9, 64.0, 3) / 1e9, 1.875);
  EXPECT_DOUBLE_EQ(zero(128e9, 128e9, 64.0, 0) / 1e9, 2048);
  EXPECT_DOUBLE_EQ(zero(128e9, 128e9, 64.0, 1) / 1e9, 536);
  EXPECT_DOUBLE_EQ(zero(128e9, 128e9, 64.0, 2) / 1e9, 284);
  EXPECT_DOUBLE_EQ(zero(128e9, 128e9, 64.0, 3) / 1e9, 32);
  EXPECT_DOUBLE_EQ(zero(1e12, 1e12, 1024.0, 0) / 1e9, 16000);
  EXPECT_DOUBLE_EQ(zero(1e12, 1e12, 1024.0, 3) / 1e9, 15.625);
}

// Korthikanti et al. 2205.05198, figure 1 (data of arXiv:2205.05198 as in Calculon's validation), GiB per device.
TEST(Textbook, KorthikantiFigures) {
  const auto stage = [](double layers, double h, double a, double p, double m, double b, bool sequence, Replay replay) {
    const double layer = layer_activations(2048.0, b, h, a, 8.0, sequence, replay);
    return stage_activations(layer, layers, p, m) / kGib;
  };
  EXPECT_NEAR(stage(48, 6144, 64, 1, 1, 4, false, Replay::none), 59.25, 1e-9);
  EXPECT_NEAR(stage(48, 6144, 64, 1, 1, 4, true, Replay::selective), 9.5625, 1e-9);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, false, Replay::none), 66.84375, 1e-9);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, true, Replay::selective), 12.3515625, 1e-9);
  const double none = stage(96, 12288, 96, 8, 3, 1, false, Replay::none);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, true, Replay::none) / none, 0.6204, 1e-2);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, false, Replay::selective) / none, 0.5653, 1e-3);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, true, Replay::selective) / none, 0.1849, 1e-3);
  EXPECT_NEAR(stage(96, 12288, 96, 8, 3, 1, false, Replay::full) / none, 0.0871, 1e-3);
}

// Llama-2-7B, sequence 4096, batch 1.
TEST(Textbook, LlamaVectors) {
  const double p = 6738415616;
  EXPECT_NEAR(4 * p / kGib, 25.10255, 1e-5);
  EXPECT_NEAR(2 * p / kGib, 12.55128, 1e-5);
  EXPECT_NEAR(p / kGib, 6.27564, 1e-5);
  EXPECT_NEAR(kAdamWWithMaster * p / kGib, 75.30766, 1e-5);
  EXPECT_NEAR(16 * p / kGib, 100.41022, 1e-5);
  EXPECT_NEAR(18 * p / kGib, 112.96149, 1e-5);
  const auto all = [](double t, Replay replay) {
    return 32 * layer_activations(4096.0, 1.0, 4096.0, 32.0, t, false, replay) / kGib;
  };
  EXPECT_DOUBLE_EQ(all(1, Replay::none), 97.0);
  EXPECT_DOUBLE_EQ(all(1, Replay::selective), 17.0);
  EXPECT_DOUBLE_EQ(all(1, Replay::full), 1.0);
  EXPECT_DOUBLE_EQ(all(8, Replay::none), 16.5);
  EXPECT_DOUBLE_EQ(all(8, Replay::selective), 6.5);
  EXPECT_DOUBLE_EQ(all(8, Replay::full), 1.0);
}

TEST(Textbook, LectureForgetsTheMasterCopy) {
  EXPECT_DOUBLE_EQ(lecture(1.0, 1.0, 2.0, 8.0), 12);  // as the lecture adds up
  EXPECT_DOUBLE_EQ(zero(1.0, 1.0, 1.0, 0), 16);       // with the fp32 master copy
  EXPECT_DOUBLE_EQ(lecture(1.0, 1.0, 2.0, 2.0), 6);
  EXPECT_DOUBLE_EQ(inference_rule(100.0), 120);
}

// With adapters only T parameters have gradients and states: 1e9 frozen, 1e7 trained, 8 data ranks.
TEST(Textbook, FrozenParametersHaveNoStates) {
  EXPECT_DOUBLE_EQ(zero(1e9, 1e7, 8.0, 0), 2e9 + 14e7);
  EXPECT_DOUBLE_EQ(zero(1e9, 1e7, 8.0, 1), 2e9 + 2e7 + 12e7 / 8);
  EXPECT_DOUBLE_EQ(zero(1e9, 1e7, 8.0, 2), 2e9 + 14e7 / 8);
  EXPECT_DOUBLE_EQ(zero(1e9, 1e7, 8.0, 3), (2e9 + 14e7) / 8);
  EXPECT_DOUBLE_EQ(lecture(1e9, 1e7, 2.0, 8.0), 2e9 + 10e7);
}

TEST(Textbook, PrintedThreeDOvercountsGradients) {
  EXPECT_GT(three_d_as_printed(2.0, 12.0, 0.0, 2.0, 64.0, 8.0, 4.0), three_d(2.0, 12.0, 0.0, 2.0, 64.0, 8.0, 4.0));
  EXPECT_DOUBLE_EQ(three_d(2.0, 12.0, 0.0, 2.0, 64.0, 1.0, 4.0),
                   three_d_as_printed(2.0, 12.0, 0.0, 2.0, 64.0, 1.0, 4.0));
}

// Llama-2-7B's shape at 4,096 tokens: 97.0, 17.0 and 1.0 GiB; the formula printed is the one that was used.
TEST(Textbook, TheFormulaOfTheRecomputation) {
  Inputs in;
  in.layers = in.heads = 32;
  in.width = in.sequence = 4096;
  in.replay = Replay::none;
  const auto activations = [&] { return rows(in)[5]; };
  EXPECT_DOUBLE_EQ(activations().bytes / kGib, 97.0);
  in.replay = Replay::selective;
  EXPECT_DOUBLE_EQ(activations().bytes / kGib, 17.0);
  EXPECT_EQ(activations().formula, "s b h L (10 + 24 / t)");
  in.whole_layers = 8;
  EXPECT_DOUBLE_EQ(activations().bytes / kGib, (8 * 2 + 24 * 34) / 64.0);
  EXPECT_EQ(activations().formula, "s b h (8 x 2 + 24 (10 + 24 / t))");
  in.whole_layers = 32;
  EXPECT_DOUBLE_EQ(activations().bytes / kGib, 1.0);
  EXPECT_EQ(activations().formula, "2 s b h L");
  in.group = 4;
  EXPECT_DOUBLE_EQ(activations().bytes / kGib, 0.25);
}

}  // namespace
}  // namespace floptally::textbook
