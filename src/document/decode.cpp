#include "document/decode.h"

#include <vector>

#include "base/nearest.h"
#include "document/field_words.h"

namespace floptally {
namespace {

std::string words_of(const Field& field) {
  std::string out = "one of ";
  for (std::size_t i = 0; i < field.words.size(); ++i) out += (i == 0 ? "" : ", ") + std::string(field.words[i]);
  return out;
}

std::string expected_of(const Field& field, bool inner) {
  std::string one = [&]() -> std::string {
    switch (field.expect) {
      case Expect::any:
        return "a value";
      case Expect::text:
        return "text";
      case Expect::word:
        return words_of(field);
      case Expect::integer:
        return "a whole number";
      case Expect::number:
        return "a number";
      case Expect::boolean:
        return "true or false";
      case Expect::quantity:
        return "a quantity";
      case Expect::record:
        return "a mapping";
      case Expect::record_or_text:
        return "a mapping or a name";
    }
    return "a value";
  }();
  if (inner) return one;
  switch (field.shape) {
    case Shape::list:
      return "a list";
    case Shape::map:
      return "a mapping of names";
    case Shape::one_or_list:
      return one + ", or a list of them";
    case Shape::one:
      break;
  }
  return one;
}

void check_in(const FieldTable& root, const FieldTable& table, const Node& node, Diagnostics& problems);

bool fits_one(const FieldTable& root, const Field& field, const Node& node, Diagnostics& problems) {
  switch (field.expect) {
    case Expect::any:
      return true;
    case Expect::text:
    case Expect::quantity:
      return node.is_scalar() && !node.is_null();
    case Expect::word: {
      if (!node.is_scalar()) return false;
      for (const std::string_view word : field.words)
        if (node.text() == word) return true;
      problems.push_back(error("unknown-word", "'" + std::string(node.text()) + "' is not known here", node.span(),
                               suggestion(node.text(), field.words)));
      return true;  // reported
    }
    case Expect::integer:
      return node.as_integer().has_value();
    case Expect::number:
      return node.as_double().has_value();
    case Expect::boolean:
      return node.as_bool().has_value();
    case Expect::record:
      if (!node.is_mapping()) return false;
      if (field.table != nullptr) check_in(root, *field.table, node, problems);
      return true;
    case Expect::record_or_text:
      if (node.is_scalar()) return !node.is_null();
      if (!node.is_mapping()) return false;
      if (field.table != nullptr) check_in(root, *field.table, node, problems);
      return true;
  }
  return true;
}

void check_field(const FieldTable& root, const Field& field, const Node& node, Diagnostics& problems) {
  const bool many = field.shape == Shape::list || field.shape == Shape::map ||
                    (field.shape == Shape::one_or_list && node.is_sequence());
  if (!many) {
    if (!fits_one(root, field, node, problems)) problems.push_back(wrong_type(node, expected_of(field, false)));
    return;
  }
  if (field.shape == Shape::map ? !node.is_mapping() : !node.is_sequence()) {
    problems.push_back(wrong_type(node, expected_of(field, false)));
    return;
  }
  for (const Node child : node)
    if (!fits_one(root, field, child, problems)) problems.push_back(wrong_type(child, expected_of(field, true)));
}

std::vector<std::string_view> keys_of(const FieldTable& table) {
  std::vector<std::string_view> keys;
  for (const Field& each : table.fields) keys.push_back(each.key);
  return keys;
}

// The path of the mapping under `table` that takes `key`, empty where none does: "hardware" for "devices".
std::string home_of(const FieldTable& table, std::string_view key, int depth) {
  for (const Field& field : table.fields) {
    if (field.table == nullptr || depth == 0) continue;
    if (field.table->find(key) != nullptr) return std::string(field.key);
    const std::string inner = home_of(*field.table, key, depth - 1);
    if (!inner.empty()) return std::string(field.key) + "." + inner;
  }
  return {};
}

// The same for a word that others use: "layout.tensor" for "tp".
std::string place_of_word(const FieldTable& table, std::string_view word, int depth) {
  for (const Field& field : table.fields) {
    if (field.table == nullptr || depth == 0) continue;
    if (const std::string_view key = key_for(word, keys_of(*field.table)); !key.empty())
      return std::string(field.key) + "." + std::string(key);
    const std::string inner = place_of_word(*field.table, word, depth - 1);
    if (!inner.empty()) return std::string(field.key) + "." + inner;
  }
  return {};
}

Diagnostic misplaced_key(const FieldTable& root, const FieldTable& table, const Node& node) {
  constexpr int kDepth = 3;
  const std::vector<std::string_view> known = keys_of(table);
  Diagnostic problem = unknown_key(node, known, table.name);
  if (!key_for(node.key(), known).empty()) return problem;
  std::string home =
      &root == &table || root.find(node.key()) == nullptr ? home_of(root, node.key(), kDepth) : "the top of the file";
  if (home.empty()) {
    if (const std::string_view key = key_for(node.key(), keys_of(root)); !key.empty())
      problem.help = "that is '" + std::string(key) + "' at the top of the file";
    else if (const std::string place = place_of_word(root, node.key(), kDepth); !place.empty())
      problem.help = "that is '" + place + "'";
    return problem;
  }
  if (home != "the top of the file") home = "'" + home + "'";
  problem.help = "'" + std::string(node.key()) + "' belongs to " + home;
  return problem;
}

void check_in(const FieldTable& root, const FieldTable& table, const Node& node, Diagnostics& problems) {
  if (!node.is_mapping()) {
    problems.push_back(wrong_type(node, "a mapping"));
    return;
  }
  for (const Node child : node) {
    if (const Field* field = table.find(child.key()))
      check_field(root, *field, child, problems);
    else if (!table.open)
      problems.push_back(misplaced_key(root, table, child));
  }
  for (const Field& field : table.fields)
    if (field.required && !node.find(field.key)) problems.push_back(missing_key(node, field.key, field.doc));
}

}  // namespace

const Field* FieldTable::find(std::string_view key) const {
  for (const Field& field : fields)
    if (field.key == key) return &field;
  return nullptr;
}

Diagnostic unknown_key(const Node& node, std::span<const std::string_view> known, std::string_view where) {
  std::string help = word_help(node.key(), known);
  const std::string_view key = node.key();
  if (node.is_null() && !key.empty() && key.find_first_not_of("0123456789") == std::string_view::npos)
    help = "a comma parts entries here: a number is written without one (8192, 8_192, 8k)";
  return error(
      "unknown-key",
      "'" + std::string(node.key()) + "' is no key" + (where.empty() ? "" : " of '" + std::string(where) + "'"),
      node.key_span(), help.empty() ? suggestion(node.key(), known) : std::move(help));
}

Diagnostic wrong_type(const Node& node, std::string_view expected) {
  const std::string name = node.key_span() ? "'" + std::string(node.key()) + "' expects " : "expected ";
  return error("wrong-type", name + std::string(expected) + ", found " + std::string(name_of(node.kind())),
               node.span());
}

Diagnostic missing_key(const Node& mapping, std::string_view key, std::string_view doc) {
  Span at = mapping.key_span();
  if (!at) at = {mapping.span().source, mapping.span().begin, mapping.span().begin + (mapping.span() ? 1 : 0)};
  std::string help = "add '" + std::string(key) + ":'";
  if (!doc.empty()) help += ", " + std::string(doc);
  return error("missing-key", "'" + std::string(key) + "' is missing here", at, std::move(help));
}

std::optional<Diagnostic> other_file(const Node& root, std::string_view ours) {
  struct Kind {
    std::string_view key, what, command;
  };
  constexpr Kind kKinds[] = {{"plan", "a plan of runs", "floptally tally"},
                             {"run", "a RUN file", "floptally train (what it is in law: floptally audit)"},
                             {"account", "a published account", "floptally check"},
                             {"network", "a network's description", "floptally model"}};
  if (!root.is_mapping() || root.find(ours)) return std::nullopt;
  for (const Kind& kind : kKinds) {
    if (const Node key = root.find(kind.key))
      return error("other-file", "this is " + std::string(kind.what), key.key_span(),
                   std::string(kind.command) + " answers it");
  }
  return std::nullopt;
}

bool check(const FieldTable& table, const Node& node, Diagnostics& problems) {
  const std::size_t before = problems.size();
  check_in(table, table, node, problems);
  return problems.size() == before;
}

Sourced<std::string_view> Record::text(std::string_view key, std::string_view otherwise) const {
  const Node value = node_.find(key);
  if (!value || !value.is_scalar() || value.is_null()) return {otherwise, {}};
  return {value.text(), value.span()};
}

Sourced<Integer> Record::integer(std::string_view key, Integer otherwise) const {
  const Node value = node_.find(key);
  const auto found = value.as_integer();
  if (!found) return {otherwise, {}};
  return {*found, value.span()};
}

Sourced<double> Record::number(std::string_view key, double otherwise) const {
  const Node value = node_.find(key);
  const auto found = value.as_double();
  if (!found) return {otherwise, {}};
  return {*found, value.span()};
}

Sourced<bool> Record::boolean(std::string_view key, bool otherwise) const {
  const Node value = node_.find(key);
  const auto found = value.as_bool();
  if (!found) return {otherwise, {}};
  return {*found, value.span()};
}

}  // namespace floptally
