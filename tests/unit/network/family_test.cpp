// Published configs through the family registry.
#include "network/family.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/sources.h"
#include "network/convention.h"

namespace floptally {
namespace {

constexpr const char* kLlama = R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
 "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
 "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "made_up": 3, "torch_dtype": "bfloat16", "vocab_size": 128256})";

Result<Network> build_text(Sources& sources, std::string text, std::int64_t sequence = 0) {
  const Source& source = sources.add("config.json", std::move(text));
  const Result<Document> document = read_json(source);
  if (!document) return document.problems();
  FamilyInputs inputs;
  inputs.sequence = sequence;
  return build_family(*document, inputs);
}

std::string without(std::string text, const std::string& part) { return text.erase(text.find(part), part.size()); }

TEST(Family, CountsLlama3) {
  Sources sources;
  const Result<Network> network = build_text(sources, kLlama, 8192);
  ASSERT_TRUE(network.ok());
  EXPECT_EQ(count(*network).total().parameters, Integer(8030261248));
  EXPECT_NEAR(count_flop(*network, default_convention()).training().to_double() / 8192, 5.14704e10, 1e5);
  EXPECT_EQ(network->dtype, Dtype::bfloat16);
}

TEST(Family, NamesTheMissingKey) {
  Sources sources;
  const Result<Network> network = build_text(sources, without(kLlama, "\"intermediate_size\": 14336, "));
  ASSERT_FALSE(network.ok());
  ASSERT_EQ(network.problems().size(), 1u);
  EXPECT_EQ(network.problems()[0].code, "missing-key");
  EXPECT_NE(network.problems()[0].message.find("intermediate_size"), std::string::npos);
}

TEST(Family, ListsIgnoredKeysAndAssumptions) {
  Sources sources;
  const Result<Network> network = build_text(sources, kLlama);
  ASSERT_TRUE(network.ok());
  std::set<std::string> codes;
  for (const Diagnostic& note : network->notes) codes.insert(note.code);
  EXPECT_TRUE(codes.count("ignored-keys"));
  EXPECT_TRUE(codes.count("assumed"));
  EXPECT_EQ(network->sequence, 4096);
}

TEST(Family, NamesTheNearestArchitecture) {
  Sources sources;
  const Result<Network> network = build_text(sources, R"({"model_type": "lama", "hidden_size": 8})");
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.problems()[0].code, "unknown-architecture");
  EXPECT_NE(network.problems()[0].help.find("llama"), std::string::npos);
}

TEST(Family, EveryFamilyIsDocumented) {
  std::set<std::string_view> types;
  for (auto family = all_families(); *family != nullptr; ++family) {
    SCOPED_TRACE(std::string((*family)->name));
    EXPECT_FALSE((*family)->doc.empty());
    EXPECT_FALSE((*family)->source.empty());
    EXPECT_FALSE((*family)->model_types.empty() && (*family)->architectures.empty());
    for (std::string_view type : (*family)->model_types) EXPECT_TRUE(types.insert(type).second) << type;
  }
}

}  // namespace
}  // namespace floptally
