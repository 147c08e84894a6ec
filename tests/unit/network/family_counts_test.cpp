// Parameter counts of published models: each config under tests/differential/families/configs must load and have
// exactly the count of counts.csv; the meta-test demands one such config for every family.
//
// How a count is known stands in the third column: `read` in a model card or by another program, `recalled` from the
// hub and equal to the class that was read (two independent routes to one number of nine digits and more), or `rounded`
// on the card, where the digits below are ours.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "base/sources.h"
#include "network/convention.h"
#include "network/count.h"
#include "network/family.h"

namespace floptally {
namespace {

const std::string kFolder = std::string(FLOPTALLY_SOURCE_DIR) + "/tests/differential/families/";

struct Row {
  std::string config, parameters;
};

std::vector<Row> rows() {
  std::vector<Row> result;
  std::ifstream file(kFolder + "counts.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    result.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1)});
  }
  return result;
}

Result<Network> load(Sources& sources, const std::string& config) {
  const Result<const Source*> source = sources.read(kFolder + "configs/" + config);
  if (!source) return source.problems();
  const Result<Document> document = read_json(**source);
  if (!document) return document.problems();
  FamilyInputs inputs;
  inputs.sequence = 64;
  return build_family(*document, inputs);
}

TEST(FamilyCounts, EveryPublishedCountIsMetExactly) {
  const std::vector<Row> table = rows();
  ASSERT_GE(table.size(), 150u);
  for (const Row& row : table) {
    Sources sources;
    const Result<Network> network = load(sources, row.config);
    ASSERT_TRUE(network.ok()) << row.config << ": " << to_text(network.problems());
    EXPECT_EQ(count(*network).total().parameters.to_string(), row.parameters) << row.config;
  }
}

// classes.txt: a line for a config of the family's default sizes, without its class: the counts of the classes that it
// can name, then the config.
struct Classes {
  std::vector<std::pair<std::string, std::string>> counts;  // class, parameters
  std::string config;                                       // less its opening brace
};

std::vector<Classes> classes() {
  std::vector<Classes> result;
  std::ifstream file(kFolder + "classes.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t brace = line.find('{');
    Classes row;
    row.config = line.substr(brace + 1);
    std::istringstream words(line.substr(0, brace));
    for (std::string word; words >> word;)
      row.counts.emplace_back(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
    result.push_back(row);
  }
  return result;
}

Result<Network> build(Sources& sources, const Classes& row, const std::string& name) {
  const Source& text = sources.add(name, R"({"architectures": [")" + name + "\"], " + row.config);
  ReadOptions options;
  options.allow_nan = true;
  const Result<Document> document = read_json(text, options);
  if (!document) return document.problems();
  FamilyInputs inputs;
  inputs.sequence = 64;
  return build_family(*document, inputs);
}

TEST(FamilyCounts, EveryClassHasTheParametersOfThePublishedOne) {
  const std::vector<Classes> table = classes();
  ASSERT_GE(table.size(), 140u);
  for (const Classes& row : table) {
    for (const auto& [name, parameters] : row.counts) {
      Sources sources;
      const Result<Network> network = build(sources, row, name);
      ASSERT_TRUE(network.ok()) << name << ": " << to_text(network.problems());
      EXPECT_EQ(count(*network).total().parameters.to_string(), parameters) << name;
    }
  }
}

// flop.txt: what PyTorch executed in products and convolutions of a small model.
TEST(FamilyCounts, ExecutedFlopAreThoseOfPyTorch) {
  std::ifstream file(kFolder + "flop.txt");
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t brace = line.find('{');
    std::istringstream words(line.substr(0, brace));
    std::string name, flop, image;
    FamilyInputs inputs;
    words >> name >> flop >> inputs.sequence >> inputs.source_sequence >> inputs.images >> inputs.frames >> image;
    if (image != "-") {
      std::istringstream sides(image);
      for (std::string side; std::getline(sides, side, 'x');) inputs.image.push_back(std::stoll(side));
    }
    Sources sources;
    const Source& text = sources.add(name, R"({"architectures": [")" + name + "\"], " + line.substr(brace + 1));
    ReadOptions options;
    options.allow_nan = true;
    const Result<Document> document = read_json(text, options);
    ASSERT_TRUE(document.ok()) << name;
    const Result<Network> network = build_family(*document, inputs);
    ASSERT_TRUE(network.ok()) << name << ": " << to_text(network.problems());
    EXPECT_EQ(count_flop(*network, *find_convention("torch")).forward.to_string(), flop) << name;
    ++rows;
  }
  EXPECT_GE(rows, 15);
}

TEST(FamilyCounts, EveryFamilyHasAConfig) {
  std::set<std::string> counted;
  for (const Row& row : rows()) {
    Sources sources;
    if (const Result<Network> network = load(sources, row.config); network.ok()) counted.insert(network->family);
  }
  for (const Classes& row : classes()) {
    Sources sources;
    if (const Result<Network> network = build(sources, row, row.counts.front().first); network.ok())
      counted.insert(network->family);
  }
  for (auto family = all_families(); *family != nullptr; ++family)
    EXPECT_TRUE(counted.count(std::string((*family)->name)))
        << (*family)->name << " has no config in counts.csv or classes.txt";
  EXPECT_GE(counted.size(), 50u);
}

TEST(FamilyCounts, FamiliesAreDocumentedAndDistinct) {
  std::set<std::string_view> types;
  for (auto family = all_families(); *family != nullptr; ++family) {
    EXPECT_FALSE((*family)->doc.empty()) << (*family)->name;
    EXPECT_FALSE((*family)->source.empty()) << (*family)->name;
    for (std::string_view type : (*family)->model_types)
      EXPECT_TRUE(types.insert(type).second) << type << " belongs to two families";
  }
}

// A list of unlike layers that a family does not ask for would be counted as equal layers.
TEST(FamilyCounts, UnlikeLayersThatNobodyReadsAreRefused) {
  const auto with = [](const char* kinds) {
    Sources sources;
    const Source& text = sources.add(
        "config.json", std::string(R"({"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 64,
                                       "vocab_size": 100, "layer_types": )") +
                           kinds + "}");
    const Result<Document> document = read_json(text, {});
    return build_family(*document, {});
  };
  EXPECT_TRUE(with(R"(["full_attention", "full_attention"])").ok());
  const Result<Network> unlike = with(R"(["full_attention", "linear_attention"])");
  ASSERT_FALSE(unlike.ok());
  EXPECT_EQ(unlike.problems().front().code, "unknown-variant");
}

// A missing size is named; nothing about a family's shape is defaulted in silence.
TEST(FamilyCounts, EveryFamilyRefusesAnEmptyConfig) {
  for (auto family = all_families(); *family != nullptr; ++family) {
    if ((*family)->model_types.empty()) continue;
    Sources sources;
    const Source& source =
        sources.add("config.json", "{\"model_type\": \"" + std::string((*family)->model_types.front()) + "\"}");
    const Result<Document> document = read_json(source);
    ASSERT_TRUE(document.ok());
    const Result<Network> network = build_family(*document, {});
    // CLIP's and SigLIP's published classes have a default for every size: those load, and say what they assumed.
    if (network.ok()) {
      EXPECT_TRUE((*family)->name == "clip" || (*family)->name == "siglip") << (*family)->name;
      EXPECT_FALSE(network->bindings.empty());
    } else {
      EXPECT_EQ(network.problems()[0].code, "missing-key") << (*family)->name << ": " << network.problems()[0].message;
    }
  }
}

}  // namespace
}  // namespace floptally
