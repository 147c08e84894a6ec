#include "network/spec.h"

#include "network/family.h"
#include "network/format.h"

namespace floptally::formats {
namespace {

bool mentions(std::string_view head, std::string_view key) {
  for (std::size_t at = head.find(key); at != std::string_view::npos; at = head.find(key, at + 1)) {
    const char before = at == 0 ? '\n' : head[at - 1];
    if (before == '\n' || before == '{' || before == '"' || before == ' ' || before == ',') return true;
  }
  return false;
}

int sniff(const ModelFile& file) {
  if (file.directory || file.head.find('\0') != std::string_view::npos) return 0;
  const bool text = file.path == "-" || file.named(".yaml") || file.named(".yml") || file.named(".json");
  if (mentions(file.head, "network") && text) return 95;
  if ((mentions(file.head, "kind") || mentions(file.head, "parts") || mentions(file.head, "from")) && text) return 70;
  return file.named(".yaml") || file.named(".yml") ? 30 : 0;
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  const Result<const Source*> source = sources.read(path);
  if (!source) return source.problems();
  const Result<Document> document = read_document(**source);
  if (!document) return document.problems();
  if (document->root().find("model_type")) return build_family(*document, family_inputs(inputs));
  Result<Network> network = build_spec(document->root(), inputs, sources, path);
  if (network.ok() && !document->root().find("name") && !document->root().find("title")) network->name = path;
  return network;
}

}  // namespace

extern const FormatDef k_spec;
const FormatDef k_spec = {"spec", "a network spec in YAML or JSON",
                          "floptally's own; see the reference of network specs", sniff, read};

}  // namespace floptally::formats
