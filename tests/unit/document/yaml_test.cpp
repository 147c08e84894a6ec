#include <gtest/gtest.h>

#include <cmath>

#include "document/document.h"

namespace floptally {
namespace {

Source yaml(std::string text) { return {"d.yaml", std::move(text), false}; }

std::string problems(const std::string& text, const ReadOptions& options = {}) {
  const Source source = yaml(text);
  const auto document = read_yaml(source, options);
  return document.ok() ? "" : to_text(document.problems());
}

std::string as_json(const std::string& text) {
  const Source source = yaml(text);
  const auto document = read_yaml(source);
  return document.ok() ? write_json(document->root()) : to_text(document.problems());
}

std::string_view written(const Source& source, const Node& node) {
  return std::string_view(source.text).substr(node.span().begin, node.span().end - node.span().begin);
}

TEST(Yaml, NothingIsMangled) {
  const Source s =
      yaml("a: 1e25\nb: 50_000\nc: no\nd: 12:30\ne: 0x1F\nf: 'yes'\ng: ~\nh:\ni: 15 (10 to 22)   # by eye\nj: .inf\n");
  const auto d = read_yaml(s);
  ASSERT_TRUE(d.ok()) << to_text(d.problems());
  const Node r = d->root();
  EXPECT_EQ(r["a"].text(), "1e25");
  EXPECT_EQ(r["a"].as_integer()->to_string(), "10000000000000000000000000");
  EXPECT_EQ(r["b"].text(), "50_000");
  EXPECT_EQ(r["b"].kind(), NodeKind::string);
  EXPECT_EQ(r["c"].text(), "no");
  EXPECT_FALSE(r["c"].as_bool().has_value());
  EXPECT_EQ(r["d"].text(), "12:30");
  EXPECT_EQ(r["e"].as_integer(), Integer(31));
  EXPECT_TRUE(r["f"].quoted());
  EXPECT_TRUE(r["g"].is_null());
  EXPECT_TRUE(r["h"].is_null());
  EXPECT_EQ(r["i"].text(), "15 (10 to 22)");
  EXPECT_EQ(written(s, r["i"]), "15 (10 to 22)");
  EXPECT_TRUE(std::isinf(*r["j"].as_double()));
}

TEST(Yaml, PlacesAreBytesEvenAfterOtherLetters) {
  const Source s = yaml("\xEF\xBB\xBFñ: {é: \"ü\\u00e9\", b: [1, 2]}\r\nlast: |\r\n  több\r\n  text\r\nend: x\r\n");
  const auto d = read_yaml(s);
  ASSERT_TRUE(d.ok()) << to_text(d.problems());
  const Node r = d->root();
  EXPECT_EQ(written(s, r["ñ"]), "{é: \"ü\\u00e9\", b: [1, 2]}");
  EXPECT_EQ(written(s, r["ñ"]["b"][1]), "2");
  EXPECT_EQ(r["ñ"]["é"].text(), "üé");
  EXPECT_EQ(r["last"].text(), "több\ntext\n");
  EXPECT_TRUE(r["last"].quoted());
  EXPECT_EQ(written(s, r["end"]), "x");
  EXPECT_EQ(locate(r["ñ"]["b"].key_span()).column, 19u);
}

TEST(Yaml, BlockCollectionsEndWhereTheirContentEnds) {
  const Source s = yaml("runs:\n- {a: 1}\n- b: 2\n\n# comment\nnext: 3\n");
  const auto d = read_yaml(s);
  EXPECT_EQ(written(s, d->root()["runs"]), "- {a: 1}\n- b: 2");
}

TEST(Yaml, AliasesAreSharedAndKnowTheirPlace) {
  const Source s = yaml("a: &x [1, {k: v}]\nb: *x\nc: &y 'q'\nd: *y\ne: &z\n  m: 1\nf: *z\n");
  const auto d = read_yaml(s);
  ASSERT_TRUE(d.ok()) << to_text(d.problems());
  EXPECT_EQ(d->root()["b"][1]["k"].text(), "v");
  EXPECT_EQ(written(s, d->root()["b"]), "*x");
  EXPECT_EQ(d->root()["b"].key(), "b");
  EXPECT_EQ(d->root()["d"].text(), "q");
  EXPECT_EQ(d->root()["f"]["m"].text(), "1");
  EXPECT_EQ(written(s, d->root()["c"]), "'q'");
}

TEST(Yaml, BillionLaughsAreRefused) {
  std::string text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string p = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + p + "," + p + "," + p + "," + p + "," + p +
            "," + p + "]\n";
  }
  EXPECT_NE(problems(text).find("error[too-large]: more than 8388608 values"), std::string::npos);
  EXPECT_EQ(problems("a: &a [*a]\n"), R"(error[recursive-alias]: '*a' stands inside the value that it names
  --> d.yaml:1:8
1 | a: &a [*a]
  |        ^^
)");
}

TEST(Yaml, TagsOfTheCoreSchema) {
  EXPECT_EQ(as_json("a: !!str 5\nb: !!int 5\nc: ! x\n"), R"({"a": "5", "b": 5, "c": "x"})");
  EXPECT_NE(problems("a: !!python/object x\n").find("unknown-tag"), std::string::npos);
}

TEST(Yaml, MissingColonHasAPlace) {
  EXPECT_EQ(problems("a: 1\nkind decoder\nb: 2\n"), R"(error[missing-colon]: this key has no colon
  --> d.yaml:2:1
2 | kind decoder
  | ^^^^^^^^^^^^
help: write 'key: value', with a blank after the colon
)");
  EXPECT_EQ(problems("plan: 1\nmodel   # the model\n  kind: decoder\n"), R"(error[missing-colon]: this key has no colon
  --> d.yaml:2:1
2 | model   # the model
  | ^^^^^
help: write 'key: value', with a blank after the colon
)");
  EXPECT_EQ(problems("model\n  kind: decoder\n"), R"(error[missing-colon]: this key has no colon
  --> d.yaml:1:1
1 | model
  | ^^^^^
help: write 'model:'
)");
}

TEST(Yaml, SyntaxErrorsHaveAPlace) {
  EXPECT_EQ(problems("a: x: y\n"), R"(error[yaml-syntax]: a key cannot stand here
  --> d.yaml:1:5
1 | a: x: y
  |     ^
help: text that holds ': ' is put in quotes; a mapping on one line in braces
)");
  EXPECT_EQ(problems("a:\n\tb: 1\n"), R"(error[tab-indent]: a tab cannot indent YAML
  --> d.yaml:2:1
2 | 	b: 1
  | ^
help: use spaces
)");
  EXPECT_EQ(problems("a: [1, 2\nb: 3\n"), R"(error[yaml-syntax]: this list is not closed
  --> d.yaml:2:2
2 | b: 3
  |  ^
  ::: d.yaml:1:4
1 | a: [1, 2
  |    - it starts here
help: expected ',' or ']'
)");
}

TEST(Yaml, WhatWeDoNotReadIsRefusedByName) {
  EXPECT_EQ(problems("a: 1\n---\nb: 2\n"), R"(error[several-documents]: a second document starts here
  --> d.yaml:2:1
2 | ---
  | ^^^
help: a file holds one document; split it at '---'
)");
  EXPECT_EQ(problems("a: &x {k: 1}\nb:\n  <<: *x\n"), R"(error[merge-key]: merge keys ('<<') are not read
  --> d.yaml:3:3
3 |   <<: *x
  |   ^^
help: write the keys out, or alias a whole value
)");
  EXPECT_NE(problems("? [1, 2]\n: x\n").find("complex-key"), std::string::npos);
  EXPECT_NE(problems("a: *nope\n").find("unknown-alias"), std::string::npos);
  EXPECT_NE(problems("# nothing\n").find("empty-document"), std::string::npos);
}

TEST(Yaml, DuplicatesShowBothPlaces) {
  EXPECT_EQ(problems("a: 1\nb: 2\n'a': 3\n"), R"(error[duplicate-key]: 'a' is given twice
  --> d.yaml:3:1
3 | 'a': 3
  | ^^^
  ::: d.yaml:1:1
1 | a: 1
  | - first here
)");
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_NE(problems(std::string(100000, '[')).find("error[too-deep]: nested more than 200 deep\n  --> d.yaml:1:201"),
            std::string::npos);
}

TEST(Yaml, DocumentsAreToldApart) {
  const Source braces{"-", "{\"a\": 1}", false};
  EXPECT_TRUE(read_document(braces)->root()["a"].as_integer());
  const Source flow{"x", "{a: 1}", false};
  EXPECT_TRUE(read_document(flow).ok());
  const Source trailing{"x.json", "{a: 1}", false};
  EXPECT_FALSE(read_document(trailing).ok());
}

}  // namespace
}  // namespace floptally
