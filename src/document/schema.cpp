// json_schema: the decoding tables as JSON Schema, so that editors complete and check what check() accepts.
#include <algorithm>
#include <vector>

#include "document/decode.h"

namespace floptally {
namespace {

class SchemaWriter {
 public:
  std::string write(const FieldTable& root, std::string_view id) {
    reach(root);
    out_ = "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": " + json_quote(id) +
           ",\n  \"$ref\": " + reference(root) + ",\n  \"$defs\": {";
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      out_ += i == 0 ? "\n" : ",\n";
      table(*tables_[i]);
    }
    return out_ + "\n  }\n}\n";
  }

 private:
  void reach(const FieldTable& table) {
    if (std::find(tables_.begin(), tables_.end(), &table) != tables_.end()) return;
    tables_.push_back(&table);
    for (const Field& field : table.fields)
      if (field.table != nullptr) reach(*field.table);
  }
  static std::string reference(const FieldTable& table) { return json_quote("#/$defs/" + std::string(table.name)); }

  void table(const FieldTable& table) {
    out_ += "    " + json_quote(table.name) + ": {\n      \"description\": " + json_quote(table.doc) +
            ",\n      \"type\": \"object\",\n      \"additionalProperties\": " + (table.open ? "true" : "false");
    std::string required;
    for (const Field& field : table.fields)
      if (field.required) required += (required.empty() ? "" : ", ") + json_quote(field.key);
    if (!required.empty()) out_ += ",\n      \"required\": [" + required + "]";
    out_ += ",\n      \"properties\": {";
    bool first = true;
    for (const Field& field : table.fields) {
      out_ += first ? "\n" : ",\n";
      first = false;
      out_ += "        " + json_quote(field.key) + ": {\"description\": " + json_quote(field.doc) + body(field) + "}";
    }
    out_ += "\n      }\n    }";
  }

  // Without the outer braces, opening with a comma where there is anything to say.
  static std::string one(const Field& field) {
    const std::string record = field.table == nullptr ? "\"type\": \"object\"" : "\"$ref\": " + reference(*field.table);
    switch (field.expect) {
      case Expect::any:
        return "";
      case Expect::text:
      case Expect::quantity:
        return ", \"type\": [\"string\", \"number\", \"boolean\"]";
      case Expect::word: {
        std::string words;
        for (const std::string_view word : field.words) words += (words.empty() ? "" : ", ") + json_quote(word);
        return ", \"enum\": [" + words + "]";
      }
      case Expect::integer:
        return ", \"type\": \"integer\"";
      case Expect::number:
        return ", \"type\": \"number\"";
      case Expect::boolean:
        return ", \"type\": \"boolean\"";
      case Expect::record:
        return ", " + record;
      case Expect::record_or_text:
        return ", \"anyOf\": [{\"type\": \"string\"}, {" + record + "}]";
    }
    return "";
  }
  static std::string braced(const Field& field) {
    const std::string inner = one(field);
    return "{" + (inner.empty() ? inner : inner.substr(2)) + "}";
  }
  static std::string body(const Field& field) {
    switch (field.shape) {
      case Shape::one:
        return one(field);
      case Shape::list:
        return ", \"type\": \"array\", \"items\": " + braced(field);
      case Shape::map:
        return ", \"type\": \"object\", \"additionalProperties\": " + braced(field);
      case Shape::one_or_list:
        return ", \"anyOf\": [" + braced(field) + ", {\"type\": \"array\", \"items\": " + braced(field) + "}]";
    }
    return "";
  }

  std::string out_;
  std::vector<const FieldTable*> tables_;
};

}  // namespace

std::string json_schema(const FieldTable& root, std::string_view id) { return SchemaWriter().write(root, id); }

}  // namespace floptally
