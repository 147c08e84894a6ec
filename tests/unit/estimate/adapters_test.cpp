// What adapters keep beside a frozen base: LitGPT's LoRA and Adapter, 4-bit products.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/estimate/small_models.h"

namespace floptally {
namespace {

constexpr double kTokens = 512, kWidth = 1024;

// Keys and values of two heads.
DecoderShape grouped_llama() {
  DecoderShape s = small_llama();
  s.kv_heads = 2;
  return s;
}

Run tuned() {
  Run run = default_run();
  run.framework = *find_framework("litgpt");
  run.precision = *find_precision("bf16-pure");
  run.device = "A100-SXM-40GB";
  run.batch = 128;
  run.adapter.rank = 8;
  run.adapter.key = run.adapter.output = false;
  return run;
}

// litgpt/lora.py zero_pad copies what is adapted into zeros; index_copy's derivative keeps its source.
TEST(Adapters, APartOfAFusedProjectionIsKeptOnceMore) {
  const DecoderShape shape = grouped_llama();
  floptally::Run part = tuned();
  floptally::Run none = part;
  none.framework.zero_pads = false;
  const double queries_and_values = 2 * kTokens * (8 * 128 + 2 * 128);
  EXPECT_DOUBLE_EQ(first_layer(shape, part).kept - first_layer(shape, none).kept, queries_and_values);
  part.adapter.key = none.adapter.key = true;  // all of it: nothing to pad
  EXPECT_DOUBLE_EQ(first_layer(shape, part).kept, first_layer(shape, none).kept);
}

// lit_gpt/adapter.py: adapter_start_layer 2; the prompts' attention is kept for its gate.
TEST(Adapters, LayersBeforeTheFirstAdapterKeepNothing) {
  const DecoderShape shape = grouped_llama();
  floptally::Run run = tuned();
  run.adapter = {};
  run.adapter.rank = 1;
  run.adapter.query = run.adapter.key = run.adapter.value = run.adapter.output = false;
  const double plain = first_layer(shape, run).kept, all = memory_of(shape, run)[Holds::activations];
  run.adapter.prompts = true;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept - plain, 2 * kTokens * 8 * 128);
  run.adapter.prompts = false;
  run.adapter.first = 2;
  const double beyond = first_layer(shape, run).unsplit;
  EXPECT_DOUBLE_EQ(all - memory_of(shape, run)[Holds::activations], 2 * (plain + beyond));
}

// The longest micro-batch comes first: no logits of a step before it, no gradients until its backward pass.
TEST(Adapters, TheLongestMicroBatchIsTheFirst) {
  const DecoderShape shape = grouped_llama();
  floptally::Run run = tuned();
  const double logits = kTokens * 32000;
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::logits], 10 * logits);
  EXPECT_GT(memory_of(shape, run)[Holds::gradients], 0);
  run.lengths = Lengths::vary;
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::logits], 8 * logits);
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::gradients], 0);
}

// Phi's one norm and GPT-NeoX's two read the same input, which is kept once.
TEST(Adapters, LayersSideBySideShareTheirInput) {
  DecoderShape shape = grouped_llama();
  shape.norm = NormKind::layer;
  shape.gated = false;
  const floptally::Run run = tuned();
  const double one_after_the_other = first_layer(shape, run).kept;
  const double input = 2 * kTokens * kWidth;
  shape.parallel_norms = 2;
  EXPECT_DOUBLE_EQ(one_after_the_other - first_layer(shape, run).kept, input);
  shape.parallel_norms = 1;  // and its mean and deviation, fp32, are those of one norm
  EXPECT_DOUBLE_EQ(one_after_the_other - first_layer(shape, run).kept, input + 2 * 4 * kTokens);
}

// Lightning Fabric packs from fp16: a packed matrix is there in fp16 and in bf16 while it is used, the output matrix
// among them, beside the last step's fp32 logits in the forward pass.
TEST(Adapters, APackedOutputMatrixIsUnpackedTwice) {
  const DecoderShape shape = grouped_llama();
  floptally::Run run = tuned();
  run.adapter.base = Dtype::nf4;
  const double logits = kTokens * 32000, matrix = 32000 * kWidth;
  MemoryProfile packed(run);
  describe_decoder(shape, packed);
  EXPECT_DOUBLE_EQ(packed.after().unpacked, 4 * matrix);
  const DeviceMemory held = memory_of(shape, run);
  const auto at = [&](Moment moment) { return held.at[static_cast<std::size_t>(moment)]; };
  EXPECT_EQ(held.moment, Moment::head_backward);
  EXPECT_DOUBLE_EQ(held[Holds::logits] + held[Holds::working], 6 * logits + 4 * matrix + 2 * kTokens * kWidth);
  EXPECT_DOUBLE_EQ(at(Moment::head_backward) - at(Moment::loss), 2 * kTokens * kWidth);  // gradients of its input
  run.framework.packs_head = false;
  MemoryProfile left_out(run);
  describe_decoder(shape, left_out);
  EXPECT_DOUBLE_EQ(left_out.after().unpacked, 0);
  EXPECT_DOUBLE_EQ(left_out.after().frozen_bytes - packed.after().frozen_bytes, (2 - 0.5625) * matrix);
}

