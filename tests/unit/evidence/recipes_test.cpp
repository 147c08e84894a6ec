// What rows leave to the recipes of their source, and what those recipes hold in memory.
#include <gtest/gtest.h>

#include "evidence/card.h"
#include "evidence/labels.h"
#include "evidence/row.h"

namespace floptally {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

const char* const kHeader =
    "id,src,model,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,seq_len,gpu,n_gpus,tp,pp,vp,cp,sp,zero,micro_batch,"
    "global_batch,precision,recompute,notes,mem_reserved_gib";

EvidenceRow row_of(const std::string& cells) {
  Source source;
  source.name = "rows.csv";
  source.text = std::string(kHeader) + "\n" + cells + "\n";
  const Result<Csv> csv = Csv::read(source);
  EXPECT_TRUE(csv.ok());
  return read_evidence(*csv)->front();
}

double gib_of(const EvidenceRow& row) {
  const DeviceMemory memory = predict_memory(row);
  return memory_lines(memory, row.run, 1, 1).visible.best / kGib;
}

bool assumes(const std::vector<std::string>& said, const std::string& words) {
  for (const std::string& one : said) {
    if (one.find(words) != std::string::npos) return true;
  }
  return false;
}

const std::string kLlama70b = "llama3-70b,80,8192,64,8,28672,1,128256,8192,";
const std::string kMpt760m = "mpt-760m,24,1536,12,12,6144,0,50368,2048,";

TEST(SourceRecipes, WordsThatScriptsWriteForNothing) {
  const EvidenceRow row =
      row_of("a,own," + kLlama70b + "h100_80gb,64,4,4,None,null,False,zero1,1,128,bf16,None None,,60");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.chunks, 1);
  EXPECT_FALSE(row.run.layout.sequence_parallel);
  EXPECT_EQ(row.run.recompute.mode, Recompute::Mode::none);
  EXPECT_TRUE(
      row_of("a,own," + kLlama70b + "h100_80gb,64,4,4,,,True,zero1,1,128,bf16,[],,60").run.layout.sequence_parallel);
  EXPECT_EQ(recompute_label("none (-r 0)")->mode, Recompute::Mode::none);
}

// NeMo scripts/performance/helpers.py: distributed optimizer, 16-bit gradients, fp8 parameters gathered as they are.
TEST(SourceRecipes, NemoSharesStatesThatItsTablesDoNotMention) {
  const EvidenceRow row = row_of("a,NVIDIA/dgxc-benchmarking," + kLlama70b + "h100_80gb,64,4,8,5,1,,,1,128,fp8,,,60");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.zero, Zero::optimizer);
  EXPECT_EQ(row.run.framework.gradients, Dtype::bfloat16);
  EXPECT_TRUE(row.run.precision.copies.empty());
  EXPECT_TRUE(row.run.loss_in_place);
  EXPECT_LT(gib_of(row), 78.8);  // it ran
}

TEST(SourceRecipes, MicroBatchOfOneWhereNemoHasNoColumnForIt) {
  const EvidenceRow row = row_of("a,NVIDIA/NeMo docs," + kLlama70b + "h100_80gb,64,8,1,,8,,,,64,fp8,,,60");
  EXPECT_EQ(row.run.layout.micro_batch, 1);
  EXPECT_TRUE(assumes(row.assumed, "micro-batch 1"));
}

TEST(SourceRecipes, ALayoutThatNobodyStatedIsMissing) {
  const EvidenceRow row = row_of("a,NVIDIA/dgxc-benchmarking," + kLlama70b + "h100_80gb,512,,,,,,,,256,fp8,,,60");
  EXPECT_EQ(row.reason, "tp and pp are missing");
}

