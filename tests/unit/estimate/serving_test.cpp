// Keys and values per token against published sizes; the tensors a checkpoint would hold against the parameters
// counted.
#include "estimate/serving.h"

#include <gtest/gtest.h>

#include "base/sources.h"
#include "network/count.h"
#include "network/format.h"
#include "network/shipped.h"
#include "network/tensor_file/expected.h"

namespace floptally {
namespace {

Network shipped(const std::string& name, std::int64_t sequence = 0) {
  Sources sources;
  Inputs inputs;
  inputs.sequence = sequence;
  Result<Network> network = load_model(name, inputs, sources);
  if (!network.ok()) ADD_FAILURE() << name << ": " << network.problems().front().message;
  return network.ok() ? *std::move(network) : NetworkBuilder().finish();
}

numerics::Scheme format(const char* name, const char* grain = "") {
  return *numerics::make_scheme({name, "", grain, {}, {}});
}

TEST(Serving, BytesPerTokenArePublishedOnes) {
  struct Row {
    const char* model;
    double bytes;  // a token in bf16
  };
  // 2 x layers x key-value heads x head size x 2; DeepSeek-V2 (2405.04434): layers x (latent 512 + rotary 64) x 2.
  for (const Row& row : {Row{"llama-3.1-8b", 131072}, Row{"llama-3.1-405b", 516096}, Row{"deepseek-v3", 70272},
                         Row{"gpt-3", 4718592}, Row{"gemma-2b", 18432}}) {
    const CacheBytes bytes = cache_bytes(serving_state(shipped(row.model), 0), format("bf16"));
    EXPECT_EQ(bytes.per_token, row.bytes) << row.model;
  }
}

TEST(Serving, WindowsHoldNoMoreThanTheWindow) {
  // gpt-oss-20b: 24 layers, every other one with a window of 128; 8 key-value heads of 64.
  const ServingState state = serving_state(shipped("gpt-oss-20b", 4096), 4096);
  const double layer = 2 * 8 * 64;
  EXPECT_EQ(state.numbers_per_token(), 12 * layer);
  EXPECT_EQ(state.numbers_held(), 12 * layer * (4096 + 128));
}

TEST(Serving, RecurrentLayersHoldAStateAndEncodersNothing) {
  const ServingState mamba = serving_state(shipped("mamba-2.8b"), 100000);
  EXPECT_TRUE(mamba.vectors.empty());
  EXPECT_EQ(mamba.recurrent, 64.0 * 5120 * 16);  // layers x inner channels x state
  EXPECT_FALSE(serving_state(shipped("bert-base"), 512).generates());
}

TEST(Serving, CacheFormatsCountScalesAndWholeBlocks) {
  const ServingState state = serving_state(shipped("llama-3.1-8b"), 1);
  EXPECT_EQ(cache_bytes(state, format("e4m3")).per_token, 65536);
  EXPECT_EQ(cache_bytes(state, format("int8", "channel")).per_token, 65536 + 2 * 32 * 8 * 4);
  EXPECT_EQ(cache_bytes(state, format("q8_0")).per_token, 65536 * 34 / 32);
  EXPECT_EQ(cache_bytes(state, format("q4_0")).per_token, 65536 * 18 / 32);
  EXPECT_FALSE(cache_bytes(state, format("q4_k")).fits);  // heads of 128 are not whole blocks of 256
}

TEST(Serving, ExpectedTensorsHoldAllParametersOfEveryShippedModel) {
  for (const std::string& name : shipped_model_names()) {
    const Network network = shipped(name);
    const Result<TensorFile> file = expected_tensors(network);
    ASSERT_TRUE(file.ok()) << name;
    EXPECT_EQ(file->parameters(), count(network).total().parameters) << name;
  }
}

}  // namespace
}  // namespace floptally