// Adapter v2 trains norms: what is scaled is kept in fp32 as well; and it scales the logits.
TEST(Adapters, AdapterV2TrainsNorms) {
  const DecoderShape shape = grouped_llama();
  floptally::Run run = tuned();
  run.adapter = {};
  run.adapter.rank = 1;
  run.adapter.query = run.adapter.key = run.adapter.value = run.adapter.output = false;
  const double plain = first_layer(shape, run).kept, loss = memory_of(shape, run)[Holds::logits];
  run.adapter.scales_outputs = true;
  const double outputs = kTokens * (8 * 128 + 2 * 2 * 128 + 2 * kWidth + 2 * 2816) * 2,
               norms = 2 * 4 * kTokens * kWidth;
  EXPECT_DOUBLE_EQ(first_layer(shape, run).kept - plain, outputs + norms);
  EXPECT_DOUBLE_EQ(memory_of(shape, run)[Holds::logits] - loss, 2 * kTokens * 32000);
}

// Params4bit: numbers are the parameter, scales an attribute of it.
TEST(Adapters, PackedNumbersAreSharedAndGatheredScalesAreNot) {
  const DecoderShape shape = small_llama();
  floptally::Run run = tuned();
  run.adapter.base = Dtype::nf4;
  const LayerMemory layer = first_layer(shape, run);
  EXPECT_DOUBLE_EQ(layer.frozen_scales, layer.matrix / 16);  // an fp32 scale for 64 numbers
  EXPECT_NEAR(layer.gathered, layer.matrix / 2, 2 * 2 * 1024 + 1);
  run.layout.data = 4;
  run.layout.zero = Zero::weights;
  run.framework.packs_head = false;
  const double whole = 4 * layer.frozen_scales, packed = 4 * layer.matrix / 2;
  const double rest = 2 * 2 * 32000.0 * kWidth + 2 * 9 * kWidth;
  const double trained = 2 * 4 * 2 * 8 * 2 * kWidth;  // of queries and values
  EXPECT_NEAR(memory_of(shape, run)[Holds::weights], whole + (packed + rest + trained) / 4, 1);
}

// torch/autograd/graph.py register_multi_grad_hook: the checkpointed input and its gradient live as long as the hook.
TEST(Adapters, HooksOfFrozenUnitsHoldTheirInputs) {
  const DecoderShape shape = small_llama();
  floptally::Run run = tuned();
  run.framework = *find_framework("huggingface");
  run.linear_loss = true;
  run.layout.micro_batch = 32;
  run.layout.data = 4;
  run.layout.zero = Zero::weights;
  run.recompute.mode = Recompute::Mode::full;
  const DeviceMemory free = memory_of(shape, run);
  run.framework.flat_units = true;
  const DeviceMemory held = memory_of(shape, run);
  const LayerMemory layer = first_layer(shape, run);
  EXPECT_DOUBLE_EQ(held[Holds::activations] - free[Holds::activations], 4 * layer.input);
  EXPECT_DOUBLE_EQ(free[Holds::gathered] - held[Holds::gathered], layer.gathered);  // no layer is fetched ahead
}

// transformers 4 modeling_mixtral.py: for expert_idx in range(num_experts).
TEST(Adapters, ExpertsOneAfterTheOtherWorkOneAtATime) {
  DecoderShape shape = small_llama();
  shape.experts = 8;
  shape.top_k = 2;
  shape.expert_ffn = 16384;
  floptally::Run run = tuned();
  run.adapter.base = Dtype::nf4;
  run.framework.loops_experts = true;
  const double one = first_layer(shape, run).working;
  run.framework.loops_experts = false;
  EXPECT_LT(one, first_layer(shape, run).working / 4);
}

}  // namespace
}  // namespace floptally
