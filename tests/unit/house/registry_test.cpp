// The registries: names are unique, and nothing is registered without saying what it is and where it comes from.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/codes.h"
#include "engine/command.h"
#include "network/convention.h"
#include "network/family.h"
#include "network/format.h"
#include "network/operator.h"
#include "render/renderer.h"

namespace floptally {
namespace {

template <class Def>
std::string name_of(const Def& def) {
  return std::string(def.name);
}
std::string name_of(const CommandDef& def) { return def.info.name; }
std::string name_of(const RendererDef& def) { return def.format; }

template <class Def>
void expect_unique(const Def* const* all) {
  std::set<std::string> seen;
  for (; *all != nullptr; ++all) {
    EXPECT_FALSE(name_of(**all).empty());
    EXPECT_TRUE(seen.insert(name_of(**all)).second) << name_of(**all) << " is registered twice";
  }
  EXPECT_FALSE(seen.empty());
}

TEST(Registries, NamesAreUnique) {
  expect_unique(all_operators());
  expect_unique(all_families());
  expect_unique(all_formats());
  expect_unique(renderers::kAll);
  expect_unique(commands::kAll);
}

TEST(Registries, OperatorsSayWhatTheyAreAndWhereFrom) {
  for (const OperatorDef* const* each = all_operators(); *each != nullptr; ++each) {
    const OperatorDef& op = **each;
    EXPECT_FALSE(op.doc.empty()) << op.name;
    EXPECT_FALSE(op.source.empty()) << op.name;
    EXPECT_FALSE(op.example.text.empty()) << op.name;
    for (int i = 0; i < op.attribute_count; ++i)
      EXPECT_FALSE(op.attributes[i].doc.empty()) << op.name << "." << op.attributes[i].name;
  }
}

TEST(Registries, FamiliesFormatsAndConventionsNameTheirSource) {
  std::set<std::string_view> types;
  for (const FamilyDef* const* each = all_families(); *each != nullptr; ++each) {
    EXPECT_FALSE((*each)->doc.empty()) << (*each)->name;
    EXPECT_FALSE((*each)->source.empty()) << (*each)->name;
    EXPECT_FALSE((*each)->model_types.empty() && (*each)->architectures.empty()) << (*each)->name;
    for (const std::string_view type : (*each)->model_types)
      EXPECT_TRUE(types.insert(type).second) << "two families read model_type " << type;
  }
  for (const FormatDef* const* each = all_formats(); *each != nullptr; ++each) {
    EXPECT_FALSE((*each)->doc.empty()) << (*each)->name;
    EXPECT_FALSE((*each)->source.empty()) << (*each)->name;
  }
  std::set<std::string_view> names;
  for (const Convention& each : conventions()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.doc.empty()) << each.name;
    EXPECT_FALSE(each.source.empty()) << each.name;
  }
}

TEST(Registries, CommandsHaveASummaryAndAnExample) {
  for (const CommandDef* const* each = commands::kAll; *each != nullptr; ++each) {
    const CommandInfo& info = (*each)->info;
    EXPECT_FALSE(info.summary.empty()) << info.name;
    ASSERT_FALSE(info.examples.empty()) << info.name;
    for (const std::string& example : info.examples) EXPECT_EQ(example.rfind("floptally ", 0), 0U) << example;
    std::set<std::string> options;
    for (const OptionInfo& option : info.options) {
      EXPECT_TRUE(options.insert(option.name).second) << info.name << " --" << option.name;
      EXPECT_FALSE(option.help.empty()) << info.name << " --" << option.name;
    }
  }
}

TEST(Registries, CodesAreSortedWordsWithASentence) {
  std::string_view before;
  for (const CodeInfo& each : all_codes()) {
    EXPECT_LT(before, each.word);
    EXPECT_TRUE(each.explanation.ends_with(".")) << each.word;
    before = each.word;
  }
}

}  // namespace
}  // namespace floptally
