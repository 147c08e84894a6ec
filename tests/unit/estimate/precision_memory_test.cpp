// What a format does to memory beside states: autocast's wide stream, losses of 16-bit logits, adapters in fp32; and
// what sharded weights and gradients hold where they are not given back at once.
#include <gtest/gtest.h>

#include "evidence/row.h"
#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

constexpr double kTokens = 512, kWidth = 1024;

Run plain(const char* precision) {
  Run run = default_run();
  run.framework = *find_framework("huggingface");
  run.precision = *find_precision(precision);
  return run;
}

// Sums take the wider format, so what a layer reads is fp32; every product casts its input for itself.
TEST(Autocast, PassesFp32FromLayerToLayer) {
  const DecoderShape shape = small_llama();
  const LayerMemory narrow = first_layer(shape, plain("bf16-mixed")), wide = first_layer(shape, plain("bf16-autocast"));
  EXPECT_DOUBLE_EQ(wide.input, 2 * narrow.input);
  EXPECT_DOUBLE_EQ(wide.input, kTokens * kWidth * 4);
  // Of two norms 2 bytes more of the scaled input (the input itself is as wide as an eager norm makes it anyway), of k,
  // v and up a cast input each.
  EXPECT_DOUBLE_EQ(wide.kept - narrow.kept, kTokens * kWidth * (2 * 2 + 3 * 2));
}

TEST(Autocast, IsNarrowWhereWeightsAreGatheredInTheComputeFormat) {
  floptally::Run run = plain("bf16-autocast");
  run.layout.zero = Zero::weights;
  run.layout.data = run.batch = 4;
  EXPECT_DOUBLE_EQ(first_layer(small_llama(), run).input, kTokens * kWidth * 2);
}

TEST(Loss, OfSixteenBitLogits) {
  floptally::Run run = plain("bf16-pure");
  run.layout.micro_batch = run.batch = 64;
  const double logits = 64 * kTokens * 32000;
  for (const int numbers : {3, 4}) {
    run.narrow_loss = numbers;
    const DeviceMemory m = memory_of(small_llama(), run);
    ASSERT_EQ(m.moment, Moment::loss);
    EXPECT_DOUBLE_EQ(m[Holds::logits], logits * 2 * numbers);
  }
  run.softcapped = true;
  EXPECT_DOUBLE_EQ(memory_of(small_llama(), run)[Holds::logits], logits * 2 * 5);
}

// Gemma 2's eager attention: what the tanh of the scores gave, and an fp32 softmax of it.
TEST(Scores, ThatATanhCapsAreKeptTwiceMore) {
  floptally::Run run = plain("bf16-pure");
  run.fused_attention = false;
  const double plainly = first_layer(small_llama(), run).kept;
  run.softcapped = true;
  constexpr double kHeads = 8;
  EXPECT_DOUBLE_EQ(first_layer(small_llama(), run).kept - plainly, kHeads * kTokens * kTokens * (2 + 4));
}

// CUBLAS_WORKSPACE_CONFIG=:4096:8: eight buffers of 4 MiB a handle, whatever the device.
TEST(Workspace, OfDeterministicRunsIs32MiBAHandle) {
  floptally::Run run = plain("bf16-pure");
  run.device = "A100-SXM-80GB";
  const double usual = memory_of(small_llama(), run)[Holds::workspace];
  run.deterministic = true;
  const double handles = run.framework.handles;
  ASSERT_GT(handles, 0);
  EXPECT_DOUBLE_EQ(memory_of(small_llama(), run)[Holds::workspace] - usual,
                   handles * (32.0 * 1024 * 1024 - device_overhead(run.device).cublas_workspace));
}

TEST(Loss, OfLogitsThatTensorRanksGather) {
  floptally::Run run = plain("bf16-pure");
  run.layout.tensor = 4;
  run.layout.micro_batch = run.batch = 64;
  run.narrow_loss = 3;
  const double cut = memory_of(small_llama(), run)[Holds::logits];
  run.whole_logits = true;
  EXPECT_DOUBLE_EQ(memory_of(small_llama(), run)[Holds::logits], 4 * cut);
}

