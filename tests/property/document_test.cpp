// Relations that hold for every document: what is written reads back the same; spans lie inside the file and inside one
// another; read_json accepts what simdjson accepts (duplicate keys aside), and finds the same numbers.
#include "document/document.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <simdjson.h>

#include "base/sources.h"

namespace floptally {
namespace {

std::string random_json(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 7 : 5);
  switch (kind) {
    case 0:
      return "null";
    case 1:
      return *rc::gen::element(std::string("true"), std::string("false"));
    case 2:
      return std::to_string(*rc::gen::arbitrary<long>());
    case 3:
      return std::to_string(*rc::gen::inRange(-999, 999)) + ".5e" + std::to_string(*rc::gen::inRange(-9, 9));
    case 4:
      return json_quote(*rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
    default:
      break;
  }
  const int count = *rc::gen::inRange(0, 20);
  std::string out = kind == 5 ? "[" : "{";
  for (int i = 0; i < count; ++i) {
    if (i > 0) out += *rc::gen::element(std::string(","), std::string(" ,\n "));
    if (kind == 6) out += "\"k" + std::to_string(i) + "\": ";
    out += random_json(depth - 1);
  }
  return out + (kind == 5 ? "]" : "}");
}

void spans_nest(const Node& node, const Source& source) {
  RC_ASSERT(node.span().begin <= node.span().end);
  RC_ASSERT(node.span().end <= source.text.size());
  for (std::size_t i = 0; i < node.size(); ++i) {
    RC_ASSERT(node[i].span().begin >= node.span().begin);
    RC_ASSERT(node[i].span().end <= node.span().end);
    if (node.is_mapping()) RC_ASSERT(node.find(node[i].key()).span().begin == node[i].span().begin);
    spans_nest(node[i], source);
  }
}

RC_GTEST_PROP(DocumentProperty, WrittenJsonReadsBackTheSameAsJsonAndAsYaml, ()) {
  const Source source{"d.json", random_json(4), false};
  const auto document = read_json(source);
  RC_ASSERT(document.ok());
  spans_nest(document->root(), source);
  const std::string text = write_json(document->root());
  const Source again{"d.json", text, false};
  RC_ASSERT(write_json(read_json(again)->root()) == text);
  const Source as_yaml{"d.yaml", text, false};
  const auto yaml = read_yaml(as_yaml);
  RC_ASSERT(yaml.ok());
  spans_nest(yaml->root(), as_yaml);
  RC_ASSERT(write_json(yaml->root()) == text);
}

// Any bytes: no crash, and simdjson's verdict.
RC_GTEST_PROP(DocumentProperty, AgreesWithSimdjsonOnAnyText, ()) {
  std::string text = random_json(3);
  const int edits = *rc::gen::inRange(0, 4);
  for (int i = 0; i < edits && !text.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const char c = *rc::gen::element('{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', 'e', '.', 'u', ' ', 'n');
    if (*rc::gen::arbitrary<bool>())
      text[at] = c;
    else
      text.insert(at, 1, c);
  }
  RC_PRE(find_invalid_utf8(text) == std::string::npos);
  const Source source{"d.json", text, false};
  const auto ours = read_json(source);
  simdjson::dom::parser parser;
  simdjson::dom::element theirs;
  const auto verdict = parser.parse(text).get(theirs);
  if (verdict == simdjson::NUMBER_ERROR && ours.ok()) return;  // it refuses 1e999 and long integers, RFC 8259 does not
  if (!ours.ok() && ours.problems().front().code == "duplicate-key") return;
  RC_ASSERT(ours.ok() == (verdict == simdjson::SUCCESS));
}

RC_GTEST_PROP(DocumentProperty, AnyTextIsYamlOrAClearProblem, ()) {
  std::string text;
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a: ", "- ", "\n", "  ", "b", "[", "]", "{", "}", ",", "&x ", "*x", "'", "\"", "|",
                                    "#", "é", "? ", "---\n", ": ", "\xEF\xBB\xBF", "\t", "\x01", "<<: ", "!t "));
  for (const auto& piece : pieces) text += piece;
  RC_PRE(find_invalid_utf8(text) == std::string::npos);
  const Source source{"d.yaml", text, false};
  const auto document = read_yaml(source);
  if (document.ok()) {
    RC_ASSERT(!write_json(document->root()).empty());
  } else {
    for (const Diagnostic& each : document.problems()) {
      RC_ASSERT(!each.message.empty());
      for (const Label& label : each.labels) RC_ASSERT(label.span.end <= text.size());
    }
    RC_ASSERT(!to_text(document.problems()).empty());
  }
}

}  // namespace
}  // namespace floptally
