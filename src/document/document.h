// Document: one immutable tree for YAML and JSON in which every key and every value knows its place in the source.
//
// Always holds: spans lie inside the source (of an edited document: inside the source each value was read from); a
// scalar keeps the text as written (1e25, 50_000, no and 12:30 are never mangled: our own files hand text() to the
// quantity grammar, and the as_...() accessors resolve by YAML 1.2 core rules only when asked); no mapping holds a key
// twice; the tree is at most `max_depth` deep and, with aliases written out, at most `max_nodes` large. A Node is a
// cheap handle into its Document, which must outlive it, as the Source must outlive both. Aliased nodes are shared, not
// copied.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/integer.h"
#include "base/json_quote.h"
#include "floptally/diagnostic.h"

namespace floptally {

enum class NodeKind : std::uint8_t { null, boolean, number, string, sequence, mapping };
std::string_view name_of(NodeKind kind);  // "a mapping", "a list", "a number", "text", "true or false", "nothing"

class Document;

// A value of the tree, or nothing (what find() gives for a key that is not there): test with `if (node)`.
class Node {
 public:
  Node() = default;
  explicit operator bool() const { return document_ != nullptr; }

  // For "nothing", kind() is null, text() empty, size() 0, span() nowhere.
  [[nodiscard]] NodeKind kind() const;
  [[nodiscard]] bool is_null() const { return kind() == NodeKind::null; }
  [[nodiscard]] bool is_scalar() const { return kind() < NodeKind::sequence; }
  [[nodiscard]] bool is_sequence() const { return kind() == NodeKind::sequence; }
  [[nodiscard]] bool is_mapping() const { return kind() == NodeKind::mapping; }
  // Written in quotes (or as a block of text): such a scalar is text, whatever it looks like. True for JSON strings.
  [[nodiscard]] bool quoted() const;

  [[nodiscard]] std::uint32_t id() const { return index_; }  // no other node of the document has it

  [[nodiscard]] Span span() const;  // the value as written, quotes or brackets included; an alias: where `*name` stands
  [[nodiscard]] Span key_span() const;  // its key in the mapping around it; nowhere for list elements and the root
  [[nodiscard]] std::string_view key() const;
  [[nodiscard]] std::string_view text() const;  // a scalar's text, quotes and escapes resolved; empty for the others

  // Children, in the order of the file.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Node operator[](std::size_t index) const;
  // The value under a key, or nothing; fast for large mappings. A dotted key is an ordinary key here.
  [[nodiscard]] Node find(std::string_view key) const;
  [[nodiscard]] Node operator[](std::string_view key) const { return find(key); }
  [[nodiscard]] Node operator[](const char* key) const { return find(key); }

  class Iterator {
   public:
    Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
    Node operator*() const { return {document_, index_}; }
    Iterator& operator++() { return ++index_, *this; }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Document* document_;
    std::uint32_t index_;
  };
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

  // What a scalar stands for by YAML 1.2 core rules (JSON is a subset); nothing if it does not. Quoted text is no
  // number.
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<Integer> as_integer() const;  // exact; also 1e25, 2.5e3 and 32.0, which are integers
  [[nodiscard]] std::optional<double> as_double() const;    // also .inf and .nan, NaN and Infinity

 private:
  friend class Document;
  Node(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_ = nullptr;
  std::uint32_t index_ = 0;
};

struct ReadOptions {
  std::uint32_t max_depth = 200;
  std::uint32_t max_nodes = 1u << 23;  // aliases written out
  bool allow_nan = false;              // JSON: the tokens NaN, Infinity and -Infinity, which Python writes
};

class Document {
 public:
  // Nothing for an empty file.
  [[nodiscard]] Node root() const {
    return nodes_.empty() ? Node{} : Node{this, static_cast<std::uint32_t>(nodes_.size() - 1)};
  }
  [[nodiscard]] const Source& source() const { return *source_; }
  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }

  Document(Document&&) = default;
  Document& operator=(Document&&) = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

 private:
  friend class Node;
  friend class DocumentBuilder;
  friend class DocumentEditor;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Data {
    std::uint32_t key_begin = 0, key_end = 0;  // as written; equal for no key
    std::uint32_t begin = 0, end = 0;
    std::uint32_t key_copy = kNone;  // index into copies_ where the key has escapes
    std::uint32_t copy = kNone;      // scalars: likewise. Large mappings: first of `count` entries in order_
    std::uint32_t first = 0;         // children are nodes_[first, first + count)
    std::uint32_t count = 0;
    NodeKind kind = NodeKind::null;
    bool quoted = false;
    bool key_quoted = false;
    bool has_key = false;
  };
  explicit Document(const Source& source) : source_(&source) {}
  [[nodiscard]] std::string_view key_of(const Data& data) const;

  const Source* source_;
  std::vector<Data> nodes_;           // children side by side, before their parent; the root is last
  std::vector<std::uint32_t> order_;  // for large mappings: their children sorted by key
  std::deque<std::string> copies_;
  std::vector<Span> places_;  // of an edited document: what `begin` and `key_begin` of its nodes count
};

// Strict RFC 8259. Errors: json-syntax, json-control-character, json-bad-escape, duplicate-key (both places, all of
// them), too-deep, too-large, empty-document.
Result<Document> read_json(const Source& source, const ReadOptions& options = {});
// One YAML document with scalar keys; anchors and aliases are allowed. Errors: yaml-syntax, missing-colon, tab-indent,
// duplicate-key (both places, all of them), unknown-alias, recursive-alias, merge-key, several-documents, complex-key,
// unknown-tag, too-deep, too-large, empty-document.
Result<Document> read_yaml(const Source& source, const ReadOptions& options = {});
// JSON where the name ends in .json (or the text opens with a brace and the name says nothing), else YAML.
Result<Document> read_document(const Source& source, const ReadOptions& options = {});

// The tree as JSON text that read_json reads back to the same kinds, keys and texts. YAML numbers that JSON cannot
// spell are written as strings.
std::string write_json(const Node& node);

}  // namespace floptally
