// Operators against what PyTorch executed, forward and backward (tests/differential/operators.csv).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/sources.h"
#include "network/count.h"
#include "network/spec.h"

namespace floptally {
namespace {

TEST(Executed, OperatorsCountWhatPyTorchRan) {
  std::ifstream table(std::string(FLOPTALLY_SOURCE_DIR) + "/tests/differential/operators.csv");
  ASSERT_TRUE(table.good());
  Sources sources;
  std::string line;
  int compared = 0;
  while (std::getline(table, line)) {
    if (line.empty() || line[0] == '#' || line.rfind("name;", 0) == 0) continue;
    std::istringstream cells(line);
    std::string name, spec, parameters, forward, backward;
    std::getline(cells, name, ';');
    std::getline(cells, spec, ';');
    std::getline(cells, parameters, ';');
    std::getline(cells, forward, ';');
    std::getline(cells, backward, ';');
    SCOPED_TRACE(name);
    const Source& source = sources.add(name, spec);
    const Result<Document> document = read_yaml(source);
    ASSERT_TRUE(document.ok());
    const Result<Network> network = build_spec(document->root(), {}, sources, {});
    ASSERT_TRUE(network.ok()) << to_text(network.problems());
    CountOptions options;
    options.rules.pairs = Pairs::full;
    const Measure<Integer> total = count(*network, options).total();
    EXPECT_EQ(total.parameters.to_string(), parameters);
    EXPECT_EQ(total.forward.matmul.to_string(), forward);
    EXPECT_EQ(total.backward_matmul().to_string(), backward);
    ++compared;
  }
  EXPECT_GE(compared, 25);
}

}  // namespace
}  // namespace floptally
