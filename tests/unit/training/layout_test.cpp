#include "training/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "training/run.h"

namespace floptally {
namespace {

Divisors llama70b() {
  Divisors d;
  d.layers = 80;
  d.heads = 64;
  d.kv_heads = 8;
  d.width = 8192;
  d.ffn = 28672;
  d.vocabulary = 128256;
  d.sequence = 8192;
  d.batch = 1024;
  return d;
}

TEST(Layout, LegalCaseBreaksNoRule) {
  Layout l;
  l.data = 16;
  l.tensor = 8;
  l.pipeline = 8;
  l.sequence_parallel = true;
  l.zero = Zero::optimizer;
  const Divisors model = llama70b();
  EXPECT_TRUE(is_legal({l, model, 1024}));
  EXPECT_TRUE(check_layout({l, model, 1024}).empty());
}

TEST(Layout, EveryRuleIsNamedOnceAndSourced) {
  std::set<std::string_view> codes;
  for (const LayoutRule& rule : layout_rules()) {
    EXPECT_TRUE(codes.insert(rule.code).second) << rule.code;
    EXPECT_FALSE(rule.doc.empty());
    EXPECT_FALSE(rule.source.empty());
  }
}

std::string codes_of(const Layout& l, const Divisors& model, std::int64_t devices = 0) {
  std::string out;
  for (const Diagnostic& d : check_layout({l, model, devices})) out += d.code + " ";
  return out;
}

TEST(Layout, RefusesWithTheRule) {
  Layout l;
  const Divisors model = llama70b();
  l.pipeline = 7;
  EXPECT_EQ(codes_of(l, model), "layout-pipeline-layers ");
  l = {};
  l.pipeline = 8;
  l.chunks = 2;
  l.schedule = Schedule::dualpipe;
  l.micro_batch = 128;  // 8 micro-batches, 16 are needed
  EXPECT_EQ(codes_of(l, model), "layout-both-ways ");
  l.schedule = Schedule::dualpipe_v;
  EXPECT_EQ(codes_of(l, model), "layout-both-ways ");
  l.micro_batch = 64;
  EXPECT_EQ(codes_of(l, model), "");
  l.pipeline = 5;
  EXPECT_EQ(codes_of(l, model), "");
  l.schedule = Schedule::dualpipe;
  EXPECT_EQ(codes_of(l, model), "layout-both-ways ");
  l = {};
  l.tensor = 48;
  EXPECT_EQ(codes_of(l, model), "layout-tensor-heads layout-tensor-ffn ");
  l = {};
  l.data = 3;
  EXPECT_EQ(codes_of(l, model), "layout-batch ");
  l = {};
  l.expert = 2;
  EXPECT_EQ(codes_of(l, model), "layout-experts ");  // a model without experts
  Divisors experts = model;
  experts.experts = 8;
  EXPECT_EQ(codes_of(l, experts), "layout-expert-devices ");
  l.expert = 16;
  EXPECT_EQ(codes_of(l, experts), "layout-experts layout-expert-devices ");
  l = {};
  l.data = 4;
  l.shard = 2;
  EXPECT_EQ(codes_of(l, model), "layout-shard ");  // of nothing
  l.zero = Zero::weights;
  EXPECT_EQ(codes_of(l, model), "");
  l = {};
  l.pipeline = 2;
  l.zero = Zero::weights;
  EXPECT_EQ(codes_of(l, model), "layout-zero-pipeline ");
  l = {};
  l.tensor = 0;
  EXPECT_EQ(codes_of(l, model), "layout-positive ");
  l = {};
  l.data = 4;
  EXPECT_EQ(codes_of(l, model, 8), "layout-devices ");
}

TEST(Layout, SomeFrameworksShardPipelines) {
  Layout l;
  const Divisors model = llama70b();
  l.pipeline = 2;
  l.zero = Zero::weights;
  EXPECT_FALSE(is_legal({l, model, 0, false}));
  EXPECT_TRUE(is_legal({l, model, 0, true}));
  EXPECT_TRUE(find_framework("torchtitan")->shards_pipelines);
  EXPECT_FALSE(find_framework("deepspeed")->shards_pipelines);
}

TEST(Layout, OffersStagesThatAddUp) {
  Layout l;
  Divisors model = llama70b();
  model.layers = 61;
  l.pipeline = 16;
  const std::string help = check_layout({l, model}).front().help;
  EXPECT_NE(help.find("stages: [3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3]"), std::string::npos) << help;
}

TEST(Layout, UnevenStagesMustAddUp) {
  Layout l;
  l.pipeline = 3;
  l.stages = {30, 30, 20};
  const Divisors model = llama70b();
  EXPECT_EQ(codes_of(l, model), "");
  l.stages = {30, 30, 30};
  EXPECT_EQ(codes_of(l, model), "layout-stages ");
}

TEST(Recipes, EveryRowReads) {
  EXPECT_GE(precisions().size(), 12u);
  EXPECT_GE(optimizers().size(), 9u);
  EXPECT_GE(frameworks().size(), 7u);
  for (const Precision& p : precisions()) {
    EXPECT_NE(p.weights, Dtype::unspecified) << p.name;
    EXPECT_NE(p.compute, Dtype::unspecified) << p.name;
    EXPECT_FALSE(p.source.empty()) << p.name;
    for (const Dtype copy : p.copies) EXPECT_NE(copy, Dtype::unspecified) << p.name;
  }
  EXPECT_EQ(find_precision("BF16")->name, "bf16-mixed");
  EXPECT_EQ(find_optimizer("AdamW 8bit")->name, "adam-8bit");
  EXPECT_FALSE(find_optimizer("adamwww-nine").ok());
}

TEST(Recipes, OptimizerBytesPerParameter) {
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("adamw"), 1000, 1), 8000);
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("adam-8bit"), 1000, 1), 2000);
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("momentum"), 1000, 1), 4000);
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("adafactor"), 100, 50), 600);  // a row and a column of fp32
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("muon"), 100, 50), 20000);     // matrices: momentum alone
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("muon"), 100, 1), 800);        // vectors: AdamW
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("shampoo"), 10, 20), 800 + 4 * 2 * (100 + 400));
  // Blocks of 1,024: 2 x 3 of them, the last row of 476, the last column of 452.
  EXPECT_DOUBLE_EQ(
      state_bytes(*find_optimizer("shampoo"), 1500, 2500),
      4.0 * 1500 * 2500 + 4 * 2 * (3 * (1024.0 * 1024 + 476.0 * 476) + 2 * (2 * 1024.0 * 1024 + 452.0 * 452)));
  // A side of more than 10,000 has none: 50,304 x 1,024 has that of 1,024 alone.
  EXPECT_DOUBLE_EQ(state_bytes(*find_optimizer("soap"), 50304, 1024), 8.0 * 50304 * 1024 + 4 * 2 * 1024.0 * 1024);
}

}  // namespace
}  // namespace floptally
