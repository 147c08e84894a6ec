// Models by name: as people and hubs write them.
#include "network/shipped.h"

#include <gtest/gtest.h>

#include <utility>

namespace floptally {
namespace {

std::string name_found(std::string_view written) {
  Sources sources;
  if (!is_shipped_model(written)) return "none";
  const Result<Network> network = read_shipped_model(written, {}, sources);
  return network.ok() ? network->name : "unread";
}

TEST(ShippedModels, AreFoundAsHubsWriteThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"gpt2", "gpt-2"},
      {"openai-community/gpt2-xl", "gpt-2-xl"},
      {"meta-llama/Llama-2-7b-chat-hf", "llama-2-7b"},
      {"llama3.1-8b", "llama-3.1-8b"},
      {"meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"},
      {"mistralai/Mixtral-8x7B-v0.1", "mixtral-8x7b"},
      {"google/gemma-2-9b-it", "gemma-2-9b"},
      {"ResNet-152", "resnet152"},
      {"bert-base", "bert-base"},
  };
  for (const auto& [written, name] : cases) EXPECT_EQ(name_found(written), name) << written;
}

TEST(ShippedModels, OfTwoNamesNoneIsGuessed) {
  EXPECT_EQ(name_found("regnet_x_1_6gf"), "regnet_x_1_6gf");
  EXPECT_EQ(name_found("regnet_x_16gf"), "regnet_x_16gf");
  for (const char* written : {"regnetx16gf", "", "-", "hf", "-hf", "llama", "chat-hf", "llama-2-7b-tuned"})
    EXPECT_EQ(name_found(written), "none") << written;
}

TEST(ShippedModels, EveryNameIsItsOwn) {
  for (const std::string& name : shipped_model_names()) EXPECT_EQ(name_found(name), name);
}

}  // namespace
}  // namespace floptally
