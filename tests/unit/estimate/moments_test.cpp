// What is there at one moment of the backward pass, and what experts on several ranks keep.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "network/ops.h"
#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

DecoderShape mixture() {
  DecoderShape s = small_llama();
  s.experts = 8;
  s.top_k = 2;
  s.expert_ffn = 512;
  return s;
}

Run spread_run(double load) {
  floptally::Run run = default_run();
  run.layout.data = run.layout.expert = run.batch = 8;
  run.expert_load = load;
  return run;
}

TEST(ExpertLoad, TheFullestRankKeepsSoManyTokensMore) {
  const DecoderShape shape = mixture();
  const double even = first_layer(shape, spread_run(1)).kept, fuller = first_layer(shape, spread_run(1.5)).kept,
               fullest = first_layer(shape, spread_run(2)).kept;
  EXPECT_GT(fuller, even);
  EXPECT_NEAR(fullest - even, 2 * (fuller - even), 1e-6 * even);
  // Per routed token in 16 bits: the permuted input, gate and up outputs, and their product.
  EXPECT_DOUBLE_EQ(fullest - even, 512.0 * 2 * (1024 + 3 * 512) * 2);
}

TEST(ExpertLoad, IsNothingToExpertsOnOneRankOrPaddedToACapacity) {
  DecoderShape shape = mixture();
  floptally::Run together = spread_run(2);
  together.layout.expert = 1;
  floptally::Run even = together;
  even.expert_load = 1;
  EXPECT_DOUBLE_EQ(first_layer(shape, together).kept, first_layer(shape, even).kept);
  for (const int capacity : {4, 5}) {  // a capacity of 1 has as many rows as dropless experts, but evenly
    shape.capacity_numerator = capacity;
    shape.capacity_denominator = 4;
    EXPECT_DOUBLE_EQ(first_layer(shape, spread_run(2)).kept, first_layer(shape, spread_run(1)).kept);
  }
}

TEST(ExpertLoad, IsFittedWhereNothingIsSaid) {
  const DecoderShape shape = mixture();
  const floptally::Run run = spread_run(0);
  EXPECT_GT(run.framework.expert_load, 1);
  EXPECT_LT(run.framework.expert_load, 2);
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept, first_layer(shape, spread_run(run.framework.expert_load)).kept);
}

// A layer of products, each from `width` to the next.
double working_of(std::initializer_list<std::int64_t> widths) {
  const floptally::Run run = default_run();
  MemoryProfile profile(run);
  profile.enter("layer", 1, BlockKind::layer);
  for (auto width = widths.begin(); width + 1 != widths.end(); ++width)
    profile.add(linear("product", 100, width[0], width[1], false));
  const double working = profile.layer(0).working;
  profile.leave();
  return working;
}

// Every product keeps its input (2 bytes a number), and moves its input's and its output's gradient.
TEST(BackwardPass, FreesWhatLaterOperatorsKept) {
  EXPECT_DOUBLE_EQ(working_of({64, 256}), 100.0 * (64 + 256) * 2);
  // The wide product comes last: it and all that is kept are there at once.
  EXPECT_DOUBLE_EQ(working_of({64, 64, 256}), 100.0 * (64 + 256) * 2);
  // It comes first: when the backward pass reaches it, the input of the other product is gone.
  EXPECT_DOUBLE_EQ(working_of({64, 256, 64}), 100.0 * (256 + 64) * 2);
  EXPECT_DOUBLE_EQ(working_of({256, 64, 64, 64}), 100.0 * (256 + 64 - 64 - 64) * 2);
}

// The chart of a step shows the peak that the answer names.
TEST(Timeline, ReachesThePeak) {
  for (const char* framework : {"megatron", "fsdp", "torchtitan", "huggingface", "deepspeed"}) {
    for (const Recompute::Mode mode : {Recompute::Mode::none, Recompute::Mode::full}) {
      for (const Schedule schedule : {Schedule::one_f_one_b, Schedule::gpipe, Schedule::interleaved}) {
        floptally::Run run = default_run();
        run.framework = *find_framework(framework);
        run.recompute.mode = mode;
        run.layout.schedule = schedule;
        run.layout.pipeline = schedule == Schedule::one_f_one_b ? 1 : 2;
        run.layout.chunks = schedule == Schedule::interleaved ? 2 : 1;
        run.layout.data = 4;
        run.layout.zero = run.layout.pipeline == 1 ? Zero::weights : Zero::none;
        run.batch = run.layout.data * run.layout.pipeline;
        DecoderShape shape = small_llama();
        shape.layers = 8;
        MemoryProfile profile(run);
        describe_decoder(shape, profile);
        const DeviceMemory peak = peak_memory(profile, run);
        double highest = 0;
        for (const MemoryMoment& moment : memory_timeline(profile, run, peak.stage, 64))
          highest = std::max(highest, std::accumulate(moment.bytes.begin(), moment.bytes.end(), 0.0));
        EXPECT_NEAR(highest, peak.allocated(), 0.02 * peak.allocated())
            << framework << " " << static_cast<int>(mode) << " " << static_cast<int>(schedule);
      }
    }
  }
}

