// DocumentBuilder: what both readers drive. Values are handed over in the order of the file; containers are opened and
// closed; limits and duplicate keys are checked here, once.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "document/document.h"

namespace floptally {

class DocumentBuilder {
 public:
  DocumentBuilder(const Source& source, const ReadOptions& options) : document_(source), options_(options) {}

  // The key of the value that comes next; `text` is copied when it is not what stands between the quotes.
  void key(std::uint64_t begin, std::uint64_t end, bool quoted, const std::string* copy);
  // A scalar. `copy` as above; null means the text is the source's bytes (without the quotes if `quoted`).
  bool scalar(NodeKind kind, std::uint64_t begin, std::uint64_t end, bool quoted, const std::string* copy);
  bool open(NodeKind kind, std::uint64_t begin);
  // false where the limits are passed. `end` = 0 takes the end of the last child (block collections of YAML end where
  // their content ends).
  bool close(std::uint64_t end);

  // anchor() names the scalar placed last, anchor_open() the container opened last. alias() places a shared copy; false
  // and a problem if the name is unknown or stands for a value still open.
  void anchor(std::string_view name);
  void anchor_open(std::string_view name);
  bool alias(std::string_view name, std::uint64_t begin, std::uint64_t end);

  [[nodiscard]] bool in_mapping() const { return !frames_.empty() && frames_.back().data.kind == NodeKind::mapping; }
  [[nodiscard]] bool expects_key() const { return in_mapping() && !frames_.back().has_pending_key; }
  [[nodiscard]] std::size_t depth() const { return frames_.size(); }

  void problem(Diagnostic diagnostic) { problems_.push_back(std::move(diagnostic)); }
  [[nodiscard]] Span span(std::uint64_t begin, std::uint64_t end) const { return {document_.source_, begin, end}; }
  Result<Document> finish();

 private:
  using Data = Document::Data;
  struct Frame {
    Data data;
    std::size_t first_pending = 0;
    std::uint64_t weight = 1;  // nodes in the subtree, aliases written out
    bool has_pending_key = false;
    Data key;
    std::string anchor;
  };
  struct Anchored {
    Data data;
    std::uint64_t weight = 0;
    bool open = false;
  };
  bool place(Data data, std::uint64_t weight);
  bool add_weight(std::uint64_t weight, const Data& data);
  void take_key(Data& data);
  void check_duplicates(Data& mapping, std::size_t first, std::size_t count);

  Document document_;
  ReadOptions options_;
  std::vector<Frame> frames_;
  std::vector<Data> pending_;  // children of the containers still open, innermost last
  std::unordered_map<std::string, Anchored> anchors_;
  std::uint64_t last_weight_ = 0;
  Diagnostics problems_;
};

}  // namespace floptally
