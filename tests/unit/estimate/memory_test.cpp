#include "estimate/memory.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "estimate/in_flight.h"
#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

DecoderShape llama405b(std::int64_t layers) { return llama(layers, 16384, 128, 16, 53248); }

Run megatron_run(std::int64_t tensor, std::int64_t data) {
  Run run = default_run();
  run.device = "B200";
  run.layout.tensor = tensor;
  run.layout.data = data;
  run.layout.sequence_parallel = tensor > 1;
  run.layout.zero = Zero::optimizer;
  run.batch = 4 * data;
  return run;
}

// Ranks of SimuMax's B200 cases: published maxima of torch's allocator, GiB.
TEST(Memory, FourLayersOfLlama405bOnB200) {
  EXPECT_NEAR(memory_of(llama405b(4), megatron_run(2, 4)).allocated() / kGib, 81.59, 0.03 * 81.59);
  EXPECT_NEAR(memory_of(llama405b(4), megatron_run(4, 2)).allocated() / kGib, 52.89, 0.03 * 52.89);
  EXPECT_NEAR(memory_of(llama405b(4), megatron_run(8, 1)).allocated() / kGib, 38.57, 0.03 * 38.57);
}

TEST(Memory, StatesAreArithmetic) {
  floptally::Run run = megatron_run(1, 1);
  run.layout.zero = Zero::none;
  const DecoderShape shape = llama405b(1);
  MemoryProfile profile(run);
  describe_decoder(shape, profile);
  const double layer = 16384.0 * 16384 * 2 + 2.0 * 16384 * 2048 + 3.0 * 16384 * 53248 + 2 * 16384;
  const double parameters = layer + 2.0 * 128256 * 16384 + 16384;
  const DeviceMemory m = device_memory(profile, run, 0);
  EXPECT_DOUBLE_EQ(m[Holds::weights], 2 * parameters);
  EXPECT_DOUBLE_EQ(m[Holds::gradients], 4 * parameters);
  EXPECT_DOUBLE_EQ(m[Holds::master], 4 * parameters);
  EXPECT_DOUBLE_EQ(m[Holds::states], 8 * parameters);
}

TEST(Memory, MoreShardingNeverHoldsMoreStates) {
  double previous = 1e30;
  for (const Zero zero : {Zero::none, Zero::optimizer, Zero::gradients, Zero::weights}) {
    floptally::Run run = megatron_run(1, 8);
    run.layout.zero = zero;
    const double fixed = memory_of(llama405b(2), run).fixed();
    EXPECT_LT(fixed, previous);
    previous = fixed;
  }
}

TEST(Memory, PipelineHoldsByRankAndSchedule) {
  Layout l;
  l.pipeline = 4;
  l.micro_batch = 1;
  EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 16, 0), 4);
  EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 16, 3), 1);
  EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 2, 0), 2);
  l.schedule = Schedule::gpipe;
  EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 16, 3), 16);
  l.schedule = Schedule::interleaved;
  l.chunks = 3;
  // Korthikanti et al. 2205.05198 section 4: the first stage holds L (1 + (p - 1) / (p m)) layers' worth of
  // activations.
  EXPECT_NEAR(micro_batches_in_flight(l, 16, 0), 4 * (1 + 3.0 / 12), 1e-9);
}

// In units of the layers that a rank holds: DualPipe's rank holds two of p stages, DualPipeV's and ZB-V's two of 2p.
TEST(Memory, SchedulesOfTwoDirectionsHoldWhatTheirTablesSay) {
  for (const std::int64_t p : {2, 4, 8}) {
    Layout l;
    l.pipeline = p;
    l.micro_batch = 1;
    l.chunks = 2;
    const double ranks = static_cast<double>(p);
    for (std::int64_t rank = 0; rank < p; ++rank) {
      l.schedule = Schedule::dualpipe;  // PP + 1 activations of a stage (DeepSeek-V3 2412.19437, table 2)
      EXPECT_DOUBLE_EQ(2 * micro_batches_in_flight(l, 64, rank), ranks + 1);
      l.schedule = Schedule::dualpipe_v;  // PP + 1 with PP = 2p stages (deepseek-ai/DualPipe, README)
      EXPECT_DOUBLE_EQ(2 * micro_batches_in_flight(l, 64, rank), 2 * ranks + 1);
      l.schedule = Schedule::zb_v;  // Qi et al. 2405.15362: p
      EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 64, rank), ranks);
      l.schedule = Schedule::zb_h1;  // Qi et al. 2401.10241, table 2
      EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 64, rank), ranks);
      l.schedule = Schedule::zb_h2;
      EXPECT_DOUBLE_EQ(micro_batches_in_flight(l, 64, rank), 2 * ranks - 1);
    }
  }
}