TEST(Embedding, HeldWholeByEveryTensorRank) {
  floptally::Run run = plain("bf16-pure");
  run.layout.tensor = 4;
  const double cut = memory_of(small_llama(), run)[Holds::weights];
  run.whole_embedding = true;
  EXPECT_DOUBLE_EQ(memory_of(small_llama(), run)[Holds::weights] - cut, 2 * 32000 * kWidth * 3 / 4);
}

// torch/distributed/fsdp/_fully_shard: unsharded_accumulated_grad, in the format of the reduction.
TEST(Sharding, GradientsWithoutSynchronizationAreWholeAndFp32) {
  floptally::Run run = plain("bf16-pure");
  run.framework = *find_framework("torchtitan");
  run.layout.zero = Zero::weights;
  run.layout.data = run.batch = 4;
  run.unsynced = true;
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024, all = 4 * layer + 2.0 * 32000 * 1024 + 1024;
  EXPECT_LT(memory_of(small_llama(), run)[Holds::gradients], all);
  run.batch = 8;  // two micro-batches
  EXPECT_DOUBLE_EQ(memory_of(small_llama(), run)[Holds::gradients], 4 * all);
}

TEST(Sharding, WeightsThatStayGathered) {
  floptally::Run run = plain("bf16-mixed");
  run.layout.zero = Zero::weights;
  run.layout.data = run.batch = 4;
  const double two_layers = memory_of(small_llama(), run)[Holds::gathered];
  run.keeps_gathered = true;
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024, all = 4 * layer + 2.0 * 32000 * 1024 + 1024;
  EXPECT_GE(memory_of(small_llama(), run)[Holds::gathered], 2 * all);
  EXPECT_LT(two_layers, 2 * all);
}

// PEFT's adapters are fp32; without autocast what they drop out is, too.
TEST(Adapters, InFp32) {
  floptally::Run run = plain("bf16-pure");
  run.adapter.rank = 8;
  run.adapter.dropout = run.adapter.mlp = true;
  const LayerMemory narrow = first_layer(small_llama(), run);
  run.adapter.wide = true;
  const LayerMemory wide = first_layer(small_llama(), run);
  EXPECT_DOUBLE_EQ(wide.kept - narrow.kept, kTokens * (6 * kWidth + 2816) * 2);  // of all seven matrices
  EXPECT_GT(wide.working, narrow.working);
}

EvidenceRow row_of(const std::string& columns, const std::string& cells) {
  Source source;
  source.name = "rows.csv";
  source.text = "id,src,gpu,layers,hidden,heads,ffn,vocab,seq_len,mem_alloc_gib," + columns +
                "\na,somewhere,h100_80gb,4,1024,8,4096,32000,512,10," + cells + "\n";
  const Result<Csv> csv = Csv::read(source);
  EXPECT_TRUE(csv.ok());
  return read_evidence(*csv)->front();
}

TEST(Labels, OfShardingLossAndStages) {
  const EvidenceRow row =
      row_of("n_gpus,micro_batch,grad_accum,zero,loss,adapter,method",
             "8,2,4,FSDP2 no_sync no_reshard,16-bit held whole; embedding,query dropout fp32 rank 4,lora");
  ASSERT_EQ(row.reason, "");
  EXPECT_TRUE(row.run.unsynced);
  EXPECT_TRUE(row.run.keeps_gathered);
  EXPECT_TRUE(row.run.whole_logits);
  EXPECT_TRUE(row.run.whole_embedding);
  EXPECT_TRUE(row.run.adapter.wide);
  EXPECT_EQ(row.run.narrow_loss, 4);
  EXPECT_EQ(row.run.batch, 64);  // micro-batch, steps of accumulation and ranks
  const EvidenceRow uneven = row_of("n_gpus,micro_batch,global_batch,pp,stages", "2,1,8,2,3+1");
  ASSERT_EQ(uneven.reason, "");
  EXPECT_EQ(uneven.run.layout.stages, (std::vector<std::int64_t>{3, 1}));
  EXPECT_NE(row_of("n_gpus,micro_batch,global_batch,pp,stages", "2,1,8,2,3+2").reason, "");
  EXPECT_NE(row_of("n_gpus,micro_batch,global_batch,pp,stages", "2,1,8,2,3+x").reason, "");
}

}  // namespace
}  // namespace floptally
