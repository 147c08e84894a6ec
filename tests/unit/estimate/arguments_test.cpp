// Megatron-LM arguments in an evidence row: they rule over the columns.
#include <gtest/gtest.h>

#include "estimate/evidence_row.h"

namespace floptally {
namespace {

EvidenceRow row_of(const std::string& arguments) {
  std::string quoted;
  for (const char c : arguments) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  Source source;
  source.name = "rows.csv";
  source.text = "id,src,model,gpu,n_gpus,mem_alloc_gib,arguments\na,Megatron-LM functional tests,m,h100_80gb,8,10,\"" +
                quoted + "\"\n";
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
  EXPECT_EQ(row.run.recompute.modules, Recompute::activations | Recompute::norms);
  const EvidenceRow full = row_of("{" + std::string(kModel) +
                                  ", \"recompute-granularity\": \"full\", \"recompute-method\": \"uniform\", "
                                  "\"recompute-num-layers\": 4}");
  EXPECT_EQ(full.run.recompute.every, 4);
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

}  // namespace
}  // namespace floptally
