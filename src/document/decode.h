// Decoding tables: what a mapping of our own files may hold, written once as data, and read three ways: check() finds
// all mistakes of a file, Record takes the values out with their places, json_schema() emits the JSON Schema for
// editors.
//
//   constexpr Field kFields[] = {{.key = "steps", .expect = Expect::quantity, .doc = "optimizer steps"},
//                                {.key = "batch", .expect = Expect::quantity, .doc = "sequences a step", .required =
//                                true}};
//   constexpr FieldTable kTrain{"train", "what one run trains on", kFields};
//   Record train(kTrain, node, problems);            // unknown key, missing key, wrong type: all reported
//   Sourced<std::string_view> steps = train.text("steps");
//
// Tables are constant data with static storage.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "document/document.h"

namespace floptally {

// A value that remembers its place. Without a place it was not given.
template <class T>
struct Sourced {
  T value{};
  Span span;
  [[nodiscard]] bool given() const { return static_cast<bool>(span); }
  explicit operator bool() const { return given(); }
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

enum class Expect : std::uint8_t {
  any,
  text,            // a scalar, taken as text
  word,            // one of Field::words
  integer,         // a whole number
  number,          // a number
  boolean,         // true or false
  quantity,        // a scalar in the quantity grammar, read later: a number, a range, a unit, an expression
  record,          // a mapping by Field::table
  record_or_text,  // that, or a name
};
enum class Shape : std::uint8_t { one, list, one_or_list, map };  // map: keys are the user's names

struct FieldTable;
struct Field {
  std::string_view key;
  Expect expect = Expect::any;
  std::string_view doc;
  bool required = false;
  Shape shape = Shape::one;
  const FieldTable* table = nullptr;
  std::span<const std::string_view> words{};
};
struct FieldTable {
  std::string_view name;
  std::string_view doc;
  std::span<const Field> fields;
  bool open = false;  // keys that the table does not list are the reader's own affair

  [[nodiscard]] const Field* find(std::string_view key) const;
};

// Appends every mistake in `node` and in the records inside it: unknown-key (with the record that it belongs to, or the
// nearest known one), missing-key (named, with what it is), wrong-type (says what was expected). True if there was
// none.
bool check(const FieldTable& table, const Node& node, Diagnostics& problems);

// "other-file" where the first key of a file of ours says that it is of another kind than `ours` ("plan", "run",
// "account", "network"): which command answers it.
std::optional<Diagnostic> other_file(const Node& root, std::string_view ours);

// A checked mapping. Getters never fail: a value that is missing or was reported as wrong comes back as the default.
class Record {
 public:
  Record() = default;
  Record(const FieldTable& table, const Node& node, Diagnostics& problems)
      : node_(node), ok_(check(table, node, problems)) {}
  // For a record inside one that has been checked already.
  explicit Record(const Node& checked) : node_(checked), ok_(true) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] Node operator[](std::string_view key) const { return node_.find(key); }
  [[nodiscard]] bool has(std::string_view key) const { return static_cast<bool>(node_.find(key)); }
  [[nodiscard]] Record record(std::string_view key) const { return Record(node_.find(key)); }

  [[nodiscard]] Sourced<std::string_view> text(std::string_view key, std::string_view otherwise = {}) const;
  [[nodiscard]] Sourced<Integer> integer(std::string_view key, Integer otherwise = 0) const;
  [[nodiscard]] Sourced<double> number(std::string_view key, double otherwise = 0) const;
  [[nodiscard]] Sourced<bool> boolean(std::string_view key, bool otherwise = false) const;

 private:
  Node node_;
  bool ok_ = false;
};

// unknown-key for `node` (a child of a mapping), with the nearest of `known`; for readers with keys of their own.
Diagnostic unknown_key(const Node& node, std::span<const std::string_view> known, std::string_view where);
// wrong-type: "'steps' expects a whole number, found a list".
Diagnostic wrong_type(const Node& node, std::string_view expected);
// missing-key, placed at the key of the mapping that lacks it (or at its first byte).
Diagnostic missing_key(const Node& mapping, std::string_view key, std::string_view doc);

// JSON Schema (draft 2020-12) of a table and of all tables it reaches, as indented JSON text ending in a newline.
std::string json_schema(const FieldTable& root, std::string_view id);

}  // namespace floptally