TEST(Memory, FullRecomputationHoldsLayerInputs) {
  floptally::Run run = megatron_run(1, 1);
  run.recompute.mode = Recompute::Mode::full;
  const DecoderShape shape = llama405b(8);
  MemoryProfile profile(run);
  describe_decoder(shape, profile);
  const DeviceMemory m = device_memory(profile, run, 0);
  EXPECT_GE(m[Holds::activations], 8 * 2.0 * 4096 * 16384);
  EXPECT_LE(m[Holds::activations], 8 * 2.0 * 4096 * 16384 + 3 * 2.0 * 4096 * 16384);
}

TEST(Memory, AMillionLayersCostNoMoreThanFour) {
  const floptally::Run run = megatron_run(1, 1);
  EXPECT_GT(memory_of(llama405b(1000000), run).allocated(), 1e15);
}

// bitsandbytes MatMul4Bit: ctx.tensors = (A, B); LitGPT holds the last step's graph until the next loss.
TEST(Memory, FourBitProductsKeepTheirInputOfTwoSteps) {
  floptally::Run run = default_run();
  run.framework = *find_framework("litgpt");
  run.adapter.rank = 8;
  run.adapter.query = run.adapter.key = run.adapter.value = run.adapter.output = false;
  const DecoderShape shape = small_llama();
  const double plain = first_layer(shape, run).kept_policy;
  run.adapter.base = Dtype::nf4;
  const double inputs = 512.0 * (3 * 1024 + 2816) * 2;  // of query-key-value, output, gate and up, down
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy - plain, 2 * inputs);
  run.lengths = Lengths::vary;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy - plain, inputs);
}

// torchtitan distributed/activation_checkpoint.py: the input, products 1, 3, 5 and 7 (query, value, gate, down), and
// attention's output with one fp32 number per row and head; on B200 attention is cuDNN's and made again.
TEST(Memory, EverySecondProductIsKept) {
  floptally::Run run = default_run();
  run.framework = *find_framework("torchtitan");
  run.recompute.mode = Recompute::Mode::selective;
  run.recompute.modules = Recompute::operators;
  run.device = "H100-SXM";
  const DecoderShape shape = small_llama();
  const double products = 512.0 * 2 * (1024 + 1024 + 1024 + 2816 + 1024), attention = 512.0 * (2 * 1024 + 4 * 8);
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy, products + attention);
  run.device = "B200-SXM";
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy, products);
}

TEST(Memory, AccumulationUnderNoSyncHoldsWholeGradients) {
  floptally::Run run = default_run();
  run.framework = *find_framework("litgpt");
  run.precision = *find_precision("bf16-pure");
  run.layout.data = 2;
  run.layout.zero = Zero::weights;
  run.adapter.rank = 8;
  run.batch = 2;
  const DecoderShape shape = small_llama();
  const double at_once = memory_of(shape, run)[Holds::gradients];
  run.batch = 128;
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024, whole = 4 * layer + 2.0 * 32000 * 1024 + 1024;
  EXPECT_LT(at_once, 0.01 * whole);
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::gradients], 2 * whole);
}

// PyTorch's zero_grad(set_to_none): no gradients at the loss, all of them at the end of the backward pass.
TEST(Memory, GradientsExistOnceTheyAreMade) {
  floptally::Run run = default_run();
  run.framework = *find_framework("torchtune");
  run.precision = *find_precision("bf16-pure");
  run.layout.micro_batch = run.batch = 4;
  DecoderShape shape = small_llama();
  shape.sequence = 4096;
  const DeviceMemory at_loss = memory_of(shape, run);
  EXPECT_EQ(at_loss.moment, Moment::loss);
  EXPECT_DOUBLE_EQ(at_loss[Holds::gradients], 0);
  run.batch = 8;  // accumulated
  EXPECT_GT(memory_of(shape, run)[Holds::gradients], 0);
  run.batch = 4;
  shape.sequence = 128;
  shape.vocabulary = 1024;  // states rule: the end of the backward pass is the fullest
  EXPECT_GT(memory_of(shape, run)[Holds::gradients], 0);
  run.fused_optimizer = true;
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::gradients], 0);
}

