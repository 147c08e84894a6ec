#include "document/edit.h"

#include "document/builder.h"

namespace floptally {

// Copies a tree, with the values of edits in place of others. The offsets that the builder is given count places_.
class DocumentEditor {
 public:
  explicit DocumentEditor(const Document& document) : builder_(document.source(), {}) { places_.emplace_back(); }

  Result<Document> edit(Node root, const std::vector<Edit>& edits) {
    std::vector<Step> steps;
    for (const Edit& each : edits) steps.push_back({&each, each.path});
    copy(root, steps, edits.empty() ? Span{} : edits.front().value->root().span());
    Result<Document> done = builder_.finish();
    if (done) done->places_ = std::move(places_);
    return done;
  }

 private:
  struct Step {
    const Edit* edit;
    std::string_view rest;  // of the path, from here down; empty: the value belongs here
    [[nodiscard]] std::string_view head() const { return rest.substr(0, rest.find('.')); }
    [[nodiscard]] Step below() const {
      const std::size_t dot = rest.find('.');
      return {edit, dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1)};
    }
  };
  using Steps = std::vector<Step>;

  std::uint64_t place(Span span) {
    places_.push_back(span);
    return places_.size() - 1;
  }

  static Steps below(const Steps& steps, std::string_view head) {
    Steps out;
    for (const Step& each : steps)
      if (each.head() == head) out.push_back(each.below());
    return out;
  }

  void key(std::string_view name, Span span) {
    const std::string copy(name);
    const std::uint64_t at = place(span);
    builder_.key(at, at, false, &copy);
  }

  // `span` is where a value stands that has no text of its own: a mapping on the way to a new key.
  void copy(Node node, Steps steps, Span span) {
    for (std::size_t i = steps.size(); i-- > 0;) {  // the last value given for this very place, then what came after it
      if (!steps[i].rest.empty()) continue;
      node = steps[i].edit->value->root();
      steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
    if (full_) return;
    const std::uint64_t at = place(node ? node.span() : span);
    if (node.is_sequence()) return copy_list(node, steps, at);
    if (node.is_mapping() || (!steps.empty() && node.is_null())) return copy_mapping(node, steps, at);
    const std::string text(node.text());
    full_ = !builder_.scalar(node.kind(), at, at, node.quoted(), &text);
    for (const Step& each : steps) refuse(each, "a path ends at a value that is neither a mapping nor a list");
  }

  void copy_list(Node node, const Steps& steps, std::uint64_t at) {
    full_ = !builder_.open(NodeKind::sequence, at);
    for (std::size_t i = 0; i < node.size() && !full_; ++i) copy(node[i], below(steps, std::to_string(i)), {});
    full_ = full_ || !builder_.close(at);
    for (const Step& each : steps) {
      bool there = false;
      for (std::size_t i = 0; i < node.size(); ++i) there = there || each.head() == std::to_string(i);
      if (!there) refuse(each, "elements of a list are counted from 0; this one has " + std::to_string(node.size()));
    }
  }

  void copy_mapping(Node node, const Steps& steps, std::uint64_t at) {
    full_ = !builder_.open(NodeKind::mapping, at);
    for (const Node child : node) {
      if (full_) return;
      key(child.key(), child.key_span());
      copy(child, below(steps, child.key()), {});
    }
    for (std::size_t i = 0; i < steps.size() && !full_; ++i) {
      const std::string_view name = steps[i].head();
      bool there = static_cast<bool>(node.find(name));
      for (std::size_t k = 0; k < i; ++k) there = there || steps[k].head() == name;
      if (there) continue;
      const Span span = steps[i].edit->value->root().span();
      key(name, span);
      copy({}, below(steps, name), span);
    }
    full_ = full_ || !builder_.close(at);
  }

  void refuse(const Step& step, std::string why) {
    builder_.problem(error("unknown-key", "there is no '" + step.edit->path + "' to set",
                           step.edit->value->root().span(), std::move(why)));
  }

  DocumentBuilder builder_;
  std::vector<Span> places_;
  bool full_ = false;  // a limit of the builder is passed, and reported
};

Result<Edit> parse_edit(const std::string& word, const std::string& option, Sources& sources) {
  const std::size_t equals = word.find('=');
  const std::string path = word.substr(0, equals);
  const std::string example = option == "--let" ? "--let lrs=12" : option + " hardware.price=2";
  if (equals == std::string::npos || equals == 0)
    return error("bad-override",
                 option + " needs " + (option == "--let" ? "NAME" : "KEY") + "=VALUE, not '" + word + "'", {},
                 "such as " + example);
  if (path.front() == '.' || path.back() == '.' || path.find("..") != std::string::npos)
    return error("bad-override", option + " '" + word + "' has an empty key", {}, "such as " + example);
  if (equals + 1 == word.size())
    return error("bad-override", option + " '" + word + "' has no value", {}, "such as " + example);
  const Source& source = sources.add(option + " " + path, word.substr(equals + 1));
  Result<Document> read = read_yaml(source);
  const bool opens = source.text.front() == '[' || source.text.front() == '{';
  if (!opens && (!read || !read->root().is_scalar())) {  // "Model: large" is a title
    DocumentBuilder text(source, {});
    text.scalar(NodeKind::string, 0, source.text.size(), false, nullptr);
    read = text.finish();
  }
  if (!read) return read.take_problems();
  return Edit{path, std::make_shared<const Document>(*std::move(read))};
}

Result<std::vector<Edit>> parse_edits(const std::vector<std::string>& words, const std::string& option,
                                      Sources& sources) {
  std::vector<Edit> out;
  Diagnostics problems;
  for (const std::string& word : words) {
    Result<Edit> read = parse_edit(word, option, sources);
    if (read)
      out.push_back(*std::move(read));
    else
      for (Diagnostic& each : read.take_problems()) problems.push_back(std::move(each));
  }
  if (!problems.empty()) return problems;
  return out;
}

Result<Document> edited(const Document& document, const std::vector<Edit>& edits) {
  return DocumentEditor(document).edit(document.root(), edits);
}

}  // namespace floptally
