#include "network/shipped.h"

#include <cctype>

#include "base/embedded.h"
#include "network/family.h"

namespace floptally {

namespace {

constexpr std::string_view kFolder = "models/";

std::string name_of_path(std::string_view path) {
  path.remove_prefix(kFolder.size());
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path.substr(0, path.rfind('.')));
}

std::string plain(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string result;
  for (char c : name) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    result.push_back(lower == '_' || lower == ' ' ? '-' : lower);
  }
  return result;
}

std::string_view find_path(std::string_view name) {
  const std::string wanted = plain(name);
  for (std::string_view path : embedded_files(kFolder)) {
    if ((path.ends_with(".json") || path.ends_with(".yaml")) && plain(name_of_path(path)) == wanted) return path;
  }
  return {};
}

}  // namespace

std::vector<std::string> shipped_model_names() {
  std::vector<std::string> names;
  for (std::string_view path : embedded_files(kFolder)) {
    if (path.ends_with(".json") || path.ends_with(".yaml")) names.push_back(name_of_path(path));
  }
  return names;
}

bool is_shipped_model(std::string_view name) { return !find_path(name).empty(); }

Result<Network> read_shipped_model(std::string_view name, const Inputs& inputs, Sources& sources) {
  const std::string_view path = find_path(name);
  const Source& source = sources.add("data/" + std::string(path), std::string(*embedded_file(path)));
  const Result<Document> document = read_document(source);
  if (!document) return document.problems();
  Result<Network> network = build_family(*document, family_inputs(inputs));
  if (network.ok()) network->name = name_of_path(path);
  return network;
}

}  // namespace floptally
