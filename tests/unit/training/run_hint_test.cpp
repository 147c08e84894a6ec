// Files that say a run in other words: the file that is suggested is one that is read.
#include "training/run_hint.h"

#include <gtest/gtest.h>

#include "document/document.h"

namespace floptally {
namespace {

std::string hint_of(const std::string& text) {
  const Source source{"run.yaml", text};
  const Result<Document> document = read_document(source);
  EXPECT_TRUE(document.ok()) << text;
  return run_hint(document->root()).text;
}

TEST(RunHint, KeysAtTheTopGoToTheirPlaces) {
  EXPECT_EQ(hint_of("model: llama-3-70b\nsequence: 8k\nbatch: 256\ndevice: H100-SXM\nlayout: {devices: 64, zero: 3}\n"),
            "run: 1\nmodel: llama-3-70b\ntrain: {sequence: 8k, batch: 256}\nhardware: {device: H100-SXM, devices: 64}\n"
            "layout: {zero: 3}\n");
}

TEST(RunHint, Axolotl) {
  EXPECT_EQ(
      hint_of("base_model: NousResearch/Meta-Llama-3-8B\nload_in_8bit: false\nload_in_4bit: true\nadapter: qlora\n"
              "lora_r: 32\nlora_dropout: 0.05\nlora_target_linear: true\nsequence_len: 4096\n"
              "gradient_accumulation_steps: 4\nmicro_batch_size: 2\noptimizer: paged_adamw_8bit\nbf16: auto\n"
              "fp16:\ngradient_checkpointing: true\nflash_attention: true\nlearning_rate: 0.0002\n"),
      "run: 1\nmodel: NousResearch/Meta-Llama-3-8B\ntrain: {sequence: 4096, batch: 8}\nlayout: {micro_batch: 2}\n"
      "precision: bf16-mixed\noptimizer: adam-8bit\nrecompute: full\nadapter: {base: nf4, rank: 32, dropout: true, "
      "targets: [query, key, value, output, mlp]}\nframework: huggingface\nattention: fused\n");
}

TEST(RunHint, DeepSpeed) {
  EXPECT_EQ(
      hint_of("model: llama-3-8b\ntrain_batch_size: 64\ntrain_micro_batch_size_per_gpu: 2\nfp16: {enabled: false}\n"
              "bf16: {enabled: true}\noptimizer: {type: AdamW, params: {lr: 1e-4}}\n"
              "zero_optimization: {stage: 3, offload_optimizer: {device: cpu}, offload_param: {device: none}}\n"),
      "run: 1\nmodel: llama-3-8b\ntrain: {batch: 64}\nlayout: {micro_batch: 2, zero: 3}\nprecision: bf16-mixed\n"
      "optimizer: adamw\noffload: [optimizer]\n");
}

TEST(RunHint, MegatronAndItsBatch) {
  EXPECT_EQ(hint_of("run: 1\nmodel: llama-3-70b\ntensor-model-parallel-size: 8\npipeline_model_parallel_size: 4\n"
                    "use_distributed_optimizer: true\ngpus: 64xH100-SXM\ngradient_accumulation_steps: 8\n"),
            "run: 1\nmodel: llama-3-70b\ntrain: {batch: 16}\nhardware: {devices: 64, device: H100-SXM}\n"
            "layout: {tensor: 8, pipeline: 4, zero: 1}\n");
}

TEST(RunHint, TorchTitan) {
  EXPECT_EQ(hint_of("model: {name: llama3, flavor: 8B}\ntraining: {local_batch_size: 1, seq_len: 8192}\n"
                    "parallelism: {data_parallel_shard_degree: -1, tensor_parallel_degree: 2,\n"
                    "  pipeline_parallel_schedule: Interleaved1F1B}\nactivation_checkpoint: {mode: selective}\n"),
            "run: 1\nmodel: llama3-8B\ntrain: {sequence: 8192}\nlayout: {micro_batch: 1, tensor: 2, "
            "schedule: interleaved, zero: 3}\nrecompute: {mode: selective}\nframework: fsdp\n");
}

TEST(RunHint, WhatIsRightStays) {
  const std::string text =
      "run: 1\ntitle: \"a: b\"\nmodel: {kind: decoder, layers: 2}\ntrain: {tokens: 1e9}\nlayout: {stages: [1, 1]}\n"
      "precision: {recipe: bf16-mixed, master: none}\nrecompute: {every: 2}\n";
  const Source source{"run.yaml", text};
  const Result<Document> document = read_document(source);
  EXPECT_EQ(run_hint(document->root()).text, text);
}

TEST(RunHint, NothingIsFoldedWhereNothingIsKnown) {
  const Source source{"run.yaml", "run: 1\nfoo: 1\nbar: 2\n"};
  const Result<Document> document = read_document(source);
  Diagnostics problems{error("unknown-key", "'foo'", document->root().find("foo").key_span()),
                       error("unknown-key", "'bar'", document->root().find("bar").key_span())};
  EXPECT_FALSE(explain_keys(document->root(), problems));
  EXPECT_EQ(problems.size(), 2U);
}

}  // namespace
}  // namespace floptally
