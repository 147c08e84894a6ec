#include "audit/notes.h"

#include <gtest/gtest.h>

namespace floptally {
namespace {

TEST(Notes, HearsOfExperts) {
  EXPECT_TRUE(speaks_of_experts("132B mixture of experts. 36B parameters active"));
  EXPECT_TRUE(speaks_of_experts("MoE-1.1T"));
  EXPECT_TRUE(speaks_of_experts("It has sparse architecture, so we can't use C=6ND."));
  EXPECT_FALSE(speaks_of_experts("a dense model of 70B parameters, judged by experts; the moeller corpus"));
}

TEST(Notes, ReadsActiveParameters) {
  EXPECT_EQ(active_parameters_in("a 288 billion active parameter model with 16 experts", 2e12), 288e9);
  EXPECT_EQ(active_parameters_in("The network activates 96.6 billion parameters per token", 1.2e12), 96.6e9);
  EXPECT_EQ(active_parameters_in("6.9B total parameters, of which only 1.3B are activated for each input token", 6.9e9),
            1.3e9);
  EXPECT_EQ(active_parameters_in("only applies 675M parameters per token", 5.6e9), 675e6);
  EXPECT_FALSE(active_parameters_in("6ND = 6 * 3.8B * 5T tokens", 3.8e9).has_value());
  EXPECT_FALSE(active_parameters_in("6 FLOP / token / parameter", 7e9).has_value());
}

TEST(Notes, ReadsTokensSeenButNotTheDataSet) {
  EXPECT_EQ(tokens_seen_in("we pretrain the model for 5.1 trillion tokens"), 5.1e12);
  EXPECT_EQ(tokens_seen_in("The model is trained for a total of 375 billion tokens"), 375e9);
  EXPECT_FALSE(tokens_seen_in("trained on a dataset of 30 billion tokens").has_value());
  EXPECT_FALSE(tokens_seen_in("Training took long. The corpus, used for tests, has 300B tokens").has_value());
  EXPECT_FALSE(tokens_seen_in("trained for 300 steps").has_value());
}

TEST(Notes, ReadsTheUnitOfData) {
  EXPECT_EQ(data_unit_in("112B tokens, or 84B words"), DataUnit::tokens);
  EXPECT_EQ(data_unit_in("8.8B words"), DataUnit::words);
  EXPECT_EQ(data_unit_in("400 million image-text pairs"), DataUnit::examples);
  EXPECT_EQ(data_unit_in("Table 2"), DataUnit::unsaid);
}

}  // namespace
}  // namespace floptally
