// read_yaml: libyaml's events into a Document. libyaml counts code points; spans are bytes.
#include <yaml.h>

#include "document/builder.h"
#include "document/scalar.h"

namespace floptally {
namespace {

// Turns libyaml's code-point indices into byte offsets; events come nearly in order, so a moving cursor is enough.
class Offsets {
 public:
  explicit Offsets(const std::string& text) : text_(text) {
    start_ = text.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;
    byte_ = start_;
    ascii_ = true;
    for (std::size_t i = start_; i < text.size() && ascii_; ++i) ascii_ = static_cast<unsigned char>(text[i]) < 0x80;
  }
  std::size_t byte(std::size_t index) {
    if (ascii_) return std::min(text_.size(), start_ + index);
    if (index < index_ && index_ - index > index) {
      index_ = 0;
      byte_ = start_;
    }
    while (index_ > index && byte_ > start_) {
      --byte_;
      if ((static_cast<unsigned char>(text_[byte_]) & 0xC0) != 0x80) --index_;
    }
    while (index_ < index && byte_ < text_.size()) {
      ++byte_;
      while (byte_ < text_.size() && (static_cast<unsigned char>(text_[byte_]) & 0xC0) == 0x80) ++byte_;
      ++index_;
    }
    return byte_;
  }

 private:
  const std::string& text_;
  std::size_t start_ = 0, byte_ = 0, index_ = 0;
  bool ascii_ = true;
};

struct Event {
  yaml_event_t raw{};
  bool live = false;
  ~Event() { clear(); }
  void clear() {
    if (live) yaml_event_delete(&raw);
    live = false;
  }
};

std::string_view view(const yaml_char_t* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

class YamlReader {
 public:
  YamlReader(const Source& source, const ReadOptions& options)
      : text_(source.text), offsets_(source.text), builder_(source, options) {}
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  ~YamlReader() {
    if (ready_) yaml_parser_delete(&parser_);
  }

  Result<Document> read() {
    if (text_.size() >= UINT32_MAX) return error("too-large", "a document has at most 4 GiB");
    if (yaml_parser_initialize(&parser_) == 0) return error("too-large", "out of memory");
    ready_ = true;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    const std::size_t mark = text_.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;  // with a set encoding libyaml keeps it
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text_.data()) + mark,
                                 text_.size() - mark);
    Event event;
    bool more = true;
    while (more) {
      event.clear();
      if (yaml_parser_parse(&parser_, &event.raw) == 0) {
        syntax_error();
        break;
      }
      event.live = true;
      more = event.raw.type != YAML_STREAM_END_EVENT && take(event.raw);
    }
    Result<Document> result = builder_.finish();
    if (result.ok() && !result->root())
      return error("empty-document", "the file is empty: a YAML mapping was expected", builder_.span(0, 0));
    return result;
  }

 private:
  bool take(const yaml_event_t& event) {
    const std::size_t begin = offsets_.byte(event.start_mark.index);
    const std::size_t end = std::max(begin, offsets_.byte(event.end_mark.index));
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (documents_++ == 0) return true;
        builder_.problem(error("several-documents", "a second document starts here", builder_.span(begin, end),
                               "a file holds one document; split it at '---'"));
        return false;
      case YAML_SCALAR_EVENT:
        return scalar(event, begin, end);
      case YAML_ALIAS_EVENT:
        if (builder_.expects_key()) return complex_key(begin, end);
        return builder_.alias(view(event.data.alias.anchor), begin, end);
      case YAML_SEQUENCE_START_EVENT:
        return open(NodeKind::sequence, view(event.data.sequence_start.anchor), view(event.data.sequence_start.tag),
                    event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE, begin, end);
      case YAML_MAPPING_START_EVENT:
        return open(NodeKind::mapping, view(event.data.mapping_start.anchor), view(event.data.mapping_start.tag),
                    event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, begin, end);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: {
        const bool flow = flow_.back();
        flow_.pop_back();
        return builder_.close(flow ? end : 0);
      }
      default:
        return true;
    }
  }

