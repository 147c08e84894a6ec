// What stays in memory though no formula of activations asks for it: blocks of collectives, graphs, caches, gradients.
#include <gtest/gtest.h>

#include "evidence/card.h"
#include "evidence/row.h"

namespace floptally {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

const char* const kHeader =
    "id,src,model,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,tied,seq_len,experts,topk,moe_ffn,gpu,n_gpus,tp,pp,"
    "sp,"
    "zero,micro_batch,grad_accum,global_batch,precision,recompute,attention,framework,notes,mem_reserved_gib";

EvidenceRow row_of(const std::string& cells) {
  Source source;
  source.name = "rows.csv";
  source.text = std::string(kHeader) + "\n" + cells + "\n";
  const Result<Csv> csv = Csv::read(source);
  EXPECT_TRUE(csv.ok());
  EvidenceRow row = read_evidence(*csv)->front();
  EXPECT_EQ(row.reason, "");
  return row;
}

EvidenceRow nanotron(const std::string& layers, const std::string& tensor, const std::string& pipeline,
                     const std::string& tied = "1") {
  return row_of("a,playbook (nanotron),x," + layers + ",2048,32,32,8192,1,131072," + tied + ",4096,,,,h100_80gb,64," +
                tensor + "," + pipeline + ",1,none,4,,256,bf16,none,,,,30");
}

// One row of all tokens and the hidden width in 16 bits.
constexpr double kTokens = 4.0 * 4096 * 2048 * 2;

TEST(Held, ARowSaysWhetherItsTableServesTwice) {
  const double table = 131072.0 * 2048 / 16 * (2 + 4 + 4 + 8 + 2);
  const double tied = predict_memory(nanotron("16", "16", "1")).allocated(),
               apart = predict_memory(nanotron("16", "16", "1", "0")).allocated();
  EXPECT_NEAR(apart - tied, table, 1);
  EXPECT_DOUBLE_EQ(predict_memory(nanotron("16", "16", "1", "True")).allocated(), tied);
}

TEST(Held, InputsAndGradientsAreGatheredIntoABufferEach) {
  EvidenceRow row = nanotron("16", "16", "1");
  const DeviceMemory kept = predict_memory(row);
  row.run.framework.gather_buffers = 0;
  const DeviceMemory without = predict_memory(row);
  EXPECT_EQ(kept.moment, Moment::loss);
  EXPECT_NEAR(kept.allocated() - without.allocated(), 2 * kTokens, 1);
}

// 1,024 launches of 30 are 34 layers: 16 forward, and of the other 18 half as many backward.
TEST(Held, CollectivesHoldWhatTheHostIsAheadOf) {
  const double queued = 1024.0 / 30;
  EXPECT_NEAR(predict_memory(nanotron("16", "16", "1")).elsewhere, 2 * kTokens * (16 + (queued - 16) / 2), 1e3);
  EXPECT_NEAR(predict_memory(nanotron("80", "16", "1")).elsewhere, 2 * kTokens * queued, 1e3);
  EXPECT_EQ(predict_memory(nanotron("16", "16", "2")).elsewhere, 0);
  DeviceMemory memory = predict_memory(nanotron("80", "16", "1"));
  memory.bound(memory.allocated() + kGib);
  EXPECT_DOUBLE_EQ(memory.elsewhere, kGib);
  memory.bound(memory.allocated() / 2);
  EXPECT_EQ(memory.elsewhere, 0);
}

// Keys and values of 32 layers, 4 x 4,096 tokens: this step's and the last one's.
TEST(Held, KeysAndValuesOfThisStepAndTheLast) {
  const std::string row = "a,b,x,32,4096,32,32,11008,1,32000,0,4096,,,,a100_80gb,64,1,1,0,zero3,4,1,256,bf16,full,";
  const DeviceMemory plain = predict_memory(row_of(row + ",huggingface,,30")),
                     cached = predict_memory(row_of(row + "cached,huggingface,,30"));
  EXPECT_EQ(row_of(row + ",huggingface,,30").framework, "huggingface");  // a named framework rules over the label
  const double step = 32 * 2 * 4.0 * 4096 * 4096 * 2;
  EXPECT_EQ(cached.moment, Moment::loss);
  EXPECT_NEAR(cached.allocated() - plain.allocated(), 2 * step, 1);
}

std::string experts(const std::string& notes) {
  return "a,KempnerForge,x,24,2048,16,4,7168,1,128256,0,4096,8,2,7168,h200,8,1,1,0,FSDP2,4,1,32,bf16-true,full,,"
         "kempnerforge," +
         notes + ",30";
}

// The graph that the router's loss holds: 24 layers of attention, made again one after the other.
TEST(Held, ARouterKeepsWhatWasMadeAgainBeforeIt) {
  EvidenceRow row = row_of(experts(""));
  row.run.narrow_loss = 4;
  const DeviceMemory held = predict_memory(row);
  EXPECT_EQ(held.moment, Moment::layer_backward);
  row.run.framework.router_graphs = false;
  const DeviceMemory freed = predict_memory(row);
  EXPECT_GT(held.allocated() - freed.allocated(), 10 * kGib);
  row.run.expert_load = 1;  // balanced: nothing is padded
  const DeviceMemory even = predict_memory(row);
  EXPECT_GT(freed.allocated() - even.allocated(), 3 * kGib);
}

// One graph gives all gradients at its end, beside those that are accumulated, and the embedding's in fp32.
TEST(Held, AWholeGraphGivesAllGradientsAtOnce) {
  const std::string row =
      "a,b,x,32,4096,32,8,14336,1,128256,0,4096,,,,h200,1,1,1,0,none,1,4,,bf16-true,full,,kempnerforge,";
  const DeviceMemory whole = predict_memory(row_of(row + "torch.compile,80")),
                     eager = predict_memory(row_of(row + ",80"));
  EXPECT_EQ(whole.moment, Moment::layer_backward);
  EXPECT_GT(whole[Holds::working], whole[Holds::gradients] + 128256.0 * 4096 * 4);
  EXPECT_EQ(eager.moment, Moment::loss);
}

// Stages that are resharded after each forward pass: at the end of a backward pass all weights, one micro-batch less.
TEST(Held, ReshardedStagesBecomeWholeAgain) {
  EvidenceRow row =
      row_of("a,KempnerForge,x,40,5120,40,8,17920,1,128256,0,4096,,,,h200,32,4,2,0,FSDP2,4,4,64,bf16-true,full,,,,24");
  const DeviceMemory again = predict_memory(row);
  row.run.framework.reshards_root = false;
  const DeviceMemory whole = predict_memory(row);
  // Inputs of 20 layers and what the embedding keeps of its words; one layer is at work.
  const double one = 19.0 / 20 * 4 * 4096 * (20 * 5120 * 2 + 8);
  EXPECT_EQ(again.moment, Moment::layer_backward);
  EXPECT_NEAR(whole.allocated() - again.allocated(), one, 1);
  EXPECT_DOUBLE_EQ(whole[Holds::gathered], again[Holds::gathered]);
}

}  // namespace
}  // namespace floptally
