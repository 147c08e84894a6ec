// Shipped image networks against the parameters and multiply-accumulates that torchvision states.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "network/convention.h"
#include "network/format.h"

namespace floptally {
namespace {

TEST(Vision, EveryShippedNetworkHasTorchvisionsCounts) {
  std::ifstream table(std::string(FLOPTALLY_SOURCE_DIR) + "/tests/unit/network/torchvision.csv");
  ASSERT_TRUE(table.good());
  Sources sources;
  std::string line;
  int compared = 0;
  while (std::getline(table, line)) {
    if (line.empty() || line[0] == '#' || line.rfind("model,", 0) == 0) continue;
    std::istringstream cells(line);
    std::string name, image, parameters, gmacs;
    std::getline(cells, name, ',');
    std::getline(cells, image, ',');
    std::getline(cells, parameters, ',');
    std::getline(cells, gmacs, ',');
    SCOPED_TRACE(name);
    const Result<Network> network = load_model(name, {}, sources);
    ASSERT_TRUE(network.ok());
    EXPECT_EQ(count(*network).total().parameters.to_string(), parameters);
    const double macs = count_flop(*network, *find_convention("mac")).forward.to_double();
    EXPECT_NEAR(macs / 1e9, std::strtod(gmacs.c_str(), nullptr), 5.1e-4);  // stated to three decimals
    ++compared;
  }
  EXPECT_GE(compared, 75);
}

}  // namespace
}  // namespace floptally
