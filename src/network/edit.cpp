#include "network/edit.h"

#include "base/embedded.h"
#include "base/file.h"
#include "network/family.h"
#include "network/shipped.h"
#include "network/spec.h"

namespace floptally {

namespace {

// `value` as JSON: itself where it reads as a number, a word of JSON, a list or a mapping, else as text.
std::string as_json(const std::string& value, Sources& sources) {
  const Source& source = sources.add("--set", value);
  return read_json(source).ok() ? value : json_quote(value);
}

// `node` as JSON with the value at `path` replaced.
std::string replaced(Node node, std::string_view path, const std::string& value) {
  const std::size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  std::string out = "{";
  bool found = false;
  const auto add = [&out](std::string_view name, const std::string& json) {
    out += (out.size() > 1 ? ", " : "") + json_quote(name) + ": " + json;
  };
  if (node.is_mapping()) {
    for (Node child : node) {
      const bool here = child.key() == key;
      found = found || here;
      add(child.key(), !here ? write_json(child) : rest.empty() ? value : replaced(child, rest, value));
    }
  }
  if (!found) add(key, rest.empty() ? value : replaced({}, rest, value));
  return out + "}";
}

Result<Network> build(Node root, const Inputs& inputs, Sources& sources, const std::string& base,
                      const Document& document) {
  if (is_spec(root)) return build_spec(root, inputs, sources, base);
  return build_family(document, family_inputs(inputs));
}

}  // namespace

Result<Network> load_edited_model(const std::string& model, const std::vector<ModelEdit>& edits, const Inputs& inputs,
                                  Sources& sources) {
  const std::string path = is_directory(model) ? model + "/config.json" : model;
  const bool file = path_exists(path);
  if (file && !path.ends_with(".json") && !path.ends_with(".yaml") && !path.ends_with(".yml")) {
    return error("not-editable", "--set changes configs and specs; '" + model + "' is neither");
  }
  Result<std::string> text = file ? Result<std::string>(std::string()) : shipped_model_text(model, sources);
  if (!text) return text.take_problems();
  if (file) {
    const Result<const Source*> source = sources.read(path);
    if (!source) return source.problems();
    *text = (*source)->text;
  }
  for (const ModelEdit& edit : edits) {
    const Source& source = sources.add(file ? path : model, *text);
    const Result<Document> document = read_document(source);
    if (!document) return document.problems();
    *text = replaced(document->root(), edit.path, as_json(edit.value, sources));
  }
  const Source& source = sources.add((file ? path : model) + " with --set", std::move(*text));
  const Result<Document> document = read_document(source);
  if (!document) return document.problems();
  Result<Network> network = build(document->root(), inputs, sources, file ? path : std::string(), *document);
  if (network.ok() && (!file || network->name.empty())) network->name = model;
  return network;
}

}  // namespace floptally
