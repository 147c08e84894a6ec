// Megatron-LM arguments in an evidence row: they rule over the columns.
#include <gtest/gtest.h>

#include "estimate/memory_profile.h"
#include "evidence/card.h"
#include "evidence/row.h"
#include "network/ops.h"

namespace floptally {
namespace {

EvidenceRow row_of(const std::string& arguments, const std::string& gpu = "h100_80gb") {
  std::string quoted;
  for (const char c : arguments) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  Source source;
  source.name = "rows.csv";
  source.text = "id,src,model,gpu,n_gpus,mem_alloc_gib,arguments\na,Megatron-LM functional tests,m," + gpu +
                ",8,10,\"" + quoted + "\"\n";
  const Result<Csv> csv = Csv::read(source);
  EXPECT_TRUE(csv.ok());
  const Result<std::vector<EvidenceRow>> rows = read_evidence(*csv);
  EXPECT_TRUE(rows.ok());
  return rows->front();
}

const char* const kModel =
    "\"num-layers\": 16, \"hidden-size\": 1024, \"num-attention-heads\": 16, \"seq-length\": 1024, "
    "\"vocab-size\": 32000, \"micro-batch-size\": 1, \"global-batch-size\": 16, \"bf16\": true";

TEST(Arguments, UnevenEnds) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"pipeline-model-parallel-size\": 4, \"decoder-first-pipeline-num-layers\": 2, "
                                 "\"decoder-last-pipeline-num-layers\": 4}");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.stages, (std::vector<std::int64_t>{2, 5, 5, 4}));
}

TEST(Arguments, PipelineLayoutInLetters) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"pipeline-model-parallel-size\": 2, \"pipeline-model-parallel-layout\": "
                                 "\"Et*3|t|(tt|)*5ttL\"}");
  EXPECT_EQ(row.run.layout.chunks, 4);
  EXPECT_EQ(row.run.layout.stages, (std::vector<std::int64_t>{3, 1, 2, 2, 2, 2, 2, 2}));
}

TEST(Arguments, SixteenBitMomentsAndRemainders) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"use-precision-aware-optimizer\": true, \"exp-avg-dtype\": \"bf16\", "
                                 "\"main-grads-dtype\": \"bf16\", \"use-distributed-optimizer\": true}");
  EXPECT_EQ(row.run.optimizer.name, "adamw-bf16");
  EXPECT_EQ(row.run.precision.master, Dtype::bfloat16);
  EXPECT_EQ(row.run.framework.gradients, Dtype::bfloat16);
  EXPECT_EQ(row.run.layout.zero, Zero::optimizer);
}

TEST(Arguments, TokenizersSayTheirVocabulary) {
  const EvidenceRow row = row_of(
      "{\"num-layers\": 2, \"hidden-size\": 512, \"num-attention-heads\": 8, \"seq-length\": 512, "
      "\"micro-batch-size\": 1, \"tokenizer-type\": \"Llama2Tokenizer\", \"tokenizer-model\": \"x\"}");
  EXPECT_EQ(row.shape.vocabulary, 32000);
}

TEST(Arguments, RecomputedModules) {
  const EvidenceRow row =
      row_of("{" + std::string(kModel) +
             ", \"recompute-granularity\": \"selective\", \"recompute-modules\": \"[moe_act layernorm]\"}");
  EXPECT_EQ(row.run.recompute.modules, Recompute::expert_activations | Recompute::norms);
  const EvidenceRow full = row_of("{" + std::string(kModel) +
                                  ", \"recompute-granularity\": \"full\", \"recompute-method\": \"uniform\", "
                                  "\"recompute-num-layers\": 4}");
  EXPECT_EQ(full.run.recompute.group, 4);
}

