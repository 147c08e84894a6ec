#include "network/edit.h"

#include "base/embedded.h"
#include "base/file.h"
#include "network/family.h"
#include "network/shipped.h"
#include "network/spec.h"

namespace floptally {

namespace {

Result<Network> build(Node root, const Inputs& inputs, Sources& sources, const std::string& base,
                      const Document& document) {
  if (is_spec(root)) return build_spec(root, inputs, sources, base);
  return build_family(document, family_inputs(inputs));
}

}  // namespace

Result<Network> load_edited_model(const std::string& model, const std::vector<Edit>& edits, const Inputs& inputs,
                                  Sources& sources) {
  const std::string path = is_directory(model) ? model + "/config.json" : model;
  const bool file = path_exists(path);
  if (file && !path.ends_with(".json") && !path.ends_with(".yaml") && !path.ends_with(".yml"))
    return error("not-editable", "--set changes configs and specs; '" + model + "' is neither");
  const Source* source = nullptr;
  if (file) {
    const Result<const Source*> read = sources.read(path);
    if (!read) return read.problems();
    source = *read;
  } else {
    Result<std::string> text = shipped_model_text(model, sources);
    if (!text) return text.take_problems();
    source = &sources.add(model, *std::move(text));
  }
  const Result<Document> plain = read_document(*source);
  if (!plain) return plain.problems();
  const Result<Document> document = edited(*plain, edits);
  if (!document) return document.problems();
  Result<Network> network = build(document->root(), inputs, sources, file ? path : std::string(), *document);
  if (!network) return network;
  if (!file || network->name.empty()) network->name = model;
  if (file && network->name == path) network->name += " with --set";
  return network;
}

}  // namespace floptally
