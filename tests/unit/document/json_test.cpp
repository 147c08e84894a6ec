#include <gtest/gtest.h>

#include <cmath>

#include "document/document.h"

namespace floptally {
namespace {

Source json(std::string text) { return {"d.json", std::move(text), false}; }

std::string problems(const std::string& text, const ReadOptions& options = {}) {
  const Source source = json(text);
  const auto document = read_json(source, options);
  return document.ok() ? "" : to_text(document.problems());
}

TEST(Json, KeepsPlacesAndTexts) {
  const Source s = json("{\"a\": [1, 2.50, \"x\\u00e9\\ud83d\\ude00\"],\n \"b\\n\": {\"c\": null, \"d\": true}}");
  const auto d = read_json(s);
  ASSERT_TRUE(d.ok()) << to_text(d.problems());
  const Node root = d->root();
  EXPECT_EQ(root.size(), 2u);
  EXPECT_EQ(root["a"][1].text(), "2.50");
  EXPECT_EQ(root["a"][2].text(), "xé😀");
  EXPECT_TRUE(root["a"][2].quoted());
  EXPECT_EQ(root["b\n"]["d"].as_bool(), true);
  EXPECT_TRUE(root["b\n"]["c"].is_null());
  EXPECT_EQ(locate(root["b\n"]["d"].span()).line, 2u);
  EXPECT_EQ(locate(root["b\n"]["d"].key_span()).column, 21u);
  EXPECT_FALSE(root["b\n"]["zzz"]);
  EXPECT_FALSE(root["zzz"]["deeper"]);
  EXPECT_EQ(root["a"].span().begin, 6u);
}

TEST(Json, NumbersAreExact) {
  const Source s = json(R"([1e25, 32.0, -0, 170141183460469231731687303715884105727, 0.5, 1e400, 1e-400, -2.5e1])");
  const auto d = read_json(s);
  const Node r = d->root();
  EXPECT_EQ(r[std::size_t{0}].as_integer()->to_string(), "10000000000000000000000000");
  EXPECT_EQ(r[1].as_integer(), Integer(32));
  EXPECT_EQ(r[2].as_integer(), Integer(0));
  EXPECT_EQ(r[3].as_integer()->to_string(), "170141183460469231731687303715884105727");
  EXPECT_FALSE(r[4].as_integer().has_value());
  EXPECT_EQ(r[4].as_double(), 0.5);
  EXPECT_TRUE(std::isinf(*r[5].as_double()));
  EXPECT_EQ(r[6].as_double(), 0.0);
  EXPECT_EQ(r[7].as_integer(), Integer(-25));
}

TEST(Json, LargeMappingsAreFoundByKey) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  const Source s = json(text + "}");
  const auto d = read_json(s);
  for (int i = 0; i < 5000; i += 7) EXPECT_EQ(d->root().find("k" + std::to_string(i)).as_integer(), Integer(i));
  EXPECT_FALSE(d->root()["k5000"]);
}

TEST(Json, DuplicatesShowBothPlacesAndAllAreListed) {
  EXPECT_EQ(problems("{\"a\": 1,\n \"b\": {\"x\": 1, \"\\u0078\": 2},\n \"a\": 2}"),
            R"(error[duplicate-key]: 'x' is given twice
  --> d.json:2:16
2 |  "b": {"x": 1, "\u0078": 2},
  |                ^^^^^^^^
  ::: d.json:2:8
2 |  "b": {"x": 1, "\u0078": 2},
  |        --- first here

error[duplicate-key]: 'a' is given twice
  --> d.json:3:2
3 |  "a": 2}
  |  ^^^
  ::: d.json:1:2
1 | {"a": 1,
  |  --- first here
)");
}

TEST(Json, SyntaxErrorsHaveAPlace) {
  EXPECT_EQ(problems("[1, 2,]"), R"(error[json-syntax]: a comma before the closing ']'
  --> d.json:1:6
1 | [1, 2,]
  |      ^
help: JSON has no trailing commas; take it away
)");
  EXPECT_EQ(problems("{\"a\": [1, {\"b\""), R"(error[json-syntax]: the file ends inside this mapping
  --> d.json:1:11
1 | {"a": [1, {"b"
  |           ^
help: close it with '}'
)");
  EXPECT_EQ(problems("{\"a\" 1}"), R"(error[json-syntax]: expected ':' after the key, found '1'
  --> d.json:1:6
1 | {"a" 1}
  |      ^
)");
  EXPECT_EQ(problems("[NaN]"), R"(error[json-syntax]: 'NaN' is not JSON
  --> d.json:1:2
1 | [NaN]
  |  ^^^
help: write null, or a number
)");
  EXPECT_EQ(problems("[01]"), R"(error[json-syntax]: '01' is no JSON value
  --> d.json:1:2
1 | [01]
  |  ^^
help: a JSON number has no leading zeros
)");
  EXPECT_EQ(problems("\"\\ud800x\""), R"(error[json-bad-escape]: half of a surrogate pair stands alone
  --> d.json:1:2
1 | "\ud800x"
  |  ^^^^^^
help: characters past U+FFFF take two \uXXXX
)");
  for (const char* bad :
       {"",     " ",        "{",     "[",        "[1",     "[1 2]",      "{\"a\":}",    "{a:1}", "{'a':1}",
        "[,1]", "[1]]",     "{} {}", "\"a\nb\"", "\"abc",  "\"\\q\"",    "\"\\u12\"",   "[+1]",  "[.5]",
        "[1.]", "[1e]",     "[tru]", "// c\n1",  "[1,,2]", "{\"a\":1,}", "\"\\udc00\"", "nul",   "-",
        "[1}",  "{\"a\":1]"})
    EXPECT_NE(problems(bad), "") << bad;
}

TEST(Json, NanOnlyWhenAskedFor) {
  ReadOptions options;
  options.allow_nan = true;
  const Source s = json("[NaN, -Infinity, Infinity]");
  const auto d = read_json(s, options);
  ASSERT_TRUE(d.ok());
  EXPECT_TRUE(std::isnan(*d->root()[std::size_t{0}].as_double()));
  EXPECT_EQ(d->root()[1].as_double(), -INFINITY);
}

TEST(Json, DepthAndSizeAreBounded) {
  EXPECT_NE(problems(std::string(100000, '[')).find("error[too-deep]: nested more than 200 deep\n  --> d.json:1:201"),
            std::string::npos);
  EXPECT_EQ(problems(std::string(200, '[') + std::string(200, ']')), "");
  ReadOptions options;
  options.max_nodes = 5;
  EXPECT_NE(problems("[1,2,3,4,5]", options).find("too-large"), std::string::npos);
}

TEST(Json, WriteThenReadIsTheSame) {
  const Source s = json(R"({"a": [1e5, -0.5, "q\"\\\u0001\n", true, null], "": {}, "k": []})");
  const auto d = read_json(s);
  const std::string text = write_json(d->root());
  const Source again = json(text);
  EXPECT_EQ(write_json(read_json(again)->root()), text);
}

}  // namespace
}  // namespace floptally
