// Metamorphic relations of the memory of a training run: what must hold whatever the numbers.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "estimate/in_flight.h"
#include "estimate/memory.h"
#include "network/blocks/decoder.h"

namespace floptally {
namespace {

struct Case {
  DecoderShape shape;
  floptally::Run run;
};

Case draw() {
  Case c;
  DecoderShape& s = c.shape;
  s.heads = *rc::gen::element<std::int64_t>(8, 16, 32);
  s.kv_heads = *rc::gen::element<std::int64_t>(8, s.heads);
  s.head_dim = *rc::gen::element<std::int64_t>(64, 128);
  s.width = s.heads * s.head_dim;
  s.ffn = s.width * *rc::gen::element<std::int64_t>(2, 4);
  s.layers = 8 * *rc::gen::inRange<std::int64_t>(1, 5);
  s.vocabulary = 1024 * *rc::gen::inRange<std::int64_t>(8, 128);
  s.sequence = 1024 * *rc::gen::inRange<std::int64_t>(1, 9);
  s.gated = *rc::gen::arbitrary<bool>();
  s.norm = s.gated ? NormKind::rms : NormKind::layer;
  s.experts = *rc::gen::element<std::int64_t>(0, 8);
  s.top_k = s.experts > 0 ? 2 : 0;
  c.run = default_run();
  c.run.framework =
      *find_framework(*rc::gen::element<std::string>("megatron", "fsdp", "huggingface", "megatron-deepspeed"));
  c.run.device = *rc::gen::element<std::string>("A100", "H100", "B200");
  c.run.layout.tensor = *rc::gen::element<std::int64_t>(1, 2, 4);
  c.run.layout.data = *rc::gen::element<std::int64_t>(1, 2, 8);
  c.run.layout.sequence_parallel = c.run.layout.tensor > 1;
  c.run.layout.micro_batch = *rc::gen::inRange<std::int64_t>(1, 5);
  c.run.batch = c.run.layout.data * c.run.layout.micro_batch * 16;
  return c;
}

DeviceMemory memory_of(const Case& c) {
  MemoryProfile profile(c.run);
  describe_decoder(c.shape, profile);
  return peak_memory(profile, c.run);
}

RC_GTEST_PROP(MemoryProperty, PartsAddUpAndAreNotNegative, ()) {
  const DeviceMemory m = memory_of(draw());
  double sum = 0;
  for (const double bytes : m.bytes) {
    RC_ASSERT(bytes >= 0);
    sum += bytes;
  }
  RC_ASSERT(sum == m.allocated());
  double fullest = 0;
  for (const double at : m.at) fullest = std::max(fullest, at);
  RC_ASSERT(std::abs(fullest - m.allocated()) <= 1e-9 * fullest);
}

RC_GTEST_PROP(MemoryProperty, MoreMicroBatchesOnlyCostActivations, ()) {
  Case c = draw();
  const DeviceMemory one = memory_of(c);
  c.run.batch *= 8;  // more accumulation
  RC_ASSERT(memory_of(c).allocated() == one.allocated());
  c.run.layout.micro_batch *= 2;
  const DeviceMemory two = memory_of(c);
  RC_ASSERT(two.fixed() == one.fixed());
  RC_ASSERT(two.allocated() >= one.allocated());  // equal where the optimizer step is the fullest moment
}

RC_GTEST_PROP(MemoryProperty, RecomputationNeverKeepsMore, ()) {
  Case c = draw();
  const double none = memory_of(c)[Holds::activations];
  c.run.recompute.mode = Recompute::Mode::selective;
  c.run.recompute.modules = *rc::gen::inRange<std::uint32_t>(0, 256);
  const double selective = memory_of(c)[Holds::activations];
  c.run.recompute.mode = Recompute::Mode::full;
  const double full = memory_of(c)[Holds::activations];
  RC_ASSERT(selective <= none);
  RC_ASSERT(full <= none);
}

RC_GTEST_PROP(MemoryProperty, ShardingMovesStatesMonotonically, ()) {
  Case c = draw();
  double previous = 1e300;
  for (const Zero zero : {Zero::none, Zero::optimizer, Zero::gradients, Zero::weights}) {
    c.run.layout.zero = zero;
    const double fixed = memory_of(c).fixed();
    RC_ASSERT(fixed <= previous);
    previous = fixed;
  }
}

RC_GTEST_PROP(MemoryProperty, ALayerMoreCostsOneLayer, ()) {
  Case c = draw();
  c.shape.experts = c.shape.top_k = 0;
  const auto fixed = [&](std::int64_t layers) {
    c.shape.layers = layers;
    const DeviceMemory m = memory_of(c);
    return m.fixed() - m[Holds::buckets];  // a bucket grows with the model until it is full
  };
  const double first = fixed(3) - fixed(2), later = fixed(21) - fixed(20);
  RC_ASSERT(std::abs(first - later) <= 1e-6 * first);
}

RC_GTEST_PROP(MemoryProperty, EarlierPipelineRanksHoldMoreMicroBatches, ()) {
  Layout l;
  l.pipeline = *rc::gen::inRange<std::int64_t>(2, 17);
  l.chunks = *rc::gen::inRange<std::int64_t>(1, 5);
  l.schedule = l.chunks > 1 ? Schedule::interleaved : Schedule::one_f_one_b;
  const std::int64_t batch = l.pipeline * *rc::gen::inRange<std::int64_t>(1, 9);
  double previous = 1e300;
  for (std::int64_t stage = 0; stage < l.pipeline; ++stage) {
    const double held = micro_batches_in_flight(l, batch, stage);
    RC_ASSERT(held <= previous + 1e-12);
    RC_ASSERT(held >= 1.0 / static_cast<double>(l.chunks));
    previous = held;
  }
}

}  // namespace
}  // namespace floptally
