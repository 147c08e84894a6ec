// What one layer holds against Galvatron's profiles (data/evidence/layers.csv, differences of profiles with one layer
// more): states and what is kept for the backward pass are exact but for the allocator's blocks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "base/csv.h"
#include "base/embedded.h"
#include "estimate/memory.h"
#include "evidence/layer_bytes.h"
#include "network/blocks/decoder.h"
#include "network/network.h"

namespace floptally {
namespace {

constexpr double kMib = 1024.0 * 1024;

// Llama 7B (Touvron et al. 2302.13971, table 2), as the shipped models have it.
std::shared_ptr<const Network> llama(std::string_view name, std::int64_t sequence) {
  if (name != "llama-7b") return nullptr;
  DecoderShape s;
  s.layers = s.heads = s.kv_heads = 32;
  s.width = 4096;
  s.head_dim = 128;
  s.ffn = 11008;
  s.gated = true;
  s.activation = Activation::silu;
  s.norm = NormKind::rms;
  s.vocabulary = 32000;
  s.sequence = sequence;
  NetworkBuilder network;
  describe_decoder(s, network);
  return std::make_shared<const Network>(network.finish());
}

LayerProfile profile_of(const Csv& csv, std::size_t row) {
  LayerProfile out;
  out.family = csv.cell(row, "family");
  out.model = csv.cell(row, "model");
  out.strategy = csv.cell(row, "strategy");
  out.source = csv.cell(row, "src");
  out.batch = std::stoll(std::string(csv.cell(row, "global_bsz")));
  const std::string_view sequence = csv.cell(row, "seq");
  out.sequence = sequence.empty() ? 0 : std::stoll(std::string(sequence));
  EXPECT_TRUE(read_strategy(out)) << out.strategy;
  return out;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

TEST(LayerBytes, MatchGalvatronsProfilesButForTheAllocator) {
  Source source;
  source.text = std::string(*embedded_file("evidence/layers.csv"));
  const auto csv = Csv::read(source);
  ASSERT_TRUE(csv.ok());
  ASSERT_GE(csv->rows(), 380u);
  std::map<std::string, std::vector<double>> errors;
  int apart = 0;
  for (std::size_t row = 0; row < csv->rows(); ++row) {
    const LayerProfile profile = profile_of(*csv, row);
    const LayerBytes bytes = layer_bytes(profile, llama);
    ASSERT_EQ(bytes.reason + bytes.unkept, "") << csv->cell(row, "id");
    const std::string quantity(csv->cell(row, "quantity"));
    const double predicted = (quantity == "activation" ? bytes.kept : bytes.states) / kMib;
    const double measured = std::stod(std::string(csv->cell(row, "mib_per_layer")));
    errors[quantity].push_back(std::fabs(predicted / measured - 1));
    if (std::fabs(predicted - measured) <= 4) continue;  // four tensors' blocks of up to 1 MiB more
    ++apart;
    EXPECT_NEAR(predicted, measured, 8.1) << csv->cell(row, "id");
    EXPECT_TRUE(profile.checkpointed) << csv->cell(row, "id");
  }
  EXPECT_LE(apart, 1);
  EXPECT_LT(median(errors["model_states"]), 0.001);
  EXPECT_LT(median(errors["activation"]), 0.001);
}

LayerBytes bytes_of(const char* family, const char* model, const char* strategy, const char* source,
                    std::int64_t sequence = 0) {
  LayerProfile profile;
  profile.family = family;
  profile.model = model;
  profile.strategy = strategy;
  profile.source = source;
  profile.batch = 8;
  profile.sequence = sequence;
  EXPECT_TRUE(read_strategy(profile));
  return layer_bytes(profile, llama);
}

// Korthikanti et al. 2205.05198: 34 s b h, (10 + 24 / t) s b h under tensor parallelism, and flash attention's
// log-sum-exp and the norms' statistics beside it.
TEST(LayerBytes, KeptIsKorthikantisFormulaWithDropout) {
  const double sbh = 2048.0 * 4096, heads = 4.0 * 2048 * 32, statistics = 2 * 2 * 4.0 * 2048;
  EXPECT_EQ(bytes_of("gpt", "hidden4096_head32_seqlen2048", "1_1_8", "").kept, 34 * sbh + heads + statistics);
  EXPECT_EQ(bytes_of("gpt", "hidden4096_head32_seqlen2048", "1_4_2", "").kept,
            4 * ((10 + 24 / 4.0) * sbh + heads / 4 + statistics));
  EXPECT_EQ(bytes_of("gpt", "hidden4096_head32_seqlen2048", "1_1_8_c", "").kept, 2 * sbh);
}

// Heads of 50 numbers are padded to 56, and the output is copied without the padding.
TEST(LayerBytes, FlashAttentionPadsHeads) {
  const double sbh = 1024.0 * 1600, padded = 6.0 / 50 * sbh;
  const double kept = bytes_of("gpt", "hidden1600_head32_seqlen1024", "1_1_8", "").kept;
  EXPECT_NEAR(kept, 34 * sbh + 4.0 * 1024 * 32 + 2 * 2 * 4 * 1024 + 2 * (4 * padded + sbh), 1);
}

// The same layer with norms of one kernel, and with norms written out, a gate of its own and rotary tables.
TEST(LayerBytes, EagerNormsKeepTwoFp32Tensors) {
  const double sbh = 2048.0 * 4096;
  const double fused = bytes_of("llama", "hidden4096_head32_seqlen2048", "1_1_8", "").kept;
  const double eager = bytes_of("llama_hf", "hidden4096_head32_seqlen2048", "1_1_8_sp", "@03d9e687").kept;
  EXPECT_EQ(eager - fused, 2 * 8 * sbh + 4 * 2.0 * 2048 * 128);
}

// [sequence, batch, width]: flash attention's output is copied where there are several samples.
TEST(LayerBytes, SequenceFirstCopiesTheOutput) {
  const double sbh = 2048.0 * 4096;
  EXPECT_EQ(bytes_of("gpt_hf", "hidden4096_head32_seqlen2048", "1_2_4_sp", "").kept -
                bytes_of("gpt_hf", "hidden4096_head32_seqlen2048", "1_1_8_sp", "").kept,
            2 * sbh);
}

// Galvatron's BERT configs name no feed-forward width, so that it is transformers' 3072 for every width. Scores in 16
// bits, dropped out, and their mask; every layer makes a mask of sequence x sequence of its own.
TEST(LayerBytes, BertIsAsWideAsItsDefault) {
  const double width = 1024, tokens = 512, scores = 16 * tokens * tokens;
  const LayerBytes bytes = bytes_of("bert_hf", "hidden1024_head16", "1_1_8_sp", "", 512);
  EXPECT_EQ(bytes.states, 16.0 / 8 * (4 * width * width + 2 * 3072 * width + 9 * width + 3072));
  EXPECT_EQ(bytes.kept, 18 * tokens * width + 4 * 3072 * tokens + 5 * scores + tokens * tokens + 2 * 2 * 4 * tokens);
  EXPECT_EQ(bytes_of("bert_hf", "hidden1024_head16", "1_1_8_c_sp", "", 512).kept, 2 * tokens * width + tokens * tokens);
}

// saved_tensors_hooks under PyTorch 1.13: float().pow(2).mean(-1) keeps its fp32 input and the squares.
TEST(LayerBytes, PyTorchOnesMeanKeepsTheSquares) {
  double kept[2];
  for (const bool old : {false, true}) {
    floptally::Run run = default_run();
    run.framework = *find_framework(old ? "huggingface-2022" : "huggingface");
    MemoryProfile memory(run);
    memory.enter("layers", 1, BlockKind::layer);
    memory.add(norm("norm", NormKind::rms, 128, 256));
    memory.leave();
    kept[old ? 1 : 0] = memory.layer(0).kept;
  }
  EXPECT_EQ(kept[1] - kept[0], 4 * 128 * 256);
}

TEST(LayerBytes, AModelOfAnotherNameIsReadFromItsSource) {
  const double width = 3584, ffn = 18944;
  const LayerBytes named = bytes_of("llama_hf", "llama-7b", "1_1_8_sp", "", 2048);
  const LayerBytes measured = bytes_of("llama_hf", "llama-7b", "1_1_8_sp", "configs/x.json@39263e01", 2048);
  EXPECT_EQ(measured.states, 16.0 / 8 * (4 * width * width + 3 * width * ffn + 2 * width));
  EXPECT_LT(named.states, measured.states);
}

TEST(LayerBytes, AttentionAloneOfExpertsHoldsBothNorms) {
  const LayerBytes bytes = bytes_of("moe", "mixtral-8x7b_attention", "1_1_8_sp", "@99a0f185", 4096);
  EXPECT_EQ(bytes.states, 16.0 / 8 * (2.5 * 4096 * 4096 + 2 * 4096));
  EXPECT_EQ(bytes_of("moe", "mixtral-8x7b", "1_1_8_sp", "", 4096).reason, "the sizes of its layer are not stated");
}

TEST(LayerBytes, WhatIsNotSaidIsNamed) {
  EXPECT_EQ(bytes_of("gpt", "hidden4096_head32", "1_1_8", "").unkept, "activations: no sequence is stated");
  EXPECT_EQ(bytes_of("gpt", "hidden4096_head32_seqlen2048", "1_1_16", "").unkept,
            "activations: the data ranks do not divide the batch");
  EXPECT_EQ(bytes_of("gpt", "someones", "1_1_8", "").reason, "the sizes of its layer are not stated");
  for (const char* family : {"llama_hf", "baichuan", "T5", "swin"})
    EXPECT_EQ(bytes_of(family, "hidden8192_head64_seqlen2048", "1_1_8", "").reason,
              "the sizes of its layer are not stated");
  EXPECT_EQ(bytes_of("baichuan", "hidden5120_head40_seqlen2048", "1_1_8", "").reason,
            "the sizes of its layer are not stated");
  LayerProfile broken;
  broken.strategy = "1_x_8";
  EXPECT_FALSE(read_strategy(broken));
}

}  // namespace
}  // namespace floptally
