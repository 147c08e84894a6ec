// The plan of the user contract and what must come out of it, digit by digit (Everett et al. 2024 as tallied by
// 152334H).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "floptally/engine.h"

namespace floptally {
namespace {

const std::string kPlans = std::string(FLOPTALLY_SOURCE_DIR) + "/plans/";

Result<Book> tally(Engine& engine, const std::string& plan,
                   std::map<std::string, std::vector<std::string>> options = {}) {
  Request request;
  request.command = "tally";
  request.inputs = {plan};
  request.options = std::move(options);
  return engine.run(request);
}

const Figure& figure_of(const Book& book, const Account& account, const std::string& key) {
  for (const Cell& cell : account.cells)
    if (cell.key == key) return book.steps[cell.step].figure;
  static const Figure none;
  return none;
}

TEST(Plan, ScalingExponentsToTheLastDigit) {
  Engine engine;
  const auto book = tally(engine, kPlans + "gdm-scaling-exponents.yaml");
  ASSERT_TRUE(book.ok()) << to_text(book.problems());
  EXPECT_TRUE(book->yes);
  const Account& total = book->accounts.at(0);
  const struct {
    const char* flop;
    double usd, node_hours;
    const char* runs;
    bool floor;
  } want[] = {{"373301860682956800000", 888.81395400704, 37.033914750293334, "12", false},
              {"163361519624729395200000", 388955.9991064986, 16206.499962770775, "456", false},
              {"798849378256158720000000", 1902022.3291813303, 79250.93038255542, "5040", false},
              {"1341284055866199244800000", 3193533.466348094, 133063.89443117057, "3744", true},
              {"798849378256158720000000", 1902022.3291813303, 79250.93038255542, "5040", false},
              {"1354246964379648000000000", 3224397.534237257, 134349.8972598857, "36360", true},
              {"133141563042693120000000", 317003.7215302217, 13208.488397092571, "840", false},
              {"79183779213606912000000", 188532.80765144504, 7855.533652143543, "2640", false},
              {"751843755579581477683200", 1790104.1799513847, 74587.67416464102, "4380", false}};
  ASSERT_EQ(total.children.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) {
    const Account& subset = total.children[i];
    EXPECT_EQ(figure_of(*book, subset, "flop").exact, want[i].flop) << subset.name;
    EXPECT_EQ(figure_of(*book, subset, "runs").exact, want[i].runs) << subset.name;
    EXPECT_NEAR(figure_of(*book, subset, "usd").value / want[i].usd, 1, 1e-13) << subset.name;
    EXPECT_NEAR(figure_of(*book, subset, "node_hours").value / 3600 / want[i].node_hours, 1, 1e-13) << subset.name;
    EXPECT_EQ(figure_of(*book, subset, "flop").at_least, want[i].floor) << subset.name;
  }
  EXPECT_EQ(figure_of(*book, total, "flop").exact, "5421133696079458546483200");
  EXPECT_EQ(figure_of(*book, total, "runs").exact, "58512");
  EXPECT_NEAR(figure_of(*book, total, "usd").value, 12907461.181141568, 1e-6);
  EXPECT_NEAR(find_headline(*book, "node_months")->figure.value, 746.9595590938408, 1e-9);
  EXPECT_TRUE(figure_of(*book, total, "flop").at_least);
}

TEST(Plan, PerWidthTable) {
  // One 50,000-step run of each width.
  Engine engine;
  std::ifstream file(kPlans + "gdm-scaling-exponents.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const std::string path = testing::TempDir() + "floptally-one-of-each.yaml";
  std::string plan = text.str();
  plan = plan.substr(0, plan.find("runs:\n")) + "runs: {one of each: [{over: {width: D}}]}\n";
  std::ofstream(path) << plan;
  const auto book = tally(engine, path, {{"by", {"width"}}});
  ASSERT_TRUE(book.ok()) << to_text(book.problems());
  const char* want[] = {"244032995328000000",    "611761048780800000",    "1718302330060800000",
                        "3319623843840000000",   "5415725590118400000",   "11092269780172800000",
                        "18747934900224000000",  "28382720950272000000",  "39996627930316800000",
                        "69161804680396800000",  "151241609340518400000", "264987348880588800000",
                        "587476632600576000000", "1036629655840358400000"};
  ASSERT_EQ(book->accounts.at(0).children.size(), 14u);
  for (std::size_t i = 0; i < 14; ++i)
    EXPECT_EQ(figure_of(*book, book->accounts[0].children[i], "flop").exact, want[i]);
  EXPECT_EQ(book->accounts[0].children[0].name, "width 128");
}

TEST(Plan, Sensitivities) {
  const std::string plan = kPlans + "gdm-scaling-exponents.yaml";
  const auto flop = [&](std::map<std::string, std::vector<std::string>> options) {
    Engine engine;
    const auto book = tally(engine, plan, std::move(options));
    return book.ok() ? find_headline(*book, "flop_training")->figure.value : -1;
  };
  const auto usd = [&](std::map<std::string, std::vector<std::string>> options) {
    Engine engine;
    const auto book = tally(engine, plan, std::move(options));
    return book.ok() ? find_headline(*book, "usd")->figure.value : -1;
  };
  EXPECT_NEAR(flop({{"let", {"lrs=10"}}}), 4.16775e24, 1e19);
  EXPECT_NEAR(flop({{"let", {"lrs=20"}}}), 6.67451e24, 1e19);
  EXPECT_NEAR(usd({{"set", {"hardware.price=2"}}}), 8.605e6, 5e2);
  EXPECT_NEAR(usd({{"set", {"hardware.price=2.85 USD/device-hour"}}}), 12.262e6, 5e2);
  EXPECT_NEAR(usd({{"set", {"hardware.price=3.5"}}}), 15.059e6, 5e2);
}

}  // namespace
}  // namespace floptally