// Megatron-LM core/transformer/dot_product_attention.py: matmul_input_buffer outlives the step; fused_softmax.py.
TEST(Memory, LocalAttentionHoldsItsScores) {
  floptally::Run run = default_run();
  run.framework = *find_framework("megatron-local");
  run.layout.micro_batch = run.batch = 4;
  const DecoderShape shape = small_llama();
  const double scores = 4.0 * 8 * 512 * 512;
  const auto working = [&] { return memory_of(shape, run).at[static_cast<std::size_t>(Moment::optimizer)]; };
  const double fused = working();
  run.fused_attention = false;
  EXPECT_DOUBLE_EQ(working() - fused, scores * 2);
  // The fp32 softmax keeps what it gave; its 16-bit cast is what the product keeps, or what dropout reads and forgets.
  const double narrow = first_layer(shape, run).kept_policy;
  run.softmax_fp32 = true;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy - narrow, scores * 4);
  run.attention_dropout = true;
  const double wide = first_layer(shape, run).kept_policy;
  run.softmax_fp32 = false;
  EXPECT_DOUBLE_EQ(wide - first_layer(shape, run).kept_policy, scores * 2);
}

// Megatron-LM core/tensor_parallel/layers.py, core/transformer/moe/token_dispatcher.py: GlobalMemoryBuffer "mpu".
TEST(Memory, OneBufferForWhatIsGathered) {
  floptally::Run run = default_run();
  run.layout.micro_batch = run.batch = 4;
  run.layout.tensor = 4;
  DecoderShape shape = small_llama();
  const auto settled = [&] { return memory_of(shape, run).at[static_cast<std::size_t>(Moment::optimizer)]; };
  const double apart = settled(), hidden = 4.0 * 512 * 1024 * 2;
  run.layout.sequence_parallel = true;
  EXPECT_DOUBLE_EQ(settled() - apart, hidden);
  shape.experts = 8;
  shape.top_k = 2;
  run.layout.expert = 8;
  run.layout.expert_tensor = 1;
  const double exchanged = settled();
  run.layout.gathers_tokens = true;
  EXPECT_DOUBLE_EQ(settled() - exchanged, 2 * hidden - hidden);  // a quarter from each of 8 ranks
}

// Megatron-LM layer_wise_optimizer.py without a layout: whole parameters, so the embedding's rank holds all its states.
TEST(Memory, WholeParametersAreShared) {
  floptally::Run run = default_run();
  run.optimizer = *find_optimizer("muon");
  run.layout.zero = Zero::optimizer;
  run.layout.data = run.batch = 64;
  run.whole_shards = true;
  const DecoderShape shape = small_llama();  // two tables of 32000 x 1024, each with AdamW's states
  const DeviceMemory m = memory_of(shape, run);
  EXPECT_DOUBLE_EQ(m[Holds::master], 4.0 * 32000 * 1024);
  EXPECT_DOUBLE_EQ(m[Holds::states], 8.0 * 32000 * 1024);
}

// moe_utils.py: the router's product runs in Transformer Engine where all else is local.
TEST(Memory, RoutersTakeTheEnginesWorkspace) {
  floptally::Run run = default_run();
  run.framework = *find_framework("megatron-local");
  run.device = "H100-SXM";
  DecoderShape shape = small_llama();
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::workspace], 2 * 33554432.0);
  shape.experts = 8;
  shape.top_k = 2;
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::workspace], 2 * 33554432.0 + 33555456);
}

// Unfused kernels read keys and values of as many heads as there are queries: repeat_interleave copies them.
TEST(Memory, UnfusedAttentionRepeatsGroupedKeys) {
  floptally::Run run = default_run();
  run.fused_attention = false;
  DecoderShape shape = small_llama();
  shape.kv_heads = 2;
  const double grouped = first_layer(shape, run).kept_policy;
  shape.kv_heads = 8;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy, grouped);
}

// Transformer Engine UnfusedDotProductAttention: masked_fill keeps the padding mask, layer by layer.
TEST(Memory, PaddingMasksAreKept) {
  floptally::Run run = default_run();
  run.fused_attention = false;
  DecoderShape shape = small_llama();
  const double causal = first_layer(shape, run).kept_policy;
  shape.mask = AttentionMask::none;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept_policy - causal, 512.0 * 512);
}

