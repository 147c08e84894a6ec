// Every shipped model on one device: nothing of it is lost between the count and the memory.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "estimate/memory.h"
#include "network/count.h"
#include "network/shipped.h"

namespace floptally {
namespace {

Network shipped(const std::string& name) {
  Sources sources;
  Result<Network> network = read_shipped_model(name, {}, sources);
  return network.ok() ? *std::move(network) : Network{};
}

double held(const MemoryProfile& profile, double LayerMemory::*what) {
  double sum = profile.before().*what + profile.after().*what;
  for (int i = 0; i < profile.classes(); ++i) sum += profile.layer(i).*what * profile.layer(i).count;
  return sum;
}

TEST(ShippedModelsInMemory, HoldEveryParameter) {
  floptally::Run run = default_run();
  run.precision = *find_precision("fp32");
  for (const std::string& name : shipped_model_names()) {
    const Network network = shipped(name);
    ASSERT_FALSE(network.ops.empty()) << name;
    const Measure<Integer> total = count(network).total();
    MemoryProfile profile(run);
    replay(network, profile);
    const double parameters = held(profile, &LayerMemory::dense) + held(profile, &LayerMemory::expert);
    EXPECT_NEAR(parameters, total.parameters.to_double(), 1e-9 * parameters) << name;
  }
}

// What PyTorch's autograd keeps of an image (tests/differential/vision_memory.csv). PyTorch 1.13's transformers attend
// in pieces, with scores that are kept.
TEST(ShippedModelsInMemory, KeepWhatAutogradKeeps) {
  floptally::Run run = default_run();
  run.precision = *find_precision("fp32");
  run.framework = *find_framework("torch");
  run.fused_attention = false;
  std::ifstream table(std::string(FLOPTALLY_SOURCE_DIR) + "/tests/differential/vision_memory.csv");
  ASSERT_TRUE(table.good());
  int networks = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("model,")) continue;
    std::istringstream cells(line);
    std::string name, image, bytes;
    std::getline(cells, name, ',');
    std::getline(cells, image, ',');
    std::getline(cells, bytes, ',');
    MemoryProfile profile(run);
    replay(shipped(name), profile);
    EXPECT_NEAR(held(profile, &LayerMemory::kept) / std::stod(bytes), 1, 0.01) << name;
    ++networks;
  }
  EXPECT_EQ(networks, 51);
}

}  // namespace
}  // namespace floptally
