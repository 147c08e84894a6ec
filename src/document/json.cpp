// read_json: strict RFC 8259, one pass, no recursion. A reader of its own rather than simdjson's, because every key and
// value needs its place, duplicate keys are refused with both places, and numbers keep their text; simdjson is the
// oracle in the tests (tests/property/json_oracle_test.cpp).
#include <cstdio>

#include "document/builder.h"
#include "document/scalar.h"

namespace floptally {
namespace {

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class JsonReader {
 public:
  JsonReader(const Source& source, const ReadOptions& options)
      : text_(source.text), options_(options), builder_(source, options) {}

  Result<Document> read() {
    if (text_.size() >= UINT32_MAX) return error("too-large", "a document has at most 4 GiB");
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    blanks();
    if (at_ == text_.size()) return error("empty-document", "the file is empty: a JSON value was expected", here());
    if (!value()) return builder_.finish();
    while (!open_.empty())
      if (!(text_[open_.back()] == '{' ? member() : element())) return builder_.finish();
    blanks();
    if (at_ < text_.size()) fail("text after the end of the document");
    return builder_.finish();
  }

 private:
  [[nodiscard]] Span here(std::size_t length = 1) const {
    return builder_.span(at_, std::min(text_.size(), at_ + length));
  }
  bool fail(std::string message, std::string help = {}, const char* code = "json-syntax", std::size_t length = 1) {
    builder_.problem(error(code, std::move(message), here(length), std::move(help)));
    return false;
  }
  bool ends() {
    const std::size_t opened = open_.back();
    Diagnostic problem =
        error("json-syntax", std::string("the file ends inside this ") + (text_[opened] == '{' ? "mapping" : "list"),
              builder_.span(opened, opened + 1));
    problem.help = text_[opened] == '{' ? "close it with '}'" : "close it with ']'";
    builder_.problem(std::move(problem));
    return false;
  }
  [[nodiscard]] std::string found() const {
    std::size_t length = 1;
    while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0) == 0x80) ++length;
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c < 0x20 || c == 0x7F) {
      char hex[16];
      std::snprintf(hex, sizeof hex, "byte 0x%02X", c);
      return hex;
    }
    return "'" + std::string(text_.substr(at_, length)) + "'";
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  // One step of the innermost mapping: a key and its value, or the closing brace.
  bool member() {
    blanks();
    if (at_ == text_.size()) return ends();
    if (text_[at_] == '}') return close();
    if (!separator('}')) return false;
    if (text_[at_] != '"') return fail("expected a key in double quotes, found " + found());
    std::string copy;
    bool copied = false;
    const std::size_t begin = at_;
    if (!string(copy, copied)) return false;
    builder_.key(begin, at_, true, copied ? &copy : nullptr);
    blanks();
    if (at_ == text_.size()) return ends();
    if (text_[at_] != ':') return fail("expected ':' after the key, found " + found());
    ++at_;
    blanks();
    if (at_ == text_.size()) return ends();
    return value();
  }

  bool element() {
    blanks();
    if (at_ == text_.size()) return ends();
    if (text_[at_] == ']') return close();
    return separator(']') && value();
  }

  // The comma before every member but the first; leaves at_ on the member.
  bool separator(char closing) {
    if (first_) {
      first_ = false;
      if (text_[at_] == ',') return fail(std::string("a comma before the first value"));
      return true;
    }
    if (text_[at_] != ',') return fail(std::string("expected ',' or '") + closing + "', found " + found());
    const std::size_t comma = at_++;
    blanks();
    if (at_ == text_.size()) return ends();
    if (text_[at_] == closing) {
      at_ = comma;
      return fail(std::string("a comma before the closing '") + closing + "'",
                  "JSON has no trailing commas; take it away");
    }
    return true;
  }

  bool close() {
    ++at_;
    open_.pop_back();
    first_ = false;
    return builder_.close(at_);
  }

