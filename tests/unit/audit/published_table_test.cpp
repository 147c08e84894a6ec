#include <gtest/gtest.h>

#include <deque>

#include "audit/table_card.h"
#include "base/embedded.h"

namespace floptally {
namespace {

const PublishedRuns& known() {
  static const Source kTable{"data/published/runs.csv", std::string(embedded_file("published/runs.csv").value_or("")),
                             false};
  static const Result<PublishedRuns> kRuns = PublishedRuns::read(kTable, Catalogue::embedded());
  return *kRuns;
}

PublishedTable table_of(const std::string& text) {
  static std::deque<Source> kept;
  static std::deque<Csv> tables;
  kept.push_back(Source{"runs.csv", text, false});
  Result<Csv> csv = Csv::read(kept.back());
  EXPECT_TRUE(csv.ok());
  tables.push_back(std::move(*csv));
  EXPECT_TRUE(PublishedTable::is_one(tables.back()));
  return PublishedTable::read(tables.back(), Catalogue::embedded(), known());
}

const AuditRun& only(const PublishedTable& table) { return table.rows().front().run; }

TEST(PublishedTable, UnitsStandInTheColumnsNameOrInTheCell) {
  const PublishedTable days =
      table_of("model,params_b,tokens_b,flop,days,n_devices,hardware\nA,7,300,1e22,2,64,H100\n");
  EXPECT_EQ(only(days).phases.front().parameters->amount.best, 7e9);
  EXPECT_EQ(only(days).phases.front().tokens->amount.best, 300e9);
  EXPECT_EQ(only(days).hardware.front().seconds->amount.best, 2 * 86400);
  const PublishedTable cells = table_of(
      "Model,Parameters,Tokens,Training time (hours),Hardware quantity,Training hardware,FLOP\nA,7B,300B,2 "
      "days,64,H100,1e22\n");
  EXPECT_EQ(only(cells).hardware.front().seconds->amount.best, 2 * 86400);
  EXPECT_EQ(only(cells).phases.front().parameters->amount.best, 7e9);
}

TEST(PublishedTable, NamesWhatIsOddAndGuessesNothing) {
  const PublishedTable table = table_of(
      "model,domain,parameters,dataset_size_datapoints,dataset_notes,training_compute_flop,hardware_utilization\n"
      "A,Vision,25e6,1.28e6,1.28M images,1e18,40\n");
  EXPECT_FALSE(only(table).phases.front().tokens.has_value());
  ASSERT_EQ(table.rows().front().gaps.size(), 2u);
  EXPECT_NE(table.rows().front().gaps[0].find("examples of vision"), std::string::npos);
  EXPECT_NE(table.rows().front().gaps[1].find("more than all of the peak"), std::string::npos);
  EXPECT_TRUE(score_table(table, Catalogue::embedded(), Assumptions::embedded()).empty());
}

TEST(PublishedTable, BaseModelsAreLookedUp) {
  const PublishedTable table = table_of(
      "model,parameters,dataset_size_datapoints,training_compute_flop,base_model\nA,175e9,1.3e9,4e23,Parent\nParent,"
      "175e9,300e9,3.15e23,\n");
  EXPECT_EQ(only(table).base_flop->amount.best, 3.15e23);
  const PublishedTable unknown = table_of(
      "model,parameters,dataset_size_datapoints,training_compute_flop,base_model\nA,175e9,1.3e9,4e23,Nobody\n");
  EXPECT_TRUE(only(unknown).phases.empty());
  EXPECT_EQ(unknown.rows().front().gaps.front(), "compute of the base model Nobody is not known");
}

TEST(PublishedTable, ScoresWithoutALookAtTheAnswer) {
  const std::string head = "model,parameters,tokens,flop\n";
  const PublishedTable near = table_of(head + "A,7e9,2e12,8.4e22\n"), far = table_of(head + "A,7e9,2e12,8.4e25\n");
  const auto of = [](const PublishedTable& t) {
    return score_table(t, Catalogue::embedded(), Assumptions::embedded()).front();
  };
  EXPECT_EQ(of(near).counted, of(far).counted);
  EXPECT_EQ(of(near).low, of(far).low);
  EXPECT_TRUE(of(near).inside());
  EXPECT_FALSE(of(far).inside());
}

TEST(PublishedTable, MixturesWithoutActiveParametersAreGivenTheUsualShare) {
  const PublishedTable table = table_of("model,kind,parameters,tokens,flop\nA,moe,1e11,1e12,6e22\n");
  const TableScore score = score_table(table, Catalogue::embedded(), Assumptions::embedded()).front();
  EXPECT_GT(score.counted, 6e11 * 1e12 * 0.05);
  EXPECT_LT(score.counted, 6e11 * 1e12 * 0.2);
  EXPECT_LT(score.low, score.counted / 2);
}

}  // namespace
}  // namespace floptally
