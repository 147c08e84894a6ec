// Peak allocated memory of every pipeline rank of SimuMax's B200 cases (SimuMax b200 v1.2, allocated MiB of each rank),
// two ranks a case: within the 8% that the error card allows nine of ten, most within 3%.
#include <gtest/gtest.h>

#include <cmath>

#include "estimate/memory.h"
#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

DecoderShape deepseek(std::int64_t width, std::int64_t ffn, std::int64_t vocabulary, std::int64_t experts,
                      std::int64_t top_k, std::int64_t expert_ffn, std::int64_t shared) {
  DecoderShape s = llama(4, width, 128, 128, ffn);
  s.vocabulary = vocabulary;
  s.experts = experts;
  s.top_k = top_k;
  s.expert_ffn = expert_ffn;
  s.shared_ffn = shared;
  s.dense_first = 1;
  s.q_rank = 1536;
  s.kv_rank = 512;
  s.nope_dim = 128;
  s.rope_dim = 64;
  s.value_dim = 128;
  return s;
}

struct Rank {
  const char* name;
  DecoderShape shape;
  std::int64_t expert, stage;
  double gib;
};

TEST(Ranks, OfSimumaxCases) {
  const DecoderShape l70 = llama(12, 8192, 64, 8, 28672), l405 = llama(4, 16384, 128, 16, 53248);
  const DecoderShape v3 = deepseek(7168, 18432, 129280, 256, 8, 2048, 2048),
                     v2 = deepseek(5120, 12288, 102400, 160, 6, 1536, 3072);
  const Rank ranks[] = {{"llama3-70b first", l70, 1, 0, 66.55},   {"llama3-70b last", l70, 1, 1, 62.97},
                        {"llama3-405b first", l405, 1, 0, 86.61}, {"llama3-405b last", l405, 1, 1, 87.08},
                        {"deepseek-v3 first", v3, 4, 0, 71.24},   {"deepseek-v3 last", v3, 4, 1, 114.00},
                        {"deepseek-v2 first", v2, 4, 0, 31.58},   {"deepseek-v2 last", v2, 4, 1, 44.70}};
  int close = 0;
  for (const Rank& rank : ranks) {
    floptally::Run run = default_run();
    run.device = "B200";
    run.layout.pipeline = 2;
    run.layout.data = 4;
    run.layout.expert = rank.expert;
    run.layout.expert_tensor = 1;
    run.layout.zero = Zero::optimizer;
    run.batch = 32;
    run.loss_in_place = true;  // "CE fusion on" of the cases is Transformer Engine's
    MemoryProfile profile(run);
    describe_decoder(rank.shape, profile);
    const double predicted = device_memory(profile, run, rank.stage).allocated() / kGib;
    EXPECT_NEAR(predicted / rank.gib, 1, 0.08) << rank.name << ": " << predicted;
    close += std::fabs(predicted / rank.gib - 1) < 0.03 ? 1 : 0;
  }
  EXPECT_GE(close, 7);
}

}  // namespace
}  // namespace floptally