TEST(Arguments, MasksAndSoftmax) {
  const std::string model = "{" + std::string(kModel);
  EXPECT_TRUE(row_of(model + "}").run.loader_mask);
  EXPECT_FALSE(row_of(model + ", \"no-create-attention-mask-in-dataloader\": true}").run.loader_mask);
  const std::string local = model + ", \"transformer-impl\": \"local\", \"attention-softmax-in-fp32\": true";
  EXPECT_FALSE(row_of(local + "}").run.softmax_fp32);
  EXPECT_TRUE(row_of(local + ", \"no-masked-softmax-fusion\": true}").run.softmax_fp32);
  EXPECT_TRUE(row_of(model + ", \"transformer-impl\": \"local\", \"apply-query-key-layer-scaling\": true, "
                             "\"no-masked-softmax-fusion\": true}")
                  .run.softmax_fp32);
}

double parameters_of(const EvidenceRow& row) {
  MemoryProfile profile(row.run);
  describe_model(row, profile);
  double sum = profile.before().dense + profile.after().dense;
  for (int i = 0; i < profile.classes(); ++i)
    sum += profile.layer(i).count * (profile.layer(i).dense + profile.layer(i).expert);
  return sum;
}

// mamba_mixer.py with its defaults (expand 2, heads of 64, state 128, 8 groups): 2048 inner, 32 heads, 4096 convolved.
TEST(Arguments, HybridPatternIsTheModel) {
  const EvidenceRow row =
      row_of("{" + std::string(kModel) +
             ", \"hybrid-layer-pattern\": \"M*-|M\", \"position-embedding-type\": \"none\", "
             "\"normalization\": \"RMSNorm\", \"disable-bias-linear\": true, \"pipeline-model-parallel-size\": 2}");
  ASSERT_EQ(row.reason, "");
  EXPECT_EQ(row.shape.layers, 4);
  EXPECT_EQ(row.run.layout.stages, (std::vector<std::int64_t>{3, 1}));
  const double h = 1024, inner = 2048, convolved = inner + 2 * 8 * 128;
  const double mamba = h * (inner + convolved + 32) + convolved * 5 + 3 * 32 + inner + inner * h + h;
  const double attention = 4 * h * h + h, mlp = 8 * h * h + h, vocabulary = 32000 * h;
  EXPECT_DOUBLE_EQ(parameters_of(row), 2 * mamba + attention + mlp + vocabulary + h);
}

TEST(Arguments, HybridHeadsAndUnknownKinds) {
  const std::string begin = "{" + std::string(kModel) + ", \"num-experts\": 4, \"hybrid-layer-pattern\": \"";
  const EvidenceRow row = row_of(begin + "ME*E/*E/*E\"}");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.shape.mtp_heads, 2);
  EXPECT_NE(row_of(begin + "MG*E\"}").reason.find("'G'"), std::string::npos);
  EXPECT_EQ(row_of("{" + std::string(kModel) + ", \"is-hybrid-model\": true}").reason,
            "hybrid-layer-pattern is missing");
}

// More kinds of layers in a row than a profile has classes for: the last class is their mean.
TEST(Arguments, LongPatternsAddUp) {
  const auto of = [](int times) {
    std::string pattern;
    for (int i = 0; i < times; ++i) pattern += "M-";
    return parameters_of(row_of("{" + std::string(kModel) + ", \"hybrid-layer-pattern\": \"" + pattern + "\"}"));
  };
  const double rest = 2 * of(10) - of(20);
  EXPECT_NEAR((of(200) - rest) / (of(20) - rest), 10, 1e-9);
}

TEST(Arguments, RatiosSpaceTheLayers) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"is-hybrid-model\": true, \"hybrid-attention-ratio\": 0.25, "
                                 "\"hybrid-mlp-ratio\": 0.5}");
  ASSERT_NE(row.network, nullptr);
  int attention = 0, dense = 0, mamba = 0;
  for (const Op& op : row.network->ops) {
    attention += op.def == &operators::k_attention ? 1 : 0;
    mamba += op.def == &operators::k_state_space ? 1 : 0;
    dense += op.name == "up_proj" ? 1 : 0;
  }
  EXPECT_GT(attention, 0);
  EXPECT_GT(dense, 0);
  EXPECT_GT(mamba, 0);
}

