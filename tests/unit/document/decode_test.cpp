#include "document/decode.h"

#include <gtest/gtest.h>

namespace floptally {
namespace {

constexpr std::string_view kWords[] = {"decoder", "encoder"};
constexpr Field kInner[] = {{.key = "width", .expect = Expect::integer, .doc = "model width", .required = true},
                            {.key = "gated", .expect = Expect::boolean, .doc = "a gated MLP"}};
constexpr FieldTable kInnerTable{"inner", "one network", kInner};
constexpr Field kOuter[] = {
    {.key = "kind", .expect = Expect::word, .doc = "what it is", .words = kWords},
    {.key = "rate", .expect = Expect::quantity, .doc = "achieved rate", .shape = Shape::one_or_list},
    {.key = "inner", .expect = Expect::record, .doc = "the network", .required = true, .table = &kInnerTable},
    {.key = "named",
     .expect = Expect::record_or_text,
     .doc = "networks by name",
     .shape = Shape::map,
     .table = &kInnerTable},
    {.key = "share", .expect = Expect::number, .doc = "a share"}};
constexpr FieldTable kOuterTable{"outer", "a file", kOuter};

TEST(Decode, TakesValuesWithTheirPlaces) {
  const Source s{"t.yaml", "kind: decoder\nrate: [1 TFLOP/s, 2]\ninner: {width: 128, gated: true}\nshare: 0.5\n",
                 false};
  const auto d = read_yaml(s);
  Diagnostics problems;
  const Record record(kOuterTable, d->root(), problems);
  EXPECT_TRUE(record.ok()) << to_text(problems);
  EXPECT_EQ(*record.text("kind"), "decoder");
  EXPECT_EQ(*record.record("inner").integer("width"), Integer(128));
  EXPECT_EQ(locate(record.record("inner").integer("width").span).column, 16u);
  EXPECT_TRUE(*record.record("inner").boolean("gated"));
  EXPECT_EQ(*record.number("share"), 0.5);
  EXPECT_FALSE(record.text("title").given());
  EXPECT_EQ(*record.text("title", "none"), "none");
}

TEST(Decode, AllMistakesAtOnce) {
  const Source s{"t.yaml", "kind: decodr\nrat: 3\nshare: many\nnamed: {a: gpt-3, b: [1]}\ninner: {widht: 128}\n",
                 false};
  const auto d = read_yaml(s);
  Diagnostics problems;
  EXPECT_FALSE(check(kOuterTable, d->root(), problems));
  EXPECT_EQ(to_text(problems), R"(error[unknown-word]: 'decodr' is not known here
  --> t.yaml:1:7
1 | kind: decodr
  |       ^^^^^^
help: did you mean 'decoder'?

error[unknown-key]: 'rat' is no key of 'outer'
  --> t.yaml:2:1
2 | rat: 3
  | ^^^
help: did you mean 'rate'?

error[wrong-type]: 'share' expects a number, found text
  --> t.yaml:3:8
3 | share: many
  |        ^^^^

error[wrong-type]: 'b' expects a mapping or a name, found a list
  --> t.yaml:4:22
4 | named: {a: gpt-3, b: [1]}
  |                      ^^^

error[missing-key]: 'width' is missing here
  --> t.yaml:5:1
5 | inner: {widht: 128}
  | ^^^^^
help: add 'width:', model width

error[unknown-key]: 'widht' is no key of 'inner'
  --> t.yaml:5:9
5 | inner: {widht: 128}
  |         ^^^^^
help: did you mean 'width'?
)");
}

TEST(Decode, SchemaIsJsonAndHoldsEveryField) {
  const Source s{"schema.json", json_schema(kOuterTable, "floptally/test"), false};
  const auto d = read_json(s);
  ASSERT_TRUE(d.ok()) << to_text(d.problems());
  const Node outer = d->root()["$defs"]["outer"];
  EXPECT_EQ(outer["properties"].size(), 5u);
  EXPECT_EQ(outer["properties"]["inner"]["$ref"].text(), "#/$defs/inner");
  EXPECT_EQ(outer["required"][std::size_t{0}].text(), "inner");
  EXPECT_EQ(outer["properties"]["kind"]["enum"].size(), 2u);
  EXPECT_EQ(d->root()["$defs"]["inner"]["properties"]["width"]["type"].text(), "integer");
}

}  // namespace
}  // namespace floptally