  bool value() {
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      if (!builder_.open(c == '{' ? NodeKind::mapping : NodeKind::sequence, at_)) return false;
      open_.push_back(at_++);
      first_ = true;
      return true;
    }
    if (c == '"') {
      std::string copy;
      bool copied = false;
      const std::size_t begin = at_;
      if (!string(copy, copied)) return false;
      return builder_.scalar(NodeKind::string, begin, at_, true, copied ? &copy : nullptr);
    }
    return word();
  }

  // Numbers, true, false, null, and the three that only Python writes.
  bool word() {
    const std::size_t begin = at_;
    std::size_t end = at_;
    while (end < text_.size()) {
      const char c = text_[end];
      const bool part = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
                        c == '-' || c == '.' || c == '_';
      if (!part) break;
      ++end;
    }
    const std::string_view text = text_.substr(begin, end - begin);
    NodeKind kind = NodeKind::number;
    if (text == "true" || text == "false")
      kind = NodeKind::boolean;
    else if (text == "null")
      kind = NodeKind::null;
    else if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
      if (!options_.allow_nan)
        return fail("'" + std::string(text) + "' is not JSON", "write null, or a number", "json-syntax", text.size());
    } else if (!is_json_number(text)) {
      return bad_word(text);
    }
    at_ = end;
    return builder_.scalar(kind, begin, end, false, nullptr);
  }

  bool bad_word(std::string_view text) {
    const char c = text_[at_];
    if (c == '\'') return fail("text stands in double quotes in JSON", "write \"...\"");
    if (c == '/' || c == '#') return fail("expected a value, found " + found(), "JSON has no comments");
    if (c == ',' || c == ']' || c == '}' || c == ':') return fail("expected a value, found " + found());
    if (text.empty()) return fail("expected a value, found " + found());
    std::string help = "true, false, null, a number, or text in double quotes";
    if (text == "True" || text == "False" || text == "None")
      help = text == "None" ? "write null" : text == "True" ? "write true" : "write false";
    else if (text[0] == '+')
      help = "a JSON number has no plus sign";
    else if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9')
      help = "a JSON number has no leading zeros";
    else if (text[0] == '.' || text.back() == '.')
      help = "a JSON number has digits on both sides of its point";
    return fail("'" + std::string(text.substr(0, 40)) + "' is no JSON value", std::move(help), "json-syntax",
                text.size());
  }

  // From the opening quote past the closing one. Fills `copy` only if there are escapes.
  bool string(std::string& copy, bool& copied) {
    const std::size_t begin = at_++;
    std::size_t run = at_;
    while (true) {
      if (at_ >= text_.size()) {
        at_ = begin;
        return fail("this text is never closed", "end it with a double quote");
      }
      const char c = text_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20)
        return fail(c == '\n' ? "a line ends inside a text" : "a control character inside a text",
                    c == '\n' ? "write \\n, or close the text with a double quote" : "write it as \\u00XX",
                    "json-control-character");
      if (c != '\\') {
        ++at_;
        continue;
      }
      copied = true;
      copy.append(text_.substr(run, at_ - run));
      if (!escape(copy)) return false;
      run = at_;
    }
    if (copied) copy.append(text_.substr(run, at_ - run));
    ++at_;
    return true;
  }

  bool escape(std::string& copy) {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const std::size_t index = kFrom.find(c);
    if (c != '\0' && index != std::string_view::npos) {
      copy.push_back(kTo[index]);
      at_ += 2;
      return true;
    }
    unsigned code = 0;
    if (c != 'u' || !hex4(at_ + 2, code))
      return fail("this escape is not JSON", "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", "json-bad-escape", 2);
    std::size_t length = 6;
    if (code >= 0xD800 && code < 0xDC00) {
      unsigned low = 0;
      if (text_.substr(at_ + 6, 2) == "\\u" && hex4(at_ + 8, low) && low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        length = 12;
      }
    }
    if (code >= 0xD800 && code < 0xE000)
      return fail("half of a surrogate pair stands alone", "characters past U+FFFF take two \\uXXXX", "json-bad-escape",
                  6);
    append_utf8(copy, code);
    at_ += length;
    return true;
  }

  [[nodiscard]] bool hex4(std::size_t from, unsigned& code) const {
    if (from + 4 > text_.size()) return false;
    code = 0;
    for (std::size_t i = from; i < from + 4; ++i) {
      const char c = text_[i];
      const char lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9')
        code = code * 16 + static_cast<unsigned>(c - '0');
      else if (lower >= 'a' && lower <= 'f')
        code = code * 16 + static_cast<unsigned>(lower - 'a' + 10);
      else
        return false;
    }
    return true;
  }

  std::string_view text_;
  const ReadOptions& options_;
  DocumentBuilder builder_;
  std::vector<std::size_t> open_;  // where the containers around us open
  bool first_ = true;
  std::size_t at_ = 0;
};

void write(std::string& out, const Node& node) {
  if (node.is_mapping() || node.is_sequence()) {
    const bool mapping = node.is_mapping();
    out.push_back(mapping ? '{' : '[');
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (i > 0) out += ", ";
      const Node child = node[i];
      if (mapping) out += json_quote(child.key()) + ": ";
      write(out, child);
    }
    out.push_back(mapping ? '}' : ']');
  } else if (node.is_null()) {
    out += "null";
  } else if (node.kind() == NodeKind::boolean) {
    out += *node.as_bool() ? "true" : "false";
  } else if (node.kind() == NodeKind::number && is_json_number(node.text())) {
    out += node.text();
  } else {
    out += json_quote(node.text());
  }
}

}  // namespace

Result<Document> read_json(const Source& source, const ReadOptions& options) {
  return JsonReader(source, options).read();
}

std::string write_json(const Node& node) {
  std::string out;
  write(out, node);
  return out;
}

}  // namespace floptally