// T5: 12 h^2 a layer of the encoder, 16 h^2 of the decoder, whose keys and values come from the encoder.
TEST(Arguments, EncoderAndDecoder) {
  const EvidenceRow row = row_of(
      "{\"encoder-num-layers\": 3, \"decoder-num-layers\": 2, \"hidden-size\": 512, \"num-attention-heads\": 8, "
      "\"encoder-seq-length\": 512, \"decoder-seq-length\": 128, \"max-position-embeddings\": 512, "
      "\"micro-batch-size\": 1, \"vocab-extra-ids\": 100, \"disable-bias-linear\": true, \"bf16\": true}");
  ASSERT_EQ(row.reason, "");
  EXPECT_EQ(row.shape.sequence, 128);
  EXPECT_EQ(row.shape.vocabulary, 30720);  // 30522 + 100, in steps of 128
  const double h = 512, norm = 2 * h;
  EXPECT_DOUBLE_EQ(parameters_of(row),
                   3 * (12 * h * h + 2 * norm) + 2 * (16 * h * h + 3 * norm) + 2 * norm + (30720 + 512) * h + 30720);
}

TEST(Arguments, ImagesComeBeforeTheText) {
  const std::string begin =
      "{" + std::string(kModel) + ", \"encoder-num-layers\": 2, \"img-h\": 336, \"img-w\": 336, \"patch-dim\": 14";
  const EvidenceRow row = row_of(begin + "}");
  ASSERT_EQ(row.reason, "");
  EXPECT_EQ(row.shape.sequence, 1024 + 24 * 24 + 1);
  const EvidenceRow frozen = row_of(begin + ", \"freeze-LM\": true, \"freeze-ViT\": true}");
  EXPECT_DOUBLE_EQ(parameters_of(frozen), parameters_of(row));
  MemoryProfile profile(frozen.run);
  describe_model(frozen, profile);
  EXPECT_DOUBLE_EQ(profile.before().trained_dense, 2 * 4 * 1024 * 1024 + 5 * 1024);  // the projection alone
}

TEST(Arguments, ExpertsInOddLayers) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"num-experts\": 4, \"moe-layer-freq\": \"([1 0]*8)\", \"moe_latent_size\": 256}");
  ASSERT_EQ(row.reason, "");
  ASSERT_NE(row.network, nullptr);
  int experts = 0;
  for (const Op& op : row.network->ops) experts += op.def == &operators::k_routing ? 1 : 0;
  EXPECT_EQ(experts, 8);
  EXPECT_EQ(row_of("{" + std::string(kModel) + ", \"num-experts\": 4, \"moe-layer-freq\": \"[1]*3\"}").reason,
            "moe-layer-freq does not list every layer");
}

TEST(Arguments, NestedLayoutsAndPredictionHeads) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"pipeline-model-parallel-size\": 2, \"mtp-num-layers\": 1, "
                                 "\"pipeline-model-parallel-layout\": \"E((t|)*2t|)*5tmL\"}");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.layout.stages.size(), 16U);
  EXPECT_EQ(row.run.layout.stages.back(), 2);
  const EvidenceRow plain =
      row_of("{" + std::string(kModel) + ", \"pipeline-model-parallel-size\": 2, \"mtp-num-layers\": 1}");
  EXPECT_EQ(plain.run.layout.stages, (std::vector<std::int64_t>{8, 9}));
}

TEST(Arguments, WhatCannotBeFollowedIsNamed) {
  const auto reason = [](const char* argument) {
    return row_of("{" + std::string(kModel) + ", " + argument + "}").reason;
  };
  EXPECT_EQ(reason("\"offload-modules\": [\"core_attn\"]").substr(0, 16), "offload-modules:");
  EXPECT_EQ(reason("\"cpu-offloading-num-layers\": 4").substr(0, 26), "cpu-offloading-num-layers:");
  EXPECT_EQ(reason("\"heterogeneous_layers_config_path\": \"x.json\"").substr(0, 13), "heterogeneous");
  EXPECT_EQ(reason("\"optimizer\": \"sophia\""), "optimizer sophia is not described");
  EXPECT_EQ(reason("\"rerun-mode\": \"disabled\""), "");
  EXPECT_EQ(reason("\"inference-max-requests\": 8"), "a generation test: nothing is trained");
  EXPECT_EQ(reason("\"inference-max-requests\": 8, \"train-iters\": 50"), "");
  const EvidenceRow unknown = row_of("{" + std::string(kModel) + ", \"--warp-factor\": 9}");
  EXPECT_EQ(unknown.reason, "");
  EXPECT_EQ(unknown.noted.back(), "argument warp-factor (not known) changes nothing");
}

