#include "network/shipped.h"

#include <algorithm>
#include <cctype>

#include "base/embedded.h"
#include "network/family.h"
#include "network/spec.h"

namespace floptally {

namespace {

constexpr std::string_view kFolder = "models/";

std::string name_of_path(std::string_view path) {
  path.remove_prefix(kFolder.size());
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path.substr(0, path.rfind('.')));
}

// Names in a group, read line by line: "  name: {kind: ..." under `models:`, two blanks deep.
std::vector<std::string> entries_of(std::string_view path) {
  std::vector<std::string> names;
  std::string_view text = *embedded_file(path);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (line.size() < 4 || line.substr(0, 2) != "  " || line[2] == ' ' || line[2] == '#' ||
        colon == std::string_view::npos)
      continue;
    names.emplace_back(line.substr(2, colon - 2));
  }
  return names;
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

bool is_file(std::string_view path) { return path.ends_with(".json"); }
bool is_group(std::string_view path) { return path.ends_with(".yaml"); }

// A shipped model: a config.json of its own, or an entry of a group's `models:` mapping.
struct Found {
  std::string_view path;
  std::string entry;  // empty for a file of its own
};

// Without '-', and without what does not change a shape: Meta's prefix, the tuning and the storage of a checkpoint.
std::string loose(std::string_view name) {
  std::string word = plain(name);
  if (word.starts_with("meta-")) word.erase(0, 5);
  for (bool cut = true; cut;) {
    cut = false;
    for (std::string_view end : {"-hf", "-instruct", "-chat", "-it", "-v0.1", "-uncased"}) {
      if (!word.ends_with(end)) continue;
      word.resize(word.size() - end.size());
      cut = true;
    }
  }
  std::erase(word, '-');
  return word;
}

Found find_exact(std::string_view name) {
  const std::string wanted = plain(name);
  for (std::string_view path : embedded_files(kFolder)) {
    if (is_file(path) && plain(name_of_path(path)) == wanted) return {path, {}};
  }
  for (std::string_view path : embedded_files(kFolder)) {
    if (!is_group(path)) continue;
    for (std::string& entry : entries_of(path)) {
      if (plain(entry) == wanted) return {path, std::move(entry)};
    }
  }
  return {};
}

// As it is written, else the only model whose name differs in nothing that matters.
Found find(std::string_view name) {
  if (Found exact = find_exact(name); !exact.path.empty()) return exact;
  const std::string wanted = loose(name);
  std::string only;
  for (const std::string& known : shipped_model_names()) {
    if (loose(known) != wanted) continue;
    if (!only.empty()) return {};
    only = known;
  }
  return only.empty() ? Found{} : find_exact(only);
}

}  // namespace

std::vector<std::string> shipped_model_names() {
  std::vector<std::string> names;
  for (std::string_view path : embedded_files(kFolder)) {
    if (is_file(path)) names.push_back(name_of_path(path));
    if (is_group(path)) {
      for (std::string& entry : entries_of(path)) names.push_back(std::move(entry));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_shipped_model(std::string_view name) { return !find(name).path.empty(); }

Result<Network> read_shipped_model(std::string_view name, const Inputs& inputs, Sources& sources) {
  const Found found = find(name);
  const Source& source = sources.add("data/" + std::string(found.path), std::string(*embedded_file(found.path)));
  const Result<Document> document = read_document(source);
  if (!document) return document.problems();
  if (found.entry.empty()) {
    Result<Network> network = build_family(*document, family_inputs(inputs));
    if (network.ok()) network->name = name_of_path(found.path);
    return network;
  }
  Result<Network> network = build_spec(document->root().find("models").find(found.entry), inputs, sources, {});
  if (network.ok()) network->name = found.entry;
  return network;
}

Result<std::string> shipped_model_text(std::string_view name, Sources& sources) {
  const Found found = find(name);
  if (found.path.empty())
    return error("model-not-found", "there is no file and no shipped model called '" + std::string(name) + "'");
  const Source& source = sources.add("data/" + std::string(found.path), std::string(*embedded_file(found.path)));
  const Result<Document> document = read_document(source);
  if (!document) return document.problems();
  const Node root = document->root();
  return write_json(found.entry.empty() ? root : root.find("models").find(found.entry));
}

}  // namespace floptally
