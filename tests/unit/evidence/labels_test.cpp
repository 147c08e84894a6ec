// Labels as sources write them: known ones are read, unknown ones are told apart.
#include "evidence/labels.h"

#include <gtest/gtest.h>

#include "evidence/columns.h"
#include "evidence/row.h"

namespace floptally {
namespace {

TEST(Labels, Precision) {
  const std::pair<const char*, const char*> cases[] = {{"bf16", "bf16-mixed"},
                                                       {"BF16", "bf16-mixed"},
                                                       {"fp16", "fp16-mixed"},
                                                       {"bf16-true", "bf16-pure"},
                                                       {"32-true", "fp32"},
                                                       {"tf32", "tf32"},
                                                       {"fp32", "fp32"},
                                                       {"fp8-cs", "fp8-tensorwise"},
                                                       {"fp8_cs", "fp8-tensorwise"},
                                                       {"MXFP8", "mxfp8"},
                                                       {"fp8-mx", "mxfp8"},
                                                       {"nvfp4", "nvfp4"},
                                                       {"fp8", "fp8-delayed"},
                                                       {"fp8-sc", "fp8-block"},
                                                       {"fp16 pure", "bf16-pure"},
                                                       {"torch.amp bf16", "bf16-autocast"},
                                                       {"amp", "fp16-autocast"},
                                                       {"float8 tensorwise", "fp8-tensorwise"},
                                                       {"bf16/mp=PURE", "bf16-mixed"},
                                                       {"O1", "fp16-autocast"},
                                                       {"f32", "fp32"},
                                                       {"int3", ""},
                                                       {"bf16 + nf4", ""},
                                                       {"", ""}};
  for (const auto& [label, name] : cases) EXPECT_EQ(precision_label(label, false), name) << label;
  EXPECT_EQ(precision_label("bf16-mixed", true), "bf16-autocast");
}

TEST(Labels, Recompute) {
  EXPECT_EQ(recompute_label("")->mode, Recompute::Mode::none);
  EXPECT_EQ(recompute_label("None")->mode, Recompute::Mode::none);
  EXPECT_EQ(recompute_label("True")->mode, Recompute::Mode::full);
  EXPECT_EQ(recompute_label("activation checkpointing")->mode, Recompute::Mode::full);
  EXPECT_EQ(recompute_label("full/block/4/")->layers, 4);
  EXPECT_EQ(recompute_label("full/uniform/2/")->group, 2);
  EXPECT_EQ(recompute_label("selective:moe_act+layernorm")->modules, Recompute::expert_activations | Recompute::norms);
  EXPECT_EQ(recompute_label("selective")->modules, Recompute::core_attention);
  EXPECT_EQ(recompute_label("selective (per-op SAC)")->modules, Recompute::operators);
  EXPECT_EQ(recompute_label("selective:[]")->modules, 0U);
  EXPECT_EQ(recompute_label("no checkpointing")->mode, Recompute::Mode::none);
  EXPECT_EQ(recompute_label("without")->mode, Recompute::Mode::none);
  EXPECT_EQ(recompute_label("True (use_reentrant=False)")->mode, Recompute::Mode::full);
  EXPECT_EQ(recompute_label("full block 4")->layers, 4);
  EXPECT_EQ(recompute_label("block 4")->layers, 4);
  EXPECT_EQ(recompute_label("full (uniform, 2)")->group, 2);
  EXPECT_EQ(recompute_label("every 2 layers")->every, 2);
  EXPECT_EQ(recompute_label("selective (2)")->every, 2);  // torchtitan: every second layer whole
  EXPECT_EQ(recompute_label("selective (2)")->mode, Recompute::Mode::full);
  EXPECT_TRUE(offloads_inputs("unsloth"));
  EXPECT_FALSE(recompute_label("sometimes"));
  EXPECT_FALSE(recompute_label("50%"));
}

TEST(Labels, Sharing) {
  EXPECT_EQ(sharing_label("zero1=8")->ranks, 8);
  EXPECT_EQ(sharing_label("ZeRO-3")->zero, Zero::weights);
  EXPECT_EQ(sharing_label("3.0")->zero, Zero::weights);
  EXPECT_EQ(sharing_label("stage 2")->zero, Zero::gradients);
  EXPECT_EQ(sharing_label("FSDP2")->zero, Zero::weights);
  EXPECT_EQ(sharing_label("FULL_SHARD")->zero, Zero::weights);
  EXPECT_EQ(sharing_label("SHARD_GRAD_OP")->zero, Zero::gradients);
  EXPECT_EQ(sharing_label("HSDP (4)")->ranks, 4);
  EXPECT_TRUE(sharing_label("hsdp")->within_node);
  EXPECT_EQ(sharing_label("distributed_optimizer")->zero, Zero::optimizer);
  EXPECT_EQ(sharing_label("no")->zero, Zero::none);
  EXPECT_EQ(sharing_label("ds_z3")->zero, Zero::weights);
  EXPECT_EQ(sharing_label("_hybrid_shard_zero2")->zero, Zero::gradients);
  EXPECT_TRUE(sharing_label("_hybrid_shard_zero2")->within_node);
  EXPECT_TRUE(sharing_label("zero3_offload")->offloaded);
  EXPECT_TRUE(sharing_label("FSDP (CPU offload)")->offloaded);
  EXPECT_FALSE(sharing_label("zero3")->offloaded);
  EXPECT_FALSE(sharing_label("perhaps"));
}

TEST(Labels, TasksThatAreNoStepOfTraining) {
  for (const char* task : {"", "pretrain", "sft", "instruction tuning", "full fine-tune", "train (rank 0)", "QLoRA"})
    EXPECT_EQ(task_reason(task), "") << task;
  for (const char* task : {"inference", "prefill", "decode", "DPO", "rl", "GaLore", "DoRA", "reward model", "eval"})
    EXPECT_NE(task_reason(task), "") << task;
}

TEST(Labels, Models) {
  EXPECT_EQ(model_spellings("mistralai/Mixtral-8x7B-Instruct-v0.1").back(), "mixtral-8x7b");
  EXPECT_EQ(split_size("gpt-3-175b"), (std::pair<std::string, double>("gpt-3", 175e9)));
  EXPECT_EQ(split_size("llama-3"), (std::pair<std::string, double>("llama-3", 0)));
}

EvidenceRow row_of(const std::string& header, const std::string& cells) {
  Source source;
  source.name = "rows.csv";
  source.text = header + "\n" + cells + "\n";
  Result<Csv> csv = Csv::read(source);
  EXPECT_TRUE(csv.ok());
  name_columns(*csv);
  return read_evidence(*csv)->front();
}

const char* const kHeader =
    "id,params,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,seq_len,gpu,n_gpus,tp,pp,dp,zero,micro_batch,"
    "global_batch,precision,recompute,oom,mem_alloc_gib";

TEST(Labels, TheEmptyAxisFollowsFromTheOthers) {
  const EvidenceRow row =
      row_of(kHeader, "a,,32,4096,32,8,14336,1,128256,4096,h100_80gb,64,,2,8,zero1,1,64,bf16,none,,40");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.tensor, 4);
  const EvidenceRow both =
      row_of(kHeader, "a,,32,4096,32,8,14336,1,128256,4096,h100_80gb,64,,,8,zero1,1,64,bf16,none,,40");
  EXPECT_EQ(both.reason, "tp and pp are missing: 8 devices share a replica");
}

TEST(Labels, ExpertsAreSpreadOverRanksThatThereAre) {
  const std::string header =
      "id,layers,hidden,heads,kv_heads,ffn,gated_ffn,moe_ffn,experts,topk,vocab,seq_len,gpu,n_gpus,tp,pp,ep,etp,"
      "micro_batch,global_batch,precision,mem_alloc_gib";
  const std::string sizes = "a,32,4096,32,8,14336,1,14336,8,2,32000,4096,h100_80gb,";
  EXPECT_EQ(row_of(header.c_str(), sizes + "8,2,1,8,1,1,8,bf16,40").reason, "");
  EXPECT_EQ(row_of(header.c_str(), sizes + "8,2,1,8,2,1,8,bf16,40").reason,
            "ep x etp = 16 is more than the 8 ranks of a pipeline stage");
}

TEST(Labels, OffloadedStatesLiveOnTheHost) {
  const EvidenceRow row =
      row_of(kHeader, "a,,32,4096,32,8,14336,1,128256,4k,h100_80gb,8,1,1,8,zero3_offload,1,8,bf16,none,,40");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.shape.sequence, 4096);
  EXPECT_TRUE(row.run.offload.optimizer && row.run.offload.weights);
}

