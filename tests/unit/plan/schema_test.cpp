// docs/reference/plan.schema.json is what the decoding tables say. FLOPTALLY_UPDATE=1 rewrites it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "plan/plan.h"

namespace floptally {
namespace {

TEST(PlanSchema, TheDocumentIsUpToDate) {
  const std::string path = std::string(FLOPTALLY_SOURCE_DIR) + "/docs/reference/plan.schema.json";
  if (std::getenv("FLOPTALLY_UPDATE") != nullptr) std::ofstream(path) << plan_schema();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), plan_schema()) << "run the tests with FLOPTALLY_UPDATE=1";
  const Source source{"plan.schema.json", text.str(), false};
  EXPECT_TRUE(read_json(source).ok());
}

}  // namespace
}  // namespace floptally
