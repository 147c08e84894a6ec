// Weights, gradients, master copies and optimizer states of one layer against Galvatron's profiles: exact but for the
// allocator's blocks (data/evidence/layers.csv, differences of profiles with one layer more).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/csv.h"
#include "base/embedded.h"
#include "estimate/memory.h"
#include "network/blocks/decoder.h"

namespace floptally {
namespace {

constexpr double kMib = 1024.0 * 1024;

double states_per_layer(std::int64_t width, std::int64_t heads, std::int64_t ffn, bool gated, std::int64_t tensor,
                        std::int64_t data) {
  floptally::Run run = default_run();
  run.precision = *find_precision("fp16-mixed");
  run.framework = *find_framework("fsdp");
  run.layout.tensor = tensor;
  run.layout.data = data;
  run.layout.zero = Zero::weights;
  DecoderShape s;
  s.width = width;
  s.heads = s.kv_heads = heads;
  s.head_dim = width / heads;
  s.ffn = ffn;
  s.gated = gated;
  s.norm = gated ? NormKind::rms : NormKind::layer;
  s.qkv_bias = s.out_bias = s.mlp_bias = !gated;
  s.vocabulary = 1024;
  s.sequence = 128;
  double held[2];
  for (const int layers : {1, 2}) {
    s.layers = layers;
    MemoryProfile profile(run);
    describe_decoder(s, profile);
    const DeviceMemory m = device_memory(profile, run, 0);
    held[layers - 1] = m[Holds::weights] + m[Holds::gradients] + m[Holds::master] + m[Holds::states];
  }
  return held[1] - held[0];
}

TEST(LayerStates, MatchGalvatronsProfilesButForTheAllocator) {
  Source source;
  source.text = std::string(*embedded_file("evidence/layers.csv"));
  const auto csv = Csv::read(source);
  ASSERT_TRUE(csv.ok());
  ASSERT_GE(csv->rows(), 100u);
  std::vector<double> errors;
  for (std::size_t row = 0; row < csv->rows(); ++row) {
    const auto number = [&](std::string_view column) { return std::stod(std::string(csv->cell(row, column))); };
    const auto whole = [&](std::string_view column) { return static_cast<std::int64_t>(number(column)); };
    const double predicted = states_per_layer(whole("hidden"), whole("heads"), whole("ffn"), whole("gated_ffn") == 1,
                                              whole("tp"), whole("dp")) /
                             kMib;
    const double measured = number("mib_per_layer");
    EXPECT_NEAR(predicted, measured, 4) << csv->cell(row, "id");  // two of the allocator's 2 MiB blocks
    errors.push_back(std::fabs(predicted / measured - 1));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.001);
}

}  // namespace
}  // namespace floptally
