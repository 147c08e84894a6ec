#include "document/builder.h"

#include <algorithm>

namespace floptally {
namespace {
constexpr std::size_t kLinear = 12;  // up to this many keys, looking through them is as fast as searching
}

void DocumentBuilder::key(std::uint64_t begin, std::uint64_t end, bool quoted, const std::string* copy) {
  Data& data = frames_.back().key;
  data = {};
  data.has_key = true;
  data.key_begin = static_cast<std::uint32_t>(begin);
  data.key_end = static_cast<std::uint32_t>(end);
  data.key_quoted = quoted;
  if (copy != nullptr) {
    data.key_copy = static_cast<std::uint32_t>(document_.copies_.size());
    document_.copies_.push_back(*copy);
  }
  frames_.back().has_pending_key = true;
}

void DocumentBuilder::take_key(Data& data) {
  if (frames_.empty() || !frames_.back().has_pending_key) {
    data.has_key = false;
    return;
  }
  const Data& key = frames_.back().key;
  data.has_key = true;
  data.key_begin = key.key_begin;
  data.key_end = key.key_end;
  data.key_copy = key.key_copy;
  data.key_quoted = key.key_quoted;
  frames_.back().has_pending_key = false;
}

bool DocumentBuilder::add_weight(std::uint64_t weight, const Data& data) {
  last_weight_ = weight;
  if (frames_.empty()) return true;
  frames_.back().weight += weight;
  if (frames_.back().weight <= options_.max_nodes) return true;
  problem(error("too-large", "more than " + std::to_string(options_.max_nodes) + " values", span(data.begin, data.end),
                "aliases count as if they were written out"));
  return false;
}

bool DocumentBuilder::place(Data data, std::uint64_t weight) {
  take_key(data);
  pending_.push_back(data);
  return add_weight(weight, data);
}

bool DocumentBuilder::scalar(NodeKind kind, std::uint64_t begin, std::uint64_t end, bool quoted,
                             const std::string* copy) {
  Data data;
  data.kind = kind;
  data.begin = static_cast<std::uint32_t>(begin);
  data.end = static_cast<std::uint32_t>(end);
  data.quoted = quoted;
  if (copy != nullptr) {
    data.copy = static_cast<std::uint32_t>(document_.copies_.size());
    document_.copies_.push_back(*copy);
  }
  return place(data, 1);
}

bool DocumentBuilder::open(NodeKind kind, std::uint64_t begin) {
  if (frames_.size() >= options_.max_depth) {
    problem(
        error("too-deep", "nested more than " + std::to_string(options_.max_depth) + " deep", span(begin, begin + 1)));
    return false;
  }
  Frame frame;
  frame.data.kind = kind;
  frame.data.begin = static_cast<std::uint32_t>(begin);
  frame.first_pending = pending_.size();
  take_key(frame.data);
  frames_.push_back(std::move(frame));
  return true;
}

bool DocumentBuilder::close(std::uint64_t end) {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  Data& data = frame.data;
  const std::size_t count = pending_.size() - frame.first_pending;
  data.first = static_cast<std::uint32_t>(document_.nodes_.size());
  data.count = static_cast<std::uint32_t>(count);
  data.end = static_cast<std::uint32_t>(end != 0 ? end : count != 0 ? pending_.back().end : data.begin);
  document_.nodes_.insert(document_.nodes_.end(), pending_.begin() + static_cast<std::ptrdiff_t>(frame.first_pending),
                          pending_.end());
  pending_.resize(frame.first_pending);
  if (data.kind == NodeKind::mapping) check_duplicates(data, data.first, count);
  if (!frame.anchor.empty()) anchors_[frame.anchor] = {data, frame.weight, false};
  pending_.push_back(data);
  return add_weight(frame.weight, data);
}

void DocumentBuilder::check_duplicates(Data& mapping, std::size_t first, std::size_t count) {
  const auto& nodes = document_.nodes_;
  const auto complain = [&](const Data& a, const Data& b) {
    const Data& earlier = a.key_begin < b.key_begin ? a : b;
    const Data& later = a.key_begin < b.key_begin ? b : a;
    Diagnostic twice = error("duplicate-key", "'" + std::string(document_.key_of(later)) + "' is given twice",
                             span(later.key_begin, later.key_end));
    twice.labels.push_back({span(earlier.key_begin, earlier.key_end), "first here"});
    problem(std::move(twice));
  };
  if (count <= kLinear) {
    for (std::size_t i = 1; i < count; ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (document_.key_of(nodes[first + i]) == document_.key_of(nodes[first + k])) {
          complain(nodes[first + i], nodes[first + k]);
          break;
        }
    return;
  }
  const std::size_t at = document_.order_.size();
  mapping.copy = static_cast<std::uint32_t>(at);
  for (std::size_t i = 0; i < count; ++i) document_.order_.push_back(static_cast<std::uint32_t>(first + i));
  const auto begin = document_.order_.begin() + static_cast<std::ptrdiff_t>(at);
  std::sort(begin, document_.order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = document_.key_of(nodes[a]).compare(document_.key_of(nodes[b]));
    return order != 0 ? order < 0 : a < b;
  });
  std::size_t head = 0;  // the first of the equal keys, so that a third one names it too
  for (std::size_t i = 1; i < count; ++i) {
    if (document_.key_of(nodes[begin[static_cast<std::ptrdiff_t>(i)]]) ==
        document_.key_of(nodes[begin[static_cast<std::ptrdiff_t>(head)]]))
      complain(nodes[begin[static_cast<std::ptrdiff_t>(i)]], nodes[begin[static_cast<std::ptrdiff_t>(head)]]);
    else
      head = i;
  }
}

void DocumentBuilder::anchor(std::string_view name) {
  anchors_[std::string(name)] = {pending_.back(), last_weight_, false};
}

void DocumentBuilder::anchor_open(std::string_view name) {
  frames_.back().anchor = std::string(name);
  anchors_[frames_.back().anchor].open = true;
}

bool DocumentBuilder::alias(std::string_view name, std::uint64_t begin, std::uint64_t end) {
  const auto found = anchors_.find(std::string(name));
  if (found == anchors_.end()) {
    problem(error("unknown-alias", "no anchor '&" + std::string(name) + "' stands before this", span(begin, end)));
    return false;
  }
  if (found->second.open) {
    problem(error("recursive-alias", "'*" + std::string(name) + "' stands inside the value that it names",
                  span(begin, end)));
    return false;
  }
  Data data = found->second.data;
  if (data.kind < NodeKind::sequence && data.copy == Document::kNone) {
    std::string_view text = std::string_view(document_.source_->text).substr(data.begin, data.end - data.begin);
    if (data.quoted) text = text.substr(1, text.size() - 2);
    data.copy = static_cast<std::uint32_t>(document_.copies_.size());
    document_.copies_.emplace_back(text);
    found->second.data.copy = data.copy;
  }
  data.begin = static_cast<std::uint32_t>(begin);
  data.end = static_cast<std::uint32_t>(end);
  return place(data, found->second.weight);
}

Result<Document> DocumentBuilder::finish() {
  if (!problems_.empty()) return std::move(problems_);
  if (!pending_.empty()) document_.nodes_.push_back(pending_.front());
  return std::move(document_);
}

}  // namespace floptally