  bool complex_key(std::size_t begin, std::size_t end) {
    builder_.problem(
        error("complex-key", "a key must be plain text, not a list, a mapping or an alias", builder_.span(begin, end)));
    return false;
  }

  bool known_tag(std::string_view tag, std::string_view expected, std::size_t begin, std::size_t end) {
    static constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "!") return true;
    if (tag.starts_with(kCore)) {
      const std::string_view word = tag.substr(kCore.size());
      if (expected == "scalar" ? (word == "str" || word == "int" || word == "float" || word == "bool" || word == "null")
                               : word == expected)
        return true;
    }
    builder_.problem(error("unknown-tag", "the tag '" + std::string(tag) + "' means nothing here",
                           builder_.span(begin, end), "take it away"));
    return false;
  }

  bool open(NodeKind kind, std::string_view anchor, std::string_view tag, bool flow, std::size_t begin,
            std::size_t end) {
    if (builder_.expects_key()) return complex_key(begin, end);
    if (!known_tag(tag, kind == NodeKind::mapping ? "map" : "seq", begin, end)) return false;
    flow_.push_back(flow);
    if (!builder_.open(kind, begin)) return false;
    if (!anchor.empty()) builder_.anchor_open(anchor);
    return true;
  }

  bool scalar(const yaml_event_t& event, std::size_t begin, std::size_t end) {
    const auto& data = event.data.scalar;
    const std::string_view value(reinterpret_cast<const char*>(data.value), data.length);
    const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE;
    if (!known_tag(view(data.tag), "scalar", begin, end)) return false;
    // The mark takes in anchor and tag; the value stands at the end of it.
    if (data.anchor != nullptr || data.tag != nullptr) begin = value_begin(begin, end);
    const bool in_quotes =
        data.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || data.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (!plain && !in_quotes) end = trimmed(begin, end);  // a block's mark takes in the blank lines after it
    std::string_view written = std::string_view(text_).substr(begin, end - begin);
    const bool strip = in_quotes && written.size() >= 2;
    if (strip) written = written.substr(1, written.size() - 2);
    const std::string copy(written == value ? std::string_view() : value);
    const std::string* as_copy = written == value ? nullptr : &copy;
    if (builder_.expects_key()) {
      if (plain && value == "<<") {
        builder_.problem(error("merge-key", "merge keys ('<<') are not read", builder_.span(begin, end),
                               "write the keys out, or alias a whole value"));
        return false;
      }
      builder_.key(begin, end, strip, as_copy);
      return true;
    }
    const bool quoted = !plain || view(data.tag).ends_with(":str");
    const NodeKind kind = quoted ? NodeKind::string : resolve_plain(value);
    // `quoted` promises quotes around the source's bytes; a block of text has none, so its text is always a copy.
    const std::string whole(quoted && !strip ? value : std::string_view());
    if (!builder_.scalar(kind, begin, end, quoted, quoted && !strip ? &whole : as_copy)) return false;
    if (data.anchor != nullptr) builder_.anchor(view(data.anchor));
    return true;
  }

  [[nodiscard]] std::size_t trimmed(std::size_t begin, std::size_t end) const {
    while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == ' ' || text_[end - 1] == '\r')) --end;
    return end;
  }

  // Past "&anchor" and "!tag" properties.
  [[nodiscard]] std::size_t value_begin(std::size_t begin, std::size_t end) const {
    std::size_t at = begin;
    while (at < end && (text_[at] == '&' || text_[at] == '!')) {
      while (at < end && text_[at] != ' ' && text_[at] != '\n' && text_[at] != '\t' && text_[at] != '\r') ++at;
      while (at < end && (text_[at] == ' ' || text_[at] == '\n' || text_[at] == '\t' || text_[at] == '\r')) ++at;
    }
    return at;
  }

  // The end of the line that holds `at`, without blanks and comment.
  [[nodiscard]] std::size_t line_end(std::size_t at) const {
    std::size_t end = text_.find('\n', at);
    if (end == std::string::npos) end = text_.size();
    const std::size_t comment = text_.find(" #", at);
    if (comment != std::string::npos && comment < end) end = comment;
    return trimmed(at, end);
  }

  void syntax_error() {
    const std::string problem = parser_.problem == nullptr ? "not YAML" : parser_.problem;
    std::size_t at = offsets_.byte(parser_.problem_mark.index);
    if (parser_.error == YAML_READER_ERROR) at = std::min(text_.size(), parser_.problem_offset);
    const Span place = builder_.span(at, std::min(text_.size(), at + 1));
    if (problem == "could not find expected ':'") {
      const std::size_t key = offsets_.byte(parser_.context_mark.index);
      builder_.problem(error("missing-colon", "this key has no colon", builder_.span(key, line_end(key)),
                             "write 'key: value', with a blank after the colon"));
    } else if (problem == "mapping values are not allowed in this context") {
      values_not_allowed(at);
    } else if (at < text_.size() && text_[at] == '\t') {
      builder_.problem(error("tab-indent", "a tab cannot indent YAML", place, "use spaces"));
    } else {
      plain_syntax_error(problem, at, place);
    }
  }

  // libyaml stops at the second colon; the mistake is mostly on the line above.
  void values_not_allowed(std::size_t at) {
    const std::size_t line = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
    const std::string_view before = std::string_view(text_).substr(line, at - line);
    if (before.find(": ") == std::string_view::npos && line > 1) {
      std::size_t above = text_.rfind('\n', line - 2);
      above = above == std::string::npos ? 0 : above + 1;
      const std::size_t start = std::min(text_.find_first_not_of(" -", above), line - 1);
      const std::size_t stop = line_end(start);
      const std::string_view held = std::string_view(text_).substr(start, stop - start);
      if (!held.empty() && held.back() != ':' && held.find(": ") == std::string_view::npos) {
        builder_.problem(error("missing-colon", "this key has no colon", builder_.span(start, stop),
                               "write '" + std::string(held.substr(0, 40)) + ":'"));
        return;
      }
    }
    Diagnostic problem = error("yaml-syntax", "a key cannot stand here", builder_.span(at, at + 1));
    problem.help = before.find(": ") != std::string_view::npos
                       ? "text that holds ': ' is put in quotes; a mapping on one line in braces"
                       : "check the indentation of this line and of the one above";
    builder_.problem(std::move(problem));
  }

  void plain_syntax_error(const std::string& problem, std::size_t at, Span place) {
    std::string message = problem;
    std::string help;
    if (problem.find("cannot start any token") != std::string::npos) {
      message = "'" + text_.substr(at, 1) + "' cannot start a value";
      help = "put the text in quotes";
    } else if (problem.find("did not find expected ',' or") != std::string::npos) {
      message = problem.find(']') != std::string::npos ? "this list is not closed" : "this mapping is not closed";
      help = problem.find(']') != std::string::npos ? "expected ',' or ']'" : "expected ',' or '}'";
    } else if (problem == "did not find expected key") {
      message = "expected a key at the indentation of the mapping around it";
      help = "check the indentation";
    } else if (problem == "did not find expected '-' indicator") {
      message = "expected '- ' at the indentation of the list around it";
      help = "check the indentation";
    } else if (problem == "found unexpected end of stream") {
      message = "the file ends inside a text";
      help = "close the quote";
    }
    Diagnostic result = error("yaml-syntax", message, place, help);
    if (parser_.context != nullptr && message.find("not closed") != std::string::npos) {
      const std::size_t context = offsets_.byte(parser_.context_mark.index);
      if (context < text_.size()) result.labels.push_back({builder_.span(context, context + 1), "it starts here"});
    }
    builder_.problem(std::move(result));
  }

  const std::string& text_;
  Offsets offsets_;
  DocumentBuilder builder_;
  yaml_parser_t parser_{};
  bool ready_ = false;
  int documents_ = 0;
  std::vector<bool> flow_;
};

}  // namespace

Result<Document> read_yaml(const Source& source, const ReadOptions& options) {
  return YamlReader(source, options).read();
}

}  // namespace floptally