// DeepSpeed stage_1_and_2.py: whichever is larger, a flat step tensor and the activations' blocks are both reserved.
TEST(FlatStep, StandsBesideTheActivations) {
  for (const std::int64_t micro_batch : {1, 16}) {
    floptally::Run run = default_run();
    run.framework = *find_framework("megatron-deepspeed");
    run.layout.zero = Zero::optimizer;
    run.layout.micro_batch = run.batch = micro_batch;
    MemoryProfile profile(run);
    describe_decoder(small_llama(), profile);
    const DeviceMemory m = device_memory(profile, run, 0);
    const double step = m.at[static_cast<std::size_t>(Moment::optimizer)] - m.fixed();
    double within = 0;
    for (int i = 0; i < static_cast<int>(Moment::optimizer); ++i)
      within = std::max(within, m.at[static_cast<std::size_t>(i)] - m.fixed());
    EXPECT_EQ(m.moment == Moment::optimizer, micro_batch == 1);
    EXPECT_NEAR(m.allocated() + m.elsewhere, m.fixed() + within + step, 1);
  }
}

// torch/optim/adamw.py, _multi_tensor_adamw: the square roots of all second moments at once, in the moments' format; a
// fused step makes none, 8-bit and factored moments go parameter by parameter, and data ranks share what ZeRO shares.
TEST(OptimizerStep, HoldsTheRootsOfTheSecondMoments) {
  const auto temporary = [](std::string_view framework, std::string_view optimizer, Zero zero) {
    floptally::Run run = default_run();
    run.framework = *find_framework(framework);
    run.optimizer = *find_optimizer(optimizer);
    run.layout.data = run.batch = 4;
    run.layout.zero = zero;
    const auto held = [&run] {
      MemoryProfile profile(run);
      describe_decoder(small_llama(), profile);
      return device_memory(profile, run, 0).at[static_cast<std::size_t>(Moment::optimizer)];
    };
    const double with = held();
    run.framework.optimizer_temporary = 0;
    return with - held();
  };
  const double parameters =
      4.0 * (2 * 1024 * 1024 + 2 * 1024 * 1024 + 3 * 1024 * 2816 + 2 * 1024) + 2.0 * 32000 * 1024 + 1024;
  EXPECT_NEAR(temporary("huggingface", "adamw", Zero::none), 4 * parameters, 1);
  EXPECT_NEAR(temporary("huggingface", "adamw-bf16", Zero::none), 2 * parameters, 1);
  EXPECT_NEAR(temporary("huggingface", "adamw", Zero::weights), parameters, 1);
  for (const std::string_view optimizer : {"adam-8bit", "adafactor", "lion"})
    EXPECT_NEAR(temporary("huggingface", optimizer, Zero::none), 0, 1) << optimizer;
  EXPECT_NEAR(temporary("megatron", "adamw", Zero::none), 0, 1);
}

// The step of an offloaded optimizer runs on the host; where the framework takes sharded gradients there, too, the
// device holds none.
TEST(OffloadedOptimizer, TakesItsStepWithIt) {
  for (const char* framework : {"megatron-deepspeed", "megatron"}) {
    floptally::Run run = default_run();
    run.framework = *find_framework(framework);
    run.layout.data = run.batch = 8;
    run.layout.zero = Zero::weights;
    const double gradients = memory_of(small_llama(), run)[Holds::gradients];
    EXPECT_GT(gradients, 0);
    run.offload.optimizer = true;
    MemoryProfile profile(run);
    describe_decoder(small_llama(), profile);
    const DeviceMemory m = device_memory(profile, run, 0);
    EXPECT_EQ(m[Holds::gradients], run.framework.offloads_gradients ? 0 : gradients) << framework;
    EXPECT_EQ(m[Holds::states], 0);
    EXPECT_EQ(m.at[static_cast<std::size_t>(Moment::optimizer)], m.fixed()) << framework;
  }
}

// Megatron-LM core/pipeline_parallel/schedules.py: input_tensor_grad is a variable that holds the gradients of the last
// micro-batch's input until the next one's stand in its place.
TEST(Moments, APipelineRankHoldsTheGradientsItHasSent) {
  floptally::Run run = default_run();
  run.layout.pipeline = 2;
  run.batch = 8;
  MemoryProfile profile(run);
  describe_decoder(small_llama(), profile);
  const auto more = [&](std::int64_t stage) {
    floptally::Run without = run;
    without.framework.holds_exchanged = false;
    return device_memory(profile, run, stage).allocated() - device_memory(profile, without, stage).allocated();
  };
  EXPECT_EQ(more(0), 0);
  EXPECT_DOUBLE_EQ(more(1), 2.0 * 512 * 1024);
  run.batch = run.layout.data;  // one micro-batch: none was sent before
  EXPECT_EQ(more(1), 0);
}

