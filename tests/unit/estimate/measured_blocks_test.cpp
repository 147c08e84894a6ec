// Peak memory of single blocks as Liger-Kernel's benchmark measured it (its published all_benchmark_data.csv, A100 and
// RTX 4090): bytes that one more token takes, from the two longest sequences, so that weights and context drop out.
#include <gtest/gtest.h>

#include <algorithm>

#include "estimate/memory_profile.h"
#include "network/blocks/blocks.h"
#include "training/framework.h"

namespace floptally {
namespace {

// The most that the backward pass of one operator moves, nothing freed before it: the benchmark retains the graph.
class WidestOperator final : public Sink {
 public:
  explicit WidestOperator(const Run& run) : run_(run) {}
  void enter(std::string_view, std::int64_t, BlockKind) override {}
  void leave() override {}
  void add(const Op& op) override {
    MemoryProfile alone(run_);
    alone.enter("layer", 1, BlockKind::layer);
    alone.add(op);
    bytes_ = std::max(bytes_, alone.layer(0).working);
  }
  [[nodiscard]] double bytes() const { return bytes_; }

 private:
  const Run& run_;
  double bytes_ = 0;
};

struct Measured {
  const char* what;
  std::int64_t width, ffn;
  bool fused;  // Liger's gated activation keeps its inputs alone, as a compiled one does
  double forward, full;
};

// bf16; `full` of the fused kernel is left out: its backward pass overwrites what the forward pass kept.
constexpr Measured kGatedMlps[] = {
    {"geglu huggingface, A100-SXM4-80GB, 2024-09-03", 4096, 11008, false, 104448, 186880},
    {"geglu liger, A100-SXM4-80GB, 2024-09-03", 4096, 11008, true, 82432, 0},
    {"tiled_swiglu huggingface, RTX 4090, 2025-11-11", 2048, 4096, false, 40960, 73728},
    {"tiled_swiglu liger, RTX 4090, 2025-11-11", 2048, 4096, true, 32768, 0},
};

TEST(MeasuredBlocks, GatedMlp) {
  for (const Measured& m : kGatedMlps) {
    floptally::Run run = default_run();
    run.framework = *find_framework("huggingface");
    run.framework.wgrad = Wgrad::in_place;  // gradients of weights do not grow with tokens
    run.compiled = m.fused;
    MlpPart part;
    part.width = m.width;
    part.ffn = m.ffn;
    MemoryProfile profile(run);
    profile.enter("layer", 1, BlockKind::layer);
    describe_mlp(part, 1, profile);
    const double kept = profile.layer(0).kept, output = 2.0 * static_cast<double>(m.width);
    EXPECT_DOUBLE_EQ(kept + output, m.forward) << m.what;
    if (m.full == 0) continue;
    WidestOperator widest(run);
    describe_mlp(part, 1, widest);
    // The output's gradient, and the input's from the repetition before, are held throughout.
    EXPECT_DOUBLE_EQ(kept + output + widest.bytes() + 2 * output, m.full) << m.what;
  }
}

}  // namespace
}  // namespace floptally