// Megatron-LM core/datasets/gpt_dataset.py: a mask of a byte for every pair of positions, while the forward step runs.
TEST(Memory, MaskOfTheDataLoader) {
  floptally::Run run = default_run();
  run.layout.micro_batch = run.batch = 4;
  const DecoderShape shape = small_llama();
  const auto at = [&](Moment moment) { return memory_of(shape, run).at[static_cast<std::size_t>(moment)]; };
  const double loss = at(Moment::loss), backward = at(Moment::layer_backward);
  run.loader_mask = true;
  EXPECT_DOUBLE_EQ(at(Moment::loss) - loss, 4.0 * 512 * 512);
  EXPECT_DOUBLE_EQ(at(Moment::layer_backward), backward);
}

// The sum of the embeddings is dropped out: a byte a number, shared by the tensor ranks under sequence parallelism.
TEST(Memory, EmbeddingsAreDroppedOut) {
  floptally::Run run = default_run();
  DecoderShape shape = small_llama();
  const auto before = [&] {
    MemoryProfile profile(run);
    describe_decoder(shape, profile);
    return profile.before().kept;
  };
  for (const Positions positions : {Positions::rotary, Positions::learned}) {
    shape.positions = positions;
    run.layout.tensor = 1;
    run.layout.sequence_parallel = run.hidden_dropout = false;
    const double kept = before();
    run.hidden_dropout = true;
    EXPECT_DOUBLE_EQ(before() - kept, 512.0 * 1024);
    run.layout.tensor = 4;
    run.layout.sequence_parallel = true;
    EXPECT_NEAR(before(), 512.0 * 1024 / 4, 8 * 2 * 512);  // and the positions' numbers
  }
}

// PyTorch fully_shard: fp32 shards, cast as they are gathered; sharded gradients in the reduce-scatter stream's blocks.
TEST(Memory, FullyShardHoldsOneCopy) {
  floptally::Run run = default_run();
  run.framework = *find_framework("torchtitan");
  run.layout.zero = Zero::weights;
  run.layout.data = run.batch = 4;
  DecoderShape shape = small_llama();
  shape.sequence = 4096;
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024;
  const double parameters = 4 * layer + 2.0 * 32000 * 1024 + 1024;
  const DeviceMemory m = memory_of(shape, run);
  EXPECT_DOUBLE_EQ(m[Holds::weights], parameters);  // 4 bytes, a quarter each
  EXPECT_DOUBLE_EQ(m[Holds::master], 0);
  EXPECT_DOUBLE_EQ(m[Holds::states], 2 * parameters);
  EXPECT_EQ(m.moment, Moment::loss);
  EXPECT_DOUBLE_EQ(m[Holds::gradients], 0);
  const double logits = 4096.0 * 32000;  // their 16-bit block is of no use to fp32
  EXPECT_DOUBLE_EQ(m.elsewhere, parameters + 2 * logits);
  const double reserved = memory_lines(m, run, 1, 1).reserved.best;
  EXPECT_NEAR(reserved, run.framework.reserved.best * (m.allocated() + m.elsewhere), 2 * 1024 * 1024);
}

// torch.distributed.tensor.parallel: autograd keeps the gathered input; the loss of split logits takes 16 bytes each.
TEST(Memory, TensorParallelismOfPyTorch) {
  floptally::Run run = default_run();
  run.framework = *find_framework("torchtitan");
  run.layout.tensor = 4;
  run.layout.sequence_parallel = true;
  DecoderShape shape = small_llama();
  const double gathered = first_layer(shape, run).kept_policy;
  run.framework.saves_gathered = false;
  // what q, k and v read, and what gate and up read
  EXPECT_DOUBLE_EQ(gathered - first_layer(shape, run).kept_policy, 2 * 512.0 * 1024 * 2 * 3 / 4);
  run.layout.micro_batch = run.batch = 64;
  const DeviceMemory m = memory_of(shape, run);
  ASSERT_EQ(m.moment, Moment::loss);
  EXPECT_DOUBLE_EQ(m[Holds::logits], 16.0 * 64 * 512 * 32000 / 4);
}

