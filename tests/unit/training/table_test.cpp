#include "training/table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "training/optimizer.h"

namespace floptally {
namespace {

class OwnTables : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_ + "/training"); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write_optimizer(const std::string& name) const {
    std::ofstream(folder_ + "/training/optimizers.csv")
        << "name,aliases,states,factored,preconditioner,matrices_only,flop_per_parameter,source\n"
        << name << ",,int8,0,0,0,4,ours\n";
  }

  std::string folder_ = testing::TempDir() + "floptally-own-tables-" + std::to_string(::getpid());
};

TEST_F(OwnTables, LiveAsLongAsTheirScope) {
  write_optimizer("first");
  {
    const FactScope scope(folder_);
    EXPECT_TRUE(find_optimizer("first").ok());
    EXPECT_TRUE(find_optimizer("adamw").ok());  // shipped rows stay
  }
  EXPECT_FALSE(find_optimizer("first").ok());
}

TEST_F(OwnTables, AreReadAnewByEveryScope) {
  for (const char* name : {"first", "second"}) {
    write_optimizer(name);
    const FactScope scope(folder_);
    EXPECT_TRUE(find_optimizer(name).ok()) << name;
  }
}

TEST_F(OwnTables, OfAnEmptyNameChangeNothing) {
  write_optimizer("first");
  const FactScope outer(folder_);
  const FactScope inner("");
  EXPECT_TRUE(find_optimizer("first").ok());
}

}  // namespace
}  // namespace floptally
