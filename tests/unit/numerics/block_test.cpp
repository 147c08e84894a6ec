// GGUF's block layouts against ggml itself: tests/differential/ggml_blocks.csv holds what its reference code made of
// the same pseudo-random blocks and weights, recorded as one hash a question (column oracle names the version).
#include "numerics/block.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "network/tensor_file/tensor_file.h"
#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

constexpr int kCount = 65536;
constexpr std::uint64_t kStart = 14695981039346656037ull;

std::uint64_t fold(std::uint64_t hash, std::uint32_t word) { return (hash ^ word) * 1099511628211ull; }

class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : state_(seed) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<std::uint32_t>(state_ >> 32);
  }

 private:
  std::uint64_t state_;
};

std::vector<float> some_weights() {
  Sequence random(2);
  std::vector<float> weights(kCount);
  for (float& w : weights) {
    float sum = 0;
    for (int j = 0; j < 4; ++j) sum += static_cast<float>(random.next() >> 8) * 0x1p-24f - 0.5f;
    w = sum * 0.05f;
  }
  return weights;
}

std::vector<float> decode_all(const BlockFormat& f, const std::vector<std::byte>& blocks) {
  std::vector<float> values(kCount);
  for (int i = 0; i < kCount / f.weights; ++i)
    f.decode(&blocks[static_cast<std::size_t>(i * f.bytes)], &values[static_cast<std::size_t>(i * f.weights)]);
  return values;
}

std::vector<std::byte> encode_all(const BlockFormat& f, const std::vector<float>& weights) {
  std::vector<std::byte> blocks(static_cast<std::size_t>(kCount / f.weights * f.bytes));
  for (int i = 0; i < kCount / f.weights; ++i)
    f.encode(&weights[static_cast<std::size_t>(i * f.weights)], &blocks[static_cast<std::size_t>(i * f.bytes)]);
  return blocks;
}

double rmse(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

// These encoders follow ggml's published rule and must give its bytes; the others choose scales their own way and must
// come out at least as accurate.
bool same_encoder(std::string_view name) {
  return name == "q4_0" || name == "q4_1" || name == "q5_0" || name == "q5_1" || name == "q8_0";
}

TEST(BlockFormat, ReadsWhatGgmlReadsAndWritesNoWorse) {
  std::ifstream file(FLOPTALLY_SOURCE_DIR "/tests/differential/ggml_blocks.csv");
  std::string line;
  std::getline(file, line);
  int rows = 0;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string name, question, values, hash, error;
    std::getline(cells, name, ',');
    std::getline(cells, question, ',');
    std::getline(cells, values, ',');
    std::getline(cells, hash, ',');
    std::getline(cells, error, ',');
    const BlockFormat* f = find_block_format(name);
    ASSERT_NE(f, nullptr) << name;
    ++rows;
    std::uint64_t mine = kStart;
    if (question == "decode-random") {
      Sequence random(1);
      std::vector<std::byte> blocks(static_cast<std::size_t>(kCount / f->weights * f->bytes));
      for (std::byte& b : blocks) b = static_cast<std::byte>(random.next() >> 24);
      for (const float v : decode_all(*f, blocks))
        mine = fold(mine, std::isnan(v) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(v));
      EXPECT_EQ(std::to_string(mine), hash) << name;
      continue;
    }
    const std::vector<float> weights = some_weights();
    const std::vector<std::byte> blocks = encode_all(*f, weights);
    for (const std::byte b : blocks) mine = fold(mine, std::to_integer<std::uint32_t>(b));
    if (same_encoder(name)) {
      EXPECT_EQ(std::to_string(mine), hash) << name;
    }
    EXPECT_LE(rmse(weights, decode_all(*f, blocks)), std::stod(error) * 1.005) << name;
  }
  EXPECT_EQ(rows, 24);
}