TEST(Labels, NumbersWithTheirSuffix) {
  const std::string rest = ",32,4096,32,8,14336,1,128256,4k,h100_80gb,8,1,1,8,zero1,1,8,bf16,none,,40";
  EXPECT_EQ(row_of(kHeader, "a,8.03B" + rest).parameters, 8.03e9);
  EXPECT_EQ(row_of(kHeader, "a,8030261248.0" + rest).parameters, 8030261248);
  EXPECT_EQ(row_of(kHeader, "a,8e9" + rest).parameters, 8e9);
  EXPECT_NE(row_of(kHeader, "a,eight" + rest).reason, "");
}

TEST(Labels, FourBitsAreTheBaseOfAdaptersOnly) {
  const std::string header =
      "id,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,seq_len,gpu,n_gpus,micro_batch,global_batch,precision,"
      "task,lora_rank,target_modules,mem_alloc_gib";
  const std::string sizes = "a,32,4096,32,8,14336,1,128256,4096,h100_80gb,1,1,1,";
  const EvidenceRow adapted = row_of(header, sizes + "nf4,qlora,16,\"q_proj,k_proj\",12");
  EXPECT_EQ(adapted.reason, "");
  EXPECT_EQ(adapted.run.adapter.rank, 16);
  EXPECT_TRUE(adapted.run.adapter.query && adapted.run.adapter.key);
  EXPECT_FALSE(adapted.run.adapter.value || adapted.run.adapter.mlp);
  EXPECT_EQ(adapted.run.adapter.base, Dtype::nf4);
  EXPECT_EQ(row_of(header, sizes + "nf4,sft,,,12").reason, "precision: \"nf4\" is not a known label");
}

