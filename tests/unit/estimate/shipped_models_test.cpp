// Every shipped model on one device: nothing of it is lost between the count and the memory.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
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

// What PyTorch's autograd keeps of an image (tests/differential/vision_memory.csv), by network kind where a rule is
// missing: layer scales keep what they multiply, ShuffleNet's halves keep the whole map they are views of, SqueezeNet's
// pools stand between layers, PyTorch 1.13 trains vision transformers with unfused attention, and Swin v2 normalizes
// queries and keys.
TEST(ShippedModelsInMemory, KeepWhatAutogradKeeps) {
  const std::map<std::string, double> missing = {
      {"convnext", 0.1}, {"shufflenet", 0.1}, {"squeezenet", 0.06}, {"vit", 0.17}, {"swin_v2", 0.18}};
  floptally::Run run = default_run();
  run.precision = *find_precision("fp32");
  run.framework = *find_framework("torch");
  std::ifstream table(std::string(FLOPTALLY_SOURCE_DIR) + "/tests/differential/vision_memory.csv");
  ASSERT_TRUE(table.good());
  int close = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("model,")) continue;
    std::istringstream cells(line);
    std::string name, image, bytes;
    std::getline(cells, name, ',');
    std::getline(cells, image, ',');
    std::getline(cells, bytes, ',');
    MemoryProfile profile(run);
    replay(shipped(name), profile);
    double lacks = 0;
    for (const auto& [kind, most] : missing)
      if (name.starts_with(kind)) lacks = most;
    const double ratio = held(profile, &LayerMemory::kept) / std::stod(bytes);
    EXPECT_GT(ratio, 0.975 - lacks) << name;
    EXPECT_LT(ratio, 1.015) << name;
    close += ratio > 0.985 ? 1 : 0;
  }
  EXPECT_GE(close, 30);
}

}  // namespace
}  // namespace floptally