TEST(SourceRecipes, WhatMegatronBridgeThrowsAwayAndMovesToTheHost) {
  const std::string gb200 = "gb200,64,1,1,,1,,fsdp_64,2,256,fp8-cs,";
  const EvidenceRow row = row_of("a,Megatron-Bridge perf summary," + kLlama70b + gb200 + ",,180");
  EXPECT_TRUE(row.run.offload.activations);
  EXPECT_EQ(row.run.offload.layers, 40);
  EXPECT_TRUE(assumes(row.noted, "40 layers offloaded"));
  EvidenceRow whole = row;
  whole.run.offload = {};
  EvidenceRow all = row;
  all.run.offload.layers = 0;
  // Of 80 layers' activations 42 stay: those of the other 40, of the layer in use and of the one on its way.
  const double kept = predict_memory(row)[Holds::activations], every = predict_memory(whole)[Holds::activations];
  EXPECT_NEAR(kept / every, 42.0 / 80, 1e-3);
  EXPECT_LT(predict_memory(all)[Holds::activations], kept);
  // What the row says itself rules, and the recipe of shared weights is not that of copies.
  EXPECT_FALSE(row_of("a,Megatron-Bridge perf summary," + kLlama70b + gb200 + "none,,180").run.offload.activations);
  EXPECT_FALSE(row_of("a,Megatron-Bridge perf summary," + kLlama70b +
                      "gb200,64,2,4,5,1,,distributed_optimizer,1,256,fp8-cs,,,180")
                   .run.offload.activations);
  EXPECT_FALSE(row_of("a,own," + kLlama70b + gb200 + ",,180").run.offload.activations);
}

// Composer with flash attention's cross entropy: 2 bytes for a logit and 2 for its gradient, nothing dropped out.
TEST(SourceRecipes, LlmFoundryFitsWhereItRan) {
  const EvidenceRow row =
      row_of("a,llm-foundry," + kMpt760m + "a100_40gb,8,1,1,,1,,fsdp_full_shard,12,384,bf16/mp=PURE,none,,38");
  EXPECT_EQ(row.framework, "composer");
  EXPECT_FALSE(row.run.hidden_dropout);
  EXPECT_LT(gib_of(row), 39.4);
  EXPECT_GT(gib_of(row), 25);
  const DeviceMemory memory = predict_memory(row);
  const double logits = 12.0 * 2048 * 50368;
  EXPECT_GE(memory.at[static_cast<int>(Moment::loss)], 4 * logits);
}

// MaxText on TPU: slices are copies, one layer gathered at a time, memory planned by the compiler.
TEST(SourceRecipes, MaxTextSharesWithinASlice) {
  const std::string shape = "maxtext_32b,32,8192,64,64,28672,1,32000,2048,tpu_v5e,";
  const EvidenceRow one = row_of("a,MaxText tpu/v5e README," + shape + "256,1,1,,1,,fsdp,4,1024,bf16,full,slices=1,15");
  const EvidenceRow two = row_of("a,MaxText tpu/v5e README," + shape + "512,1,1,,1,,fsdp,4,2048,bf16,full,slices=2,15");
  EXPECT_EQ(one.framework, "maxtext");
  EXPECT_EQ(two.run.layout.shard_ranks(), 256);
  EXPECT_DOUBLE_EQ(gib_of(one), gib_of(two));
  EXPECT_LT(gib_of(one), 16);
  EXPECT_EQ(one.run.framework.reserved.best, 1);
  EvidenceRow ahead = one;
  ahead.run.framework.planned = false;
  const double layer = 4.0 * 8192 * 8192 + 3.0 * 8192 * 28672 + 2.0 * 8192;
  // A layer more is gathered, and the last one's gradient is on its way in fp32.
  EXPECT_NEAR(predict_memory(ahead)[Holds::gathered] - predict_memory(one)[Holds::gathered], 6 * layer, 1e6);
  EXPECT_EQ(predict_memory(one)[Holds::workspace], 0);
}

// A fractional per_device_batch_size: the devices that have one sequence together share it.
TEST(SourceRecipes, FewerSequencesThanDataRanksAreShared) {
  const std::string cells = "llama3.1-70b,80,8192,64,8,28672,1,128256,131072,";
  const EvidenceRow row =
      row_of("a,AI-Hypercomputer tpu-recipes ironwood," + cells + "tpu_v7(ironwood),256,1,1,,,,fsdp,1,64,bf16,full,,");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.context, 4);
  EXPECT_EQ(row.run.layout.data, 64);
  const EvidenceRow whole =
      row_of("a,AI-Hypercomputer tpu-recipes ironwood," + cells + "tpu_v7(ironwood),256,1,1,,,,fsdp,1,256,bf16,full,,");
  EXPECT_EQ(whole.run.layout.context, 1);
  EXPECT_LT(gib_of(row), gib_of(whole) / 2);
}