// Megatron-LM core/tensor_parallel/layers.py: autograd is handed a placeholder for the output matrix as well, and no
// gradient of it is made beside.
TEST(Moments, AnOutputMatrixHasAPlaceholder) {
  const DecoderShape shape = small_llama();
  floptally::Run run = default_run();
  const DeviceMemory fused = memory_of(shape, run);
  run.fused_gradients = false;
  const DeviceMemory made = memory_of(shape, run);
  const double matrix = 2.0 * 32000 * 1024, layer = 2.0 * 1024 * (3 * 1024 + 1024 + 3 * 2816);
  EXPECT_EQ(made[Holds::placeholders], 0);
  EXPECT_DOUBLE_EQ(fused[Holds::placeholders], matrix + layer);
  const auto working = [](const DeviceMemory& m) {
    return m.at[static_cast<std::size_t>(Moment::head_backward)] - m.fixed();
  };
  EXPECT_DOUBLE_EQ(working(made) - working(fused), matrix);
}

// CUDACachingAllocator: 3 MiB from segments of whole 2 MiB leave 1 MiB, which is not split off.
TEST(Moments, TheAllocatorSplitsOffNoMoreThanAMebibyte) {
  DecoderShape shape = small_llama();
  shape.sequence = 1024;
  floptally::Run run = default_run();
  const double even = first_layer(shape, run).unsplit;  // 2, 6, 11 MiB: of the last two matrices' inputs 1 MiB each
  shape.ffn = 3072;
  EXPECT_LT(first_layer(shape, run).unsplit, even);
  EXPECT_EQ(first_layer(shape, run).unsplit, 0);
  run.framework.planned = true;
  shape.ffn = 2816;
  EXPECT_EQ(first_layer(shape, run).unsplit, 0);
  // Of experts with uneven loads any size is as likely: a quarter of a MiB in the mean, whatever the load.
  run.framework.planned = false;
  run.layout.expert = 4;
  shape.experts = 8;
  shape.top_k = 2;
  shape.expert_ffn = 2816;
  run.expert_load = 1.1;
  const double some = first_layer(shape, run).unsplit;
  run.expert_load = 1.3;
  EXPECT_EQ(first_layer(shape, run).unsplit, some);
}

// nanotron trainer.py: no DistributedDataParallel for one data rank; optim/gradient_accumulator.py: 16-bit gradients
// are added after the backward pass.
TEST(Moments, ReducersNeedASecondDataRank) {
  const DecoderShape shape = small_llama();
  floptally::Run run = default_run();
  run.framework = *find_framework("nanotron");
  run.batch = 8;
  const DeviceMemory alone = memory_of(shape, run);
  run.layout.data = 2;
  const DeviceMemory together = memory_of(shape, run);
  const double parameters = together[Holds::weights] / 2;
  EXPECT_DOUBLE_EQ(together[Holds::gradients] - alone[Holds::gradients], 2 * parameters);
  EXPECT_GE(together[Holds::working], 2 * parameters);
}

// torch/amp: casts of fp32 weights are remembered until the context is left.
TEST(Moments, AutocastHoldsItsCasts) {
  const DecoderShape shape = small_llama();
  floptally::Run run = default_run();
  run.framework = *find_framework("huggingface");
  run.precision = *find_precision("fp16-autocast");
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::copies], 2 * (4 * first_layer(shape, run).matrix + 32000.0 * 1024));
}

// A layer of one operator: the working tensors of its backward pass.
double working_of(const Op& op, const floptally::Run& run) {
  MemoryProfile profile(run);
  profile.enter("layers", 1, BlockKind::layer);
  profile.add(op);
  profile.leave();
  return profile.layer(0).working;
}

// mamba_ssm's scan: states of every chunk of 128 positions and their gradients in fp32, the gradients once more in 16
// bits.
TEST(Working, OfAStateSpaceScanHoldsItsChunkStates) {
  constexpr double kTokens = 1024, kHeads = 8, kHeadDim = 64, kState = 128;
  const double moved = kTokens * (kHeads * kHeadDim + 2 * kState + kHeads) + kTokens * kHeads * kHeadDim;
  const double states = kTokens / 128 * kHeads * kHeadDim * kState;
  EXPECT_DOUBLE_EQ(working_of(state_space("ssm", 1024, 8, 64, 128, 1), default_run()),
                   2 * moved + (4 + 4 + 2) * states);
}

// peft/tuners/lora/layer.py: the input in fp32, what the second matrix gives, and that times alpha / rank.
TEST(Working, OfAdaptersInFp32) {
  floptally::Run run = default_run();
  run.adapter.rank = 8;
  const Op query = linear("q_proj", 512, 1024, 256, false, Component::projection);
  const double narrow = working_of(query, run);
  run.adapter.wide = true;
  EXPECT_DOUBLE_EQ(working_of(query, run) - narrow, 512.0 * (1024 + 2 * 256) * 4);
}

}  // namespace
}  // namespace floptally