TEST(Labels, MemoryHasTheUnitOfItsColumn) {
  const auto memory_of = [](const std::string& column, const std::string& cell) {
    Source source;
    source.name = "rows.csv";
    source.text =
        "id,layers,hidden,heads,vocab,seq_len,micro_batch," + column + "\na,2,256,4,1000,128,1," + cell + "\n";
    Result<Csv> csv = Csv::read(source);
    EXPECT_TRUE(name_columns(*csv).empty()) << column;
    return read_evidence(*csv)->front();
  };
  constexpr double kMib = 1024.0 * 1024;
  EXPECT_EQ(memory_of("max_memory_allocated (MiB)", "512").allocated, 512 * kMib);
  EXPECT_EQ(memory_of("mem_alloc_bytes", "1048576").allocated, kMib);
  EXPECT_EQ(memory_of("peak reserved memory [MiB]", "7").other, 7 * kMib);
  EXPECT_EQ(memory_of("VRAM", "2 GiB").other, 2048 * kMib);
  EXPECT_EQ(memory_of("peak_memory_per_gpu_mb", "3").other, 3 * kMib);
  EXPECT_NE(memory_of("max_memory_allocated", "3").reason, "");  // no unit anywhere
}

TEST(Labels, UnknownLabelsAreNamed) {
  const EvidenceRow row =
      row_of(kHeader, "a,,32,4096,32,8,14336,1,128256,4096,h100_80gb,8,1,1,8,perhaps,1,8,bf16,none,,40");
  EXPECT_EQ(row.reason, "zero: \"perhaps\" is not a known label");
}