// perf_recipes/deepseek: moe_router_force_load_balancing, and recompute_modules where a card prints "None None".
TEST(SourceRecipes, BenchmarksOfMegatronBridgeSpreadTokensEvenly) {
  const std::string cells = kLlama70b + "h100_80gb,64,4,4,5,1,,,1,128,bf16,,,60";
  EXPECT_EQ(row_of("a,Megatron-Bridge perf summary," + cells).run.expert_load, 1);
  EXPECT_EQ(row_of("a,Megatron-Bridge skills," + cells).run.expert_load, 0);
  const std::string card =
      "deepseek-ai/DeepSeek-V3,61,7168,128,128,18432,1,129280,4096,h100,1024,2,8,4,1,True,,1,16384,bf16,";
  EXPECT_EQ(row_of("a,Megatron-Bridge verification card," + card + "None None,,60").run.recompute.mode,
            Recompute::Mode::selective);
  EXPECT_EQ(row_of("a,Megatron-Bridge verification card," + card + "[],,60").run.recompute.mode, Recompute::Mode::none);
}

// MaxText's policies: what is neither kept nor moved is made again; XLA fuses the loss.
TEST(SourceRecipes, MaxTextMovesLayerInputsToTheHost) {
  EXPECT_TRUE(offloads_inputs("custom(offload:decoder_layer_input+query_proj)"));
  EXPECT_FALSE(offloads_inputs("qkv_proj_offloaded"));
  EXPECT_EQ(recompute_label("qkv_proj_offloaded")->mode, Recompute::Mode::full);
  EXPECT_FALSE(recompute_label("custom"));
  const std::string shape = "llama3.1-405b,126,16384,128,8,53248,1,128256,8192,tpu_v7(ironwood),256,,,,,,,,1536,bf16,";
  const EvidenceRow row = row_of("a,AI-Hypercomputer tpu-recipes ironwood," + shape + ",,150");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.micro_batch, 6);
  EXPECT_TRUE(row.run.offload.activations);
  EXPECT_TRUE(row.run.chunked_loss);
  EXPECT_LT(gib_of(row), 192);  // it ran
}

// PyTorch's allocator gives cached blocks back before an allocation fails.
TEST(SourceRecipes, WhatIsNeededAtOnceDecidesWhetherItFits) {
  const EvidenceRow row = row_of("a,own," + kLlama70b + "h100_80gb,64,4,4,5,1,,zero1,1,128,bf16,none,,60");
  const MemoryLines lines = memory_lines(predict_memory(row), row.run, 0.9, 1.1);
  const Spread context = device_overhead("H100-SXM").context;
  EXPECT_DOUBLE_EQ(lines.needed.best, lines.allocated.best + context.best);
  EXPECT_DOUBLE_EQ(lines.needed.low, lines.allocated.low + context.low);
  EXPECT_LT(lines.needed.best, lines.visible.best);
}

// Versions of transformers: who holds the logits, and whether FSDP is the first.
TEST(SourceRecipes, TransformersByItsAge) {
  const auto row = [](const std::string& source, const std::string& zero, const std::string& notes) {
    return row_of("a," + source + "," + kLlama70b + "h100_80gb,64,1,1,,1,," + zero + ",1,128,bf16-true,full," + notes +
                  ",60");
  };
  EXPECT_EQ(row("fms-acceleration", "none", "").run.framework.loss_forward, 14);
  EXPECT_EQ(row("fms-acceleration", "none", "transformers 4.45").run.framework.loss_forward, 12);
  EXPECT_EQ(row("fms-acceleration", "none", "transformers 4.48").run.framework.loss_forward, 14);
  EXPECT_EQ(row("fms-acceleration", "fsdp", "").run.framework.name, "huggingface-fsdp");
  EXPECT_EQ(row("fms-acceleration", "FSDP2", "").run.framework.name, "huggingface");
  EXPECT_EQ(row("QwenLM/Qwen", "none", "").run.framework.loss_backward, 12);
  // fsdp_llama2.py: outputs = model(**batch) lives until the next one's.
  EXPECT_EQ(row("atorch@7fb7da8 examples/llama2/README.md FSDP", "zero3", "").run.framework.loss_backward, 16);
}

}  // namespace
}  // namespace floptally