TEST(Arguments, SizesThatCannotBeAreNamed) {
  for (const char* argument :
       {"\"tensor-model-parallel-size\": 4294967296, \"pipeline-model-parallel-size\": 4294967296",
        "\"pipeline-model-parallel-size\": 1000000000000, \"decoder-first-pipeline-num-layers\": 1",
        "\"num-virtual-stages-per-pipeline-rank\": 1000000000000",
        "\"num-experts\": 8, \"moe-layer-freq\": 2, \"num-layers\": 1000000",
        "\"is-hybrid-model\": true, \"num-layers\": 1000000", "\"is-hybrid-model\": true, \"mamba-head-dim\": 0",
        "\"encoder-seq-length\": -5, \"decoder-seq-length\": -3",
        "\"vocab-size\": 9223372036854775807, \"make-vocab-size-divisible-by\": 9223372036854775807",
        "\"pipeline-model-parallel-size\": 2, \"pipeline-model-parallel-layout\": \"E(((((t*9)*9)*9)*9)*9)*9)*9L\""}) {
    std::string rest(kModel);
    if (std::string_view(argument).find("num-layers\"") != std::string_view::npos)
      rest = rest.substr(rest.find(',') + 2);
    if (std::string_view(argument).find("vocab-size\"") != std::string_view::npos)
      rest.replace(rest.find("\"vocab-size"), 19, "\"unused\": 1");
    EXPECT_NE(row_of("{" + rest + ", " + argument + "}").reason, "") << argument;
  }
}

TEST(Arguments, LabelsBesideThemDoNotMatter) {
  Source source;
  source.name = "rows.csv";
  source.text =
      "id,src,gpu,n_gpus,zero,recompute,precision,mem_alloc_gib,arguments\na,Megatron-LM functional tests,h100_80gb,8,"
      "odd,//1/,strange,10,\"{\"\"num-layers\"\": 2, \"\"hidden-size\"\": 512, \"\"num-attention-heads\"\": 8, "
      "\"\"seq-length\"\": 512, \"\"bf16\"\": true}\"\n";
  const Result<Csv> csv = Csv::read(source);
  ASSERT_TRUE(csv.ok());
  const EvidenceRow row = read_evidence(*csv)->front();
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.run.precision.name, "bf16-mixed");
}

TEST(Arguments, ShardingStrategies) {
  const auto zero = [](const char* argument) {
    return row_of("{" + std::string(kModel) + ", \"use-megatron-fsdp\": true" + argument + "}").run.layout.zero;
  };
  EXPECT_EQ(zero(""), Zero::weights);
  EXPECT_EQ(zero(", \"data-parallel-sharding-strategy\": \"optim_grads\""), Zero::gradients);
  EXPECT_EQ(zero(", \"data-parallel-sharding-strategy\": \"no_shard\""), Zero::none);
}

TEST(Arguments, GroupsThatShareStates) {
  const std::string model = "{" + std::string(kModel) + ", \"use-distributed-optimizer\": true";
  EXPECT_EQ(row_of(model + "}").run.layout.shard_ranks(), 8);
  EXPECT_EQ(row_of(model + ", \"num-distributed-optimizer-instances\": 2}").run.layout.shard_ranks(), 4);
  EXPECT_TRUE(row_of(model + ", \"optimizer\": \"muon\", \"no-use-layer-wise-param-layout\": true}").run.whole_shards);
}

