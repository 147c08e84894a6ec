#include "document/document.h"

#include <algorithm>

#include "document/scalar.h"

namespace floptally {

std::string_view name_of(NodeKind kind) {
  static constexpr std::string_view kNames[] = {"nothing", "true or false", "a number", "text", "a list", "a mapping"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view Document::key_of(const Data& data) const {
  if (!data.has_key) return {};
  if (data.key_copy != kNone) return copies_[data.key_copy];
  const std::string_view text = std::string_view(source_->text).substr(data.key_begin, data.key_end - data.key_begin);
  return data.key_quoted ? text.substr(1, text.size() - 2) : text;
}

NodeKind Node::kind() const { return document_ == nullptr ? NodeKind::null : document_->nodes_[index_].kind; }
bool Node::quoted() const { return document_ != nullptr && document_->nodes_[index_].quoted; }

Span Node::span() const {
  if (document_ == nullptr) return {};
  const auto& data = document_->nodes_[index_];
  if (!document_->places_.empty()) return document_->places_[data.begin];
  return {document_->source_, data.begin, data.end};
}

Span Node::key_span() const {
  if (document_ == nullptr || !document_->nodes_[index_].has_key) return {};
  const auto& data = document_->nodes_[index_];
  if (!document_->places_.empty()) return document_->places_[data.key_begin];
  return {document_->source_, data.key_begin, data.key_end};
}

std::string_view Node::key() const {
  return document_ == nullptr ? std::string_view{} : document_->key_of(document_->nodes_[index_]);
}

std::string_view Node::text() const {
  if (document_ == nullptr || !is_scalar()) return {};
  const auto& data = document_->nodes_[index_];
  if (data.copy != Document::kNone) return document_->copies_[data.copy];
  const std::string_view text = std::string_view(document_->source_->text).substr(data.begin, data.end - data.begin);
  return data.quoted ? text.substr(1, text.size() - 2) : text;
}

std::size_t Node::size() const { return document_ == nullptr || is_scalar() ? 0 : document_->nodes_[index_].count; }

Node Node::operator[](std::size_t index) const {
  if (index >= size()) return {};
  return {document_, document_->nodes_[index_].first + static_cast<std::uint32_t>(index)};
}

Node Node::find(std::string_view key) const {
  if (!is_mapping()) return {};
  const auto& data = document_->nodes_[index_];
  const auto& nodes = document_->nodes_;
  if (data.copy == Document::kNone) {
    for (std::uint32_t i = data.first; i < data.first + data.count; ++i)
      if (document_->key_of(nodes[i]) == key) return {document_, i};
    return {};
  }
  const auto begin = document_->order_.begin() + static_cast<std::ptrdiff_t>(data.copy);
  const auto end = begin + static_cast<std::ptrdiff_t>(data.count);
  const auto found = std::lower_bound(
      begin, end, key, [&](std::uint32_t i, std::string_view want) { return document_->key_of(nodes[i]) < want; });
  if (found == end || document_->key_of(nodes[*found]) != key) return {};
  return {document_, *found};
}

Node::Iterator Node::begin() const { return {document_, size() == 0 ? 0 : document_->nodes_[index_].first}; }
Node::Iterator Node::end() const {
  return {document_, size() == 0 ? 0 : document_->nodes_[index_].first + document_->nodes_[index_].count};
}

std::optional<bool> Node::as_bool() const {
  if (kind() != NodeKind::boolean) return std::nullopt;
  return (text()[0] | 0x20) == 't';
}

std::optional<Integer> Node::as_integer() const {
  return kind() == NodeKind::number ? integer_from_text(text()) : std::nullopt;
}

std::optional<double> Node::as_double() const {
  return kind() == NodeKind::number ? double_from_text(text()) : std::nullopt;
}

Result<Document> read_document(const Source& source, const ReadOptions& options) {
  const std::string_view name = source.name;
  if (name.ends_with(".json")) return read_json(source, options);
  const std::size_t first = source.text.find_first_not_of(" \t\r\n");
  const bool yaml = name.ends_with(".yaml") || name.ends_with(".yml");
  if (!yaml && first != std::string::npos && source.text[first] == '{') {
    Result<Document> json = read_json(source, options);
    if (json.ok()) return json;
    // A YAML flow mapping opens with a brace too; its error is the one to show only if YAML cannot read it either.
    Result<Document> flow = read_yaml(source, options);
    return flow.ok() ? std::move(flow) : std::move(json);
  }
  return read_yaml(source, options);
}

}  // namespace floptally
