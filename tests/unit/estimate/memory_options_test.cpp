// Changes that make a run fit: which are taken, and in which order.
#include "estimate/memory_options.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

// small_llama() with long sequences, cut by four without sequence parallelism.
struct Cut {
  Network network;
  floptally::Run run = default_run();
  Divisors model;
};

Cut cut_by_four() {
  DecoderShape shape = small_llama();
  shape.sequence = 8192;
  Cut cut;
  NetworkBuilder builder;
  describe_decoder(shape, builder);
  cut.network = builder.finish();
  cut.run.layout.tensor = 4;
  cut.run.layout.data = 8;
  cut.run.batch = 8;
  cut.model.heads = cut.model.kv_heads = shape.heads;
  cut.model.layers = shape.layers;
  cut.model.ffn = shape.ffn;
  cut.model.sequence = shape.sequence;
  cut.model.batch = cut.run.batch;
  return cut;
}

double needed(const Cut& cut) { return memory_lines(predict_memory(cut.network, cut.run), cut.run, 1, 1).needed.best; }

TEST(MemoryChanges, TakeWhatCostsNothingFirst) {
  const Cut cut = cut_by_four();
  double least = needed(cut);
  for (const MemoryOption& option : memory_options(cut.network, cut.run, cut.model, {}))
    least = std::min(least, option.needed);
  const std::vector<MemoryOption> changes = memory_changes(cut.network, cut.run, cut.model, {0.9 * least, 4});
  ASSERT_GE(changes.size(), 2U);  // none alone
  EXPECT_TRUE(changes[0].is_free);
  EXPECT_TRUE(changes.back().fits);
  for (std::size_t i = 1; i < changes.size(); ++i) EXPECT_LT(changes[i].needed, changes[i - 1].needed);
}

TEST(MemoryChanges, OneThatFitsIsEnough) {
  const Cut cut = cut_by_four();
  const std::vector<MemoryOption> changes = memory_changes(cut.network, cut.run, cut.model, {0.9 * needed(cut), 4});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_TRUE(changes[0].fits);
}

TEST(MemoryOptions, TensorParallelismStaysWithinTheFastLink) {
  const Cut cut = cut_by_four();
  const auto widest = [&](std::int64_t linked) {
    std::int64_t most = 0;
    for (const MemoryOption& option : memory_options(cut.network, cut.run, cut.model, {1e9, linked}))
      most = std::max(most, option.run.layout.tensor);
    return most;
  };
  EXPECT_EQ(widest(4), 4);
  EXPECT_EQ(widest(8), 8);
  EXPECT_EQ(widest(0), 8);  // eight heads
}

}  // namespace
}  // namespace floptally