TEST(Arguments, WhatBoundsTheLoadOfExperts) {
  const auto load = [](const char* arguments) {
    return row_of("{" + std::string(kModel) + ", \"num-experts\": 8" + arguments + "}").run.expert_load;
  };
  EXPECT_EQ(load(""), 0);  // fitted
  EXPECT_EQ(load(", \"moe-router-force-load-balancing\": true"), 1);
  EXPECT_EQ(load(", \"moe-expert-capacity-factor\": 1.0"), 1);  // tokens beyond are dropped
  EXPECT_EQ(load(", \"moe-expert-capacity-factor\": 0.5"), 0.5);
  EXPECT_EQ(load(", \"moe-expert-capacity-factor\": 8.0"), 0);         // bounds nothing
  EXPECT_EQ(load(", \"moe-expert-capacity-factor\": 1e300"), 0);       // cannot be
  EXPECT_EQ(load(", \"moe-expert-rank-capacity-factor\": 1.5"), 1.5);  // a buffer of a fixed size
}

TEST(Arguments, TokensReachTheirExperts) {
  const std::string model = "{" + std::string(kModel) + ", \"num-experts\": 8";
  EXPECT_TRUE(row_of(model + "}").run.layout.gathers_tokens);
  EXPECT_FALSE(row_of(model + ", \"moe-token-dispatcher-type\": \"alltoall\"}").run.layout.gathers_tokens);
}

// Transformer Engine FlashAttention transposes its output: held twice where it is asked for.
TEST(Arguments, FlashAttentionCopiesItsOutput) {
  const auto copies = [](const std::string& more) {
    return row_of("{" + std::string(kModel) + more + "}").run.framework.attention_copies;
  };
  EXPECT_EQ(copies(""), 0);
  EXPECT_EQ(copies(", \"attention-backend\": \"flash\""), 1);
  EXPECT_EQ(copies(", \"attention-backend\": \"fused\""), 0);
  EXPECT_EQ(copies(", \"attention-backend\": \"unfused\""), 0);
}

// PyTorch gave Blackwell 8.1 MiB a cuBLAS handle before 2026; which one ran is not stated, and the range holds both.
TEST(Arguments, BlackwellsWorkspaceMayBeEither) {
  const std::string plain = "{" + std::string(kModel) + "}",
                    deterministic = "{" + std::string(kModel) + ", \"deterministic-mode\": true}";
  EXPECT_DOUBLE_EQ(row_of(plain, "gb200").either, 2 * (33554432.0 - 8519680));
  EXPECT_EQ(row_of(deterministic, "gb200").either, 0);
  EXPECT_EQ(row_of(plain).either, 0);
  EvidenceRow row = row_of(plain, "gb200");
  const auto low = [&] { return memory_card({row}, nullptr).scored.front().low; };
  const double both = low(), share = both / (predict_memory(row).allocated() - row.either);
  row.either = 0;
  EXPECT_NEAR(low() / predict_memory(row).allocated(), share, 1e-9);
}

// The last rank logs, which need not be the fullest of its expert group: its range begins at the mean load.
TEST(Arguments, ARankThatIsNotTheFullestMayHaveTheMean) {
  const EvidenceRow row = row_of("{" + std::string(kModel) +
                                 ", \"num-experts\": 8, \"expert-model-parallel-size\": 8, \"moe-router-topk\": 2}");
  ASSERT_EQ(row.reason, "");
  EvidenceRow fullest = row, even = row;
  fullest.rank = RankSeen::fullest;
  even.run.expert_load = 1;
  const auto either = [](const EvidenceRow& one) { return memory_card({one}, nullptr).scored.front().either; };
  EXPECT_EQ(either(fullest), 0);
  EXPECT_EQ(either(even), 0);
  even.run.expert_load = 1 + 1e-9;  // the mean, but of any size
  const double more = predict_memory(row).allocated() - predict_memory(even).allocated();
  EXPECT_GT(more, 0);
  EXPECT_NEAR(either(row) / more, 1, 1e-6);
}

}  // namespace
}  // namespace floptally
