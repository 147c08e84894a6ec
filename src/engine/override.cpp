#include "engine/override.h"

#include <charconv>

#include "network/edit.h"

namespace floptally {
namespace {

struct Override {
  std::vector<std::string> path;
  std::string value;
  bool used = false;
};

Result<Override> parse(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0)
    return error("bad-override", "--set needs KEY=VALUE, not '" + word + "'", {},
                 "such as --set hardware.utilization=40%");
  Override out;
  out.value = word.substr(equals + 1);
  std::size_t begin = 0;
  while (begin <= equals) {
    const std::size_t end = std::min(word.find('.', begin), equals);
    if (end == begin) return error("bad-override", "--set needs KEY=VALUE, not '" + word + "'", {}, "the key is empty");
    out.path.push_back(word.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// "true" is a truth, "[1, 2]" a list and "{a: 1}" a record; all else is the text of a scalar.
std::string value_text(const std::string& value) {
  if (value == "true" || value == "false") return value;
  if (value.empty() || (value.front() != '[' && value.front() != '{')) return json_quote(value);
  Source source;
  source.name = "--set";
  source.text = value;
  const Result<Document> read = read_yaml(source);
  return read.ok() ? write_json(read->root()) : json_quote(value);
}

// JSON of a node with the overrides that start with `at` applied below it.
class Writer {
 public:
  explicit Writer(std::vector<Override>& overrides) : overrides_(overrides) {}

  std::string write(const Node& node, std::vector<std::string>& at) {
    for (Override& each : overrides_) {
      if (each.path != at) continue;
      each.used = true;
      return value_text(each.value);
    }
    if (node.is_mapping()) {
      std::string out = "{";
      for (const Node child : node) append(out, std::string(child.key()), child, at);
      for (const Override& each : overrides_) {  // keys that were not there
        if (each.used || each.path.size() != at.size() + 1 || !std::equal(at.begin(), at.end(), each.path.begin()) ||
            node.find(each.path.back()))
          continue;
        append(out, each.path.back(), {}, at);
      }
      return out + "}";
    }
    if (node.is_sequence()) {
      std::string out = "[";
      for (std::size_t i = 0; i < node.size(); ++i) {
        at.push_back(std::to_string(i));
        out += (i ? ", " : "") + write(node[i], at);
        at.pop_back();
      }
      return out + "]";
    }
    return node.quoted() ? json_quote(node.text()) : write_json(node);
  }

 private:
  void append(std::string& out, const std::string& key, const Node& child, std::vector<std::string>& at) {
    at.push_back(key);
    out += (out.size() > 1 ? ", " : "") + json_quote(key) + ": " + write(child, at);
    at.pop_back();
  }

  std::vector<Override>& overrides_;
};

}  // namespace

Result<Document> with_overrides(Document document, const Request& request, Context& context) {
  std::vector<Override> overrides;
  for (const std::string& word : request.words("set")) {
    Result<Override> read = parse(word);
    if (!read) return read.take_problems();
    overrides.push_back(std::move(*read));
  }
  if (overrides.empty()) return document;
  std::vector<std::string> at;
  const std::string text = Writer(overrides).write(document.root(), at);
  for (const Override& each : overrides) {
    if (each.used) continue;
    std::string path;
    for (const std::string& part : each.path) path += (path.empty() ? "" : ".") + part;
    return error("unknown-key", "--set " + path + ": there is no such place in the input", {},
                 "a new key can be added to a record that exists; list elements are counted from 0");
  }
  const Source& source = context.sources.add(document.source().name + " with --set.json", text);
  return read_json(source);
}

Result<Network> load_edited(const std::string& model, const Request& request, const Inputs& inputs, Context& context) {
  std::vector<ModelEdit> edits;
  for (const std::string& word : request.words("set")) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return error("bad-option", "--set expects KEY=VALUE, such as num_hidden_layers=2, found '" + word + "'");
    }
    edits.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return edits.empty() ? load_model(model, inputs, context.sources)
                       : load_edited_model(model, edits, inputs, context.sources);
}

}  // namespace floptally