TEST(BlockFormat, BitsPerWeightFollowFromTheLayout) {
  const std::pair<const char*, double> rows[] = {
      {"q4_0", 4.5},    {"q4_1", 5.0}, {"q5_0", 5.5}, {"q5_1", 6.0},    {"q8_0", 8.5},   {"q2_k", 2.625},
      {"q3_k", 3.4375}, {"q4_k", 4.5}, {"q5_k", 5.5}, {"q6_k", 6.5625}, {"iq4_nl", 4.5}, {"mxfp4-gguf", 4.25}};
  for (const auto& [name, bits] : rows) EXPECT_EQ(find_block_format(name)->bits_per_weight(), bits) << name;
  for (const BlockFormat& f : block_formats()) {  // the reader's table and the structures agree
    const TensorType* type = find_tensor_type(f.name == "mxfp4-gguf" ? "mxfp4" : f.name);
    ASSERT_NE(type, nullptr) << f.name;
    EXPECT_EQ(static_cast<int>(type->block_bytes), f.bytes) << f.name;
    EXPECT_EQ(static_cast<int>(type->block_elements), f.weights) << f.name;
  }
}

TEST(BlockFormat, ZeroBlocksStayZeroAndTinyOnesStayFinite) {
  for (const BlockFormat& f : block_formats()) {
    std::vector<float> x(static_cast<std::size_t>(f.weights), 0.0f);
    std::vector<float> y(x.size(), 1.0f);
    std::vector<std::byte> block(static_cast<std::size_t>(f.bytes));
    f.encode(x.data(), block.data());
    f.decode(block.data(), y.data());
    for (const float v : y) EXPECT_EQ(v, 0) << f.name;
    for (const float size : {1e-45f, 1e-30f, 1e-8f, 60000.0f}) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = (i % 3 == 0 ? -size : size) * static_cast<float>(i % 7) / 7;
      f.encode(x.data(), block.data());
      f.decode(block.data(), y.data());
      for (const float v : y) EXPECT_TRUE(std::isfinite(v)) << f.name << " " << size;
    }
  }
}

TEST(SmallFloat, EqualsTheGeneralEncoderOnEveryFormatAndEdge) {
  Sequence random(9);
  for (const NumberFormat& f : number_formats()) {
    if (f.is_posit()) continue;  // no scheme stores posits
    if (f.bits() > 8 || f.is_integer() || f.specials == Specials::scale) continue;
    const SmallFloat small(f);
    const auto check = [&](float x) {
      if (std::isnan(x)) return;
      ASSERT_EQ(small.encode(x), encode(f, static_cast<double>(x), Rounding::nearest_even, Overflow::saturate).code)
          << f.name << " " << x;
    };
    for (int i = 0; i < 200000; ++i) check(std::bit_cast<float>(random.next()));
    for (int i = 0; i < 100000; ++i) check(std::bit_cast<float>((random.next() & 0x87ffffffu) + 0x3b000000u));
    for (std::uint64_t code = 0; code < f.max_code(); ++code) {
      const auto middle = static_cast<float>((decode(f, code) + decode(f, code + 1)) / 2);
      for (const float x :
           {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f), static_cast<float>(decode(f, code))}) {
        check(x);
        check(-x);
      }
    }
  }
}

TEST(SmallFloat, HalvesEqualTheGeneralEncoder) {
  const NumberFormat& fp16 = *find_number_format("fp16");
  Sequence random(4);
  for (std::uint32_t code = 0; code < 65536; ++code) {
    const double exact = decode(fp16, code);
    const float fast = half_to_float(static_cast<std::uint16_t>(code));
    ASSERT_TRUE(std::isnan(exact) ? std::isnan(fast) : static_cast<double>(fast) == exact) << code;
  }
  for (int i = 0; i < 500000; ++i) {
    const float x = std::bit_cast<float>(i % 2 == 0 ? random.next() : (random.next() & 0x8fffffffu) + 0x32000000u);
    if (std::isnan(x)) continue;
    ASSERT_EQ(float_to_half(x), encode(fp16, static_cast<double>(x)).code) << x;
  }
}

TEST(SmallFloat, PackingIsReversible) {
  Sequence random(6);
  for (const int bits : {4, 6, 8}) {
    for (std::size_t count = 0; count < 40; ++count) {
      std::vector<std::uint8_t> codes(count);
      for (std::uint8_t& c : codes) c = static_cast<std::uint8_t>(random.next() & ((1u << bits) - 1));
      std::vector<std::byte> packed(packed_bytes(count, bits));
      std::vector<std::uint8_t> back(count);
      pack(codes, bits, packed.data());
      unpack(packed.data(), count, bits, back.data());
      EXPECT_EQ(back, codes);
    }
  }
}

}  // namespace
}  // namespace floptally::numerics