// Llama 3.1 8B: without kv_heads and ffn the usual sizes make another model.
TEST(Labels, WhatIsAssumedMustMakeTheStatedParameters) {
  const std::string rest = "128256,4096,h100_80gb,8,1,1,8,zero1,1,8,bf16,none,,40";
  const EvidenceRow whole = row_of(kHeader, "a,8030261248,32,4096,32,8,14336,1," + rest);
  EXPECT_EQ(whole.reason, "");
  EXPECT_FALSE(whole.shape.tied);
  const EvidenceRow part = row_of(kHeader, "a,8030261248,32,4096,,,,1," + rest);
  EXPECT_NE(part.reason.find("parameters of 8.03B"), std::string::npos) << part.reason;
  const EvidenceRow unstated = row_of(kHeader, "a,,32,4096,32,,14336,1," + rest);
  EXPECT_EQ(unstated.reason, "");
  EXPECT_EQ(unstated.noted.back(), "kv_heads: the usual (not stated)");
}

TEST(Labels, TasksOtherThanTrainingTheWhole) {
  const std::string header =
      "id,src,task,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,seq_len,gpu,n_gpus,micro_batch,mem_alloc_gib";
  const std::string sizes = ",32,4096,32,8,14336,1,128256,4096,h100_80gb,8,1,40";
  const EvidenceRow known = row_of(header, "a,Megatron-Bridge perf,lora" + sizes);
  EXPECT_EQ(known.reason, "");
  EXPECT_EQ(known.run.adapter.rank, 32);
  EXPECT_TRUE(known.run.adapter.mlp);
  EXPECT_EQ(row_of(header, "a,mine,lora" + sizes).reason,
            "task lora: rank and matrices of the adapters are not stated");
  EXPECT_NE(row_of(header, "a,mine,dpo" + sizes).reason, "");
  EXPECT_EQ(row_of(header, "a,mine,sft" + sizes).reason, "");
}

// Columns that make a plain transformer do not describe every architecture.
TEST(Labels, WhatTheColumnsCannotSayIsNamed) {
  const auto row = [](const std::string& model, const std::string& arch, const std::string& experts) {
    return row_of(
        "id,model,arch,layers,hidden,heads,kv_heads,ffn,gated_ffn,vocab,experts,topk,moe_ffn,seq_len,gpu,n_gpus,"
        "micro_batch,mem_alloc_gib",
        "a," + model + "," + arch + ",48,2048,32,4,6144,1,151936," + experts + ",4096,h100_80gb,8,1,40");
  };
  EXPECT_EQ(row("m", "dense", ",,").reason, "");
  EXPECT_EQ(row("m", "hybrid_mamba_moe", ",,").reason, "arch hybrid_mamba_moe: the columns do not say its layers");
  EXPECT_EQ(row("m", "moe", ",,").reason, "experts is missing");
  EXPECT_EQ(row("m", "moe", "128,,768").reason, "topk is missing");
  const EvidenceRow named = row("qwen3-30b-a3b", "moe", ",,");
  EXPECT_EQ(named.reason, "");
  EXPECT_EQ(named.shape.experts, 128);
}

TEST(Labels, OutOfMemoryInEverySpelling) {
  const std::string begin = "a,,32,4096,32,8,14336,1,128256,4096,h100_80gb,8,1,1,8,none,64,512,bf16,none,";
  for (const char* cell : {"1,", "1.0,", "true,", "OOM,", "yes,", ",OOM", ",out of memory"}) {
    const EvidenceRow row = row_of(kHeader, begin + cell);
    EXPECT_TRUE(row.out_of_memory) << cell;
    EXPECT_EQ(row.reason, "") << cell;
    EXPECT_FALSE(row.allocated) << cell;
  }
  for (const char* cell : {"0,40", "false,40", ",40", "no,40"})
    EXPECT_FALSE(row_of(kHeader, begin + cell).out_of_memory);
}

}  // namespace
}  // namespace floptally
