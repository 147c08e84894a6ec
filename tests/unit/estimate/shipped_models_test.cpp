// Every shipped model on one device: nothing of it is lost between the count and the memory.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace floptally
