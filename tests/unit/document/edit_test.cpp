#include "document/edit.h"

#include <gtest/gtest.h>

namespace floptally {
namespace {

class EditTest : public ::testing::Test {
 protected:
  Result<Document> edit(const std::string& text, const std::vector<std::string>& words) {
    const Result<Document> plain = read_document(sources_.add("run.yaml", text));
    const Result<std::vector<Edit>> edits = parse_edits(words, "--set", sources_);
    if (!edits.ok()) return edits.problems();
    return edited(*plain, *edits);
  }
  std::string json(const std::string& text, const std::vector<std::string>& words) {
    const Result<Document> done = edit(text, words);
    return done.ok() ? write_json(done->root()) : done.problems().front().code;
  }
  Sources sources_;
};

TEST_F(EditTest, ReplacesAddsAndKeepsTheOrder) {
  EXPECT_EQ(json("a: 1\nb: {c: x, d: 2}\n", {}), R"({"a": 1, "b": {"c": "x", "d": 2}})");
  EXPECT_EQ(json("a: 1\nb: {c: x, d: 2}\n", {"b.c=3"}), R"({"a": 1, "b": {"c": 3, "d": 2}})");
  EXPECT_EQ(json("a: 1\n", {"b.c=3", "b.d=[1, 2]", "a=true"}), R"({"a": true, "b": {"c": 3, "d": [1, 2]}})");
  EXPECT_EQ(json("a: [1, {b: 2}]\n", {"a.1.b=3"}), R"({"a": [1, {"b": 3}]})");
  EXPECT_EQ(json("a:\n", {"a.b=1"}), R"({"a": {"b": 1}})");
}

TEST_F(EditTest, TheLastWordCounts) {
  EXPECT_EQ(json("a: 1\n", {"a=2", "a=3"}), R"({"a": 3})");
  EXPECT_EQ(json("a: {b: 1}\n", {"a.b=2", "a={c: 4}"}), R"({"a": {"c": 4}})");
  EXPECT_EQ(json("a: {b: 1}\n", {"a={c: 4}", "a.b=2"}), R"({"a": {"c": 4, "b": 2}})");
}

TEST_F(EditTest, ValuesAreReadAsYamlWhereTheyOpenAsAList) {
  EXPECT_EQ(json("a: 1\n", {"a=Model: large"}), R"({"a": "Model: large"})");
  EXPECT_EQ(json("a: 1\n", {"a='2'"}), R"({"a": "2"})");
  EXPECT_EQ(json("a: 1\n", {"a=350 (300 to 400) TFLOP/s"}), R"({"a": "350 (300 to 400) TFLOP/s"})");
  EXPECT_EQ(json("a: 1\n", {"a=[1"}), "yaml-syntax");
}

TEST_F(EditTest, PathsThatLeadNowhere) {
  EXPECT_EQ(json("a: 1\n", {"a.b=1"}), "unknown-key");
  EXPECT_EQ(json("a: [1]\n", {"a.1=1"}), "unknown-key");
  EXPECT_EQ(json("a: [1]\n", {"a.x=1"}), "unknown-key");
  for (const char* word : {"a", "=1", "a=", ".a=1", "a.=1", "a..b=1"})
    EXPECT_EQ(json("a: 1\n", {word}), "bad-override");
  std::string deep = "a";
  for (int i = 0; i < 300; ++i) deep += ".a";
  EXPECT_EQ(json("b: 1\n", {deep + "=1"}), "too-deep");
}

// What was not replaced stands in the file, what was set in its word of the command line.
TEST_F(EditTest, EveryValueKnowsWhereItWasSaid) {
  const Result<Document> done = edit("a: one\nb: {c: \"two\"}\n", {"b.d=three", "e=[4]"});
  ASSERT_TRUE(done.ok());
  const auto said = [](Span span) {
    return span.source->name + ": " + span.source->text.substr(span.begin, span.end - span.begin);
  };
  const Node root = done->root();
  EXPECT_EQ(said(root.find("a").span()), "run.yaml: one");
  EXPECT_EQ(said(root.find("b").find("c").span()), "run.yaml: \"two\"");
  EXPECT_EQ(said(root.find("b").find("c").key_span()), "run.yaml: c");
  EXPECT_TRUE(root.find("b").find("c").quoted());
  EXPECT_EQ(said(root.find("b").find("d").span()), "--set b.d: three");
  EXPECT_EQ(said(root.find("b").find("d").key_span()), "--set b.d: three");
  EXPECT_EQ(said(root.find("e")[std::size_t{0}].span()), "--set e: 4");
}

// More keys than are looked through one by one.
TEST_F(EditTest, LargeMappings) {
  std::string text;
  std::vector<std::string> words;
  for (int i = 0; i < 50; ++i) text += "k" + std::to_string(i) + ": " + std::to_string(i) + "\n";
  for (int i = 25; i < 75; ++i) words.push_back("k" + std::to_string(i) + "=" + std::to_string(-i));
  const Result<Document> done = edit(text, words);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->root().size(), 75u);
  for (int i = 0; i < 75; ++i)
    EXPECT_EQ(done->root().find("k" + std::to_string(i)).as_integer(), Integer(i < 25 ? i : -i)) << i;
}

}  // namespace
}  // namespace floptally
