// Decoder-only transformers against published counts.
#include "network/blocks/decoder.h"

#include <gtest/gtest.h>

#include "network/convention.h"

namespace floptally {
namespace {

Network build(const DecoderShape& shape) {
  EXPECT_TRUE(validate(shape).empty());
  NetworkBuilder builder;
  describe_decoder(shape, builder);
  Network network = builder.finish();
  network.sequence = shape.sequence;
  return network;
}

// "Calculating the Cost of a Google Deepmind Paper": general per-token training FLOP and parameters.
DecoderShape scaling_exponents(std::int64_t width) {
  DecoderShape s;
  s.layers = 8;
  s.width = width;
  s.head_dim = 128;
  s.heads = s.kv_heads = width / 128;
  s.ffn = 4 * width;
  s.vocabulary = 32101;
  s.sequence = 512;
  return s;
}

struct BlogRow {
  std::int64_t width, parameters, flop;
};
constexpr BlogRow kBlog[] = {
    {128, 9790720, 37236480},          {256, 22727168, 93347328},         {512, 58037248, 262192128},
    {768, 105930240, 506534400},       {1024, 166406144, 826374144},      {1536, 325106688, 1692546048},
    {2048, 534138880, 2860707840},     {2560, 793502720, 4330859520},     {3072, 1103198208, 6103001088},
    {4096, 1873584128, 10553253888},   {6144, 4018335744, 23077638144},   {8192, 6968393728, 40433860608},
    {12288, 15284428800, 89641820160}, {16384, 26821689344, 158177132544}};

TEST(Decoder, CountsTheFourteenWidthsOfTheBlog) {
  for (const BlogRow& row : kBlog) {
    const DecoderShape shape = scaling_exponents(row.width);
    const Network network = build(shape);
    const Tally<Integer> tally = count(network);
    EXPECT_EQ(tally.total().parameters, Integer(row.parameters));
    const FlopCount flop = count_flop(network, default_convention());
    EXPECT_EQ(flop.training(), Integer(row.flop) * Integer(512)) << row.width;
    TallySink fast;
    describe_decoder(shape, fast);
    EXPECT_TRUE(fast.exact());
    const Measure<double> m = fast.tally().total();
    EXPECT_EQ(m.parameters, static_cast<double>(row.parameters));
    EXPECT_EQ(m.forward.matmul + m.backward_matmul(), static_cast<double>(row.flop) * 512);
  }
}

struct NanodoRow {
  std::int64_t width, untied, tied;
};

TEST(Decoder, CountsNanodoTiedAndUntied) {
  constexpr NanodoRow kRows[] = {
      {128, 9858432, 5749504}, {1024, 166947840, 134076416}, {16384, 26830356480, 26304413696}};
  for (const NanodoRow& row : kRows) {
    DecoderShape shape = scaling_exponents(row.width);
    shape.positions = Positions::learned;
    shape.norm = NormKind::layer_scale_only;
    EXPECT_EQ(count(build(shape)).total().parameters, Integer(row.untied));
    shape.tied = true;
    EXPECT_EQ(count(build(shape)).total().parameters, Integer(row.tied));
  }
}

DecoderShape llama(std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv, std::int64_t ffn,
                   std::int64_t vocabulary, std::int64_t sequence) {
  DecoderShape s;
  s.layers = layers;
  s.width = width;
  s.heads = heads;
  s.kv_heads = kv;
  s.head_dim = width / heads;
  s.ffn = ffn;
  s.vocabulary = vocabulary;
  s.sequence = sequence;
  s.positions = Positions::rotary;
  s.norm = NormKind::rms;
  s.gated = true;
  s.activation = Activation::silu;
  return s;
}

TEST(Decoder, CountsLlamaAsPublished) {
  EXPECT_EQ(count(build(llama(32, 4096, 32, 32, 11008, 32000, 4096))).total().parameters, Integer(6738415616));
  EXPECT_EQ(count(build(llama(80, 8192, 64, 8, 28672, 128256, 8192))).total().parameters, Integer(70553706496));
  const Network llama405 = build(llama(126, 16384, 128, 8, 53248, 128256, 8192));
  EXPECT_EQ(count(llama405).total().parameters, Integer(405853388800));
  const FlopCount flop = count_flop(llama405, default_convention());
  EXPECT_NEAR(flop.training().to_double() / 8192, 2.52396e12, 1e7);
  EXPECT_EQ(flop.training(), Integer(3) * flop.forward);
}

TEST(Decoder, CountsMixtralActiveParameters) {
  DecoderShape s = llama(32, 4096, 32, 8, 14336, 32000, 4096);
  s.experts = 8;
  s.top_k = 2;
  const Measure<Integer> total = count(build(s)).total();
  EXPECT_EQ(total.parameters, Integer(46702792704));
  EXPECT_EQ(total.active(), Integer(12879925248));
}

TEST(Decoder, CountsDeepSeekV3) {
  DecoderShape s = llama(61, 7168, 128, 128, 18432, 129280, 4096);
  s.q_rank = 1536;
  s.kv_rank = 512;
  s.rope_dim = 64;
  s.nope_dim = 128;
  s.value_dim = 128;
  s.experts = 256;
  s.top_k = 8;
  s.expert_ffn = 2048;
  s.shared_ffn = 2048;
  s.dense_first = 3;
  const Network network = build(s);
  EXPECT_EQ(count(network).total().parameters, Integer(671026419200 - 58 * 256));  // without the 58 balancing biases
  EXPECT_NEAR(count_flop(network, *find_convention("megatron")).training().to_double() / 4096, 2.4981e11, 1e7);
  EXPECT_NEAR(count_flop(network, *find_convention("6nd")).training().to_double() / 4096, 2.2531e11, 1e8);
}

TEST(Decoder, RefusesImpossibleShapes) {
  DecoderShape s = llama(2, 64, 4, 3, 128, 100, 16);
  ASSERT_EQ(validate(s).size(), 1u);
  EXPECT_EQ(validate(s)[0].code, "shape-divide");
  s.kv_heads = 4;
  s.experts = 2;
  s.top_k = 3;
  EXPECT_EQ(validate(s)[0].code, "shape-experts");
  s.layers = -1;
  EXPECT_EQ(validate(s)[0].code, "shape-zero");
}

}  // namespace
}  // namespace floptally