// DeepSpeed stage_1_and_2.py: the shard's gradients flat in fp32; bigger than any block that activations leave.
TEST(Memory, FlatStepsAreReservedApart) {
  floptally::Run run = default_run();
  run.framework = *find_framework("deepspeed");
  run.layout.zero = Zero::optimizer;
  run.layout.data = 4;
  run.batch = run.layout.micro_batch * 4;
  DecoderShape shape = small_llama();
  shape.sequence = 8192;
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024;
  const double parameters = 4 * layer + 2.0 * 32000 * 1024 + 1024;
  const DeviceMemory m = memory_of(shape, run);
  ASSERT_NE(m.moment, Moment::optimizer);
  EXPECT_DOUBLE_EQ(m.elsewhere, 4 * parameters / 4);
}

// BLOOM (tr11 README): 70 layers and two embeddings are 72 places on 12 ranks, 5 layers on the first and the last.
TEST(Memory, EmbeddingsTakeALayersPlace) {
  floptally::Run run = default_run();
  run.layout.pipeline = 12;
  run.layout.zero = Zero::none;
  run.batch = 24;
  DecoderShape shape = small_llama();
  shape.layers = 70;
  MemoryProfile profile(run);
  describe_decoder(shape, profile);
  const double layer = 4.0 * 1024 * 1024 + 3.0 * 1024 * 2816 + 2 * 1024, table = 32000.0 * 1024;
  EXPECT_DOUBLE_EQ(device_memory(profile, run, 0)[Holds::weights], 2 * (5 * layer + table));
  EXPECT_DOUBLE_EQ(device_memory(profile, run, 1)[Holds::weights], 2 * 6 * layer);
  EXPECT_DOUBLE_EQ(device_memory(profile, run, 11)[Holds::weights], 2 * (5 * layer + table + 1024));
}

// Megatron-LM transformer_config.py, recompute_modules: mlp is the dense one, shared_experts and moe_act are apart.
TEST(Memory, RecomputedPartsOfALayerWithExperts) {
  floptally::Run run = default_run();
  run.recompute.mode = Recompute::Mode::selective;
  DecoderShape shape = small_llama();
  shape.experts = 8;
  shape.top_k = 2;
  shape.expert_ffn = 512;
  shape.shared_ffn = 1024;
  const auto kept = [&](std::uint32_t modules) {
    run.recompute.modules = modules;
    return first_layer(shape, run).kept_policy;
  };
  const double all = kept(0);
  EXPECT_DOUBLE_EQ(kept(Recompute::mlp), all);
  // gate, up and their product of the shared experts, which read what the router reads
  EXPECT_DOUBLE_EQ(all - kept(Recompute::shared_experts), 512.0 * 1024 * 3 * 2);
  EXPECT_DOUBLE_EQ(all - kept(Recompute::expert_activations), 512.0 * 2 * 512 * 2);
  // Of the whole block its input stays; attention and both norms are not touched.
  DecoderShape dense = shape;
  dense.experts = dense.shared_ffn = 0;
  run.recompute.modules = Recompute::mlp;
  const double without_experts = first_layer(dense, run).kept_policy;
  EXPECT_DOUBLE_EQ(kept(Recompute::moe), without_experts + 512.0 * 1024 * 2);
}

// DeepSpeed's step works in flat tensors, for which no block of the passes is large enough: both stay reserved,
// whichever of them is the fullest moment.
TEST(Memory, FlatTensorsAndActivationsAreReservedBesideEachOther) {
  floptally::Run run = default_run();
  run.framework = *find_framework("deepspeed");
  run.precision = *find_precision("fp16-mixed");
  const DecoderShape shape = small_llama();
  for (const std::int64_t micro_batch : {1, 64}) {
    run.layout.micro_batch = run.batch = micro_batch;
    const DeviceMemory m = memory_of(shape, run);
    const double step = m.at[static_cast<int>(Moment::optimizer)];
    double passes = 0;
    for (int i = 0; i < static_cast<int>(Moment::optimizer); ++i) passes = std::max(passes, m.at[i]);
    EXPECT_EQ(m.moment == Moment::optimizer, micro_batch == 1);
    EXPECT_DOUBLE_EQ(m.allocated(), std::max(step, passes));
    EXPECT_NEAR(m.allocated() + m.elsewhere, step + passes - m.fixed(), 1);
  }
}

}  // namespace
}  // namespace floptally
