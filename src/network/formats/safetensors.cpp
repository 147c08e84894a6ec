// safetensors: one file, an index of shards, or a folder as it comes from a hub. With a config.json beside it the
// config says what is computed and the tensors are reconciled with it; alone, the tensors say how many parameters there
// are.
#include "base/file.h"
#include "network/family.h"
#include "network/format.h"
#include "network/tensor_file/reconcile.h"

namespace floptally::formats {
namespace {

bool has_tensors(const std::string& folder) {
  for (const std::string& name : list_directory(folder))
    if (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json")) return true;
  return false;
}

int sniff(const ModelFile& file) {
  if (file.directory) return has_tensors(file.path) ? 70 : 0;
  if (file.named(".safetensors.index.json")) return 95;
  if (file.named(".safetensors")) return 95;
  // A header length that fits and the '{' of a header: not a chance find.
  const bool plausible =
      is_safetensors(file.head) && file.head.size() > 8 && file.head.substr(3, 5) == std::string_view("\0\0\0\0\0", 5);
  return plausible ? 60 : 0;
}

std::string folder_of(const std::string& path) {
  if (is_directory(path)) return path;
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  Result<TensorFile> tensors = read_tensor_file(sources, path);
  if (!tensors.ok()) return tensors.take_problems();
  const std::string config = folder_of(path) + "/config.json";
  if (path == "-" || !path_exists(config)) return network_of_tensors(*tensors, path);
  const Result<const Source*> source = sources.read(config);
  if (!source) return source.problems();
  ReadOptions options;
  options.allow_nan = true;
  const Result<Document> document = read_json(**source, options);
  if (!document) return document.problems();
  Result<Network> network = build_family(*document, family_inputs(inputs));
  if (!network.ok()) {
    if (network.problems()[0].code != "unknown-architecture") return network;
    Network alone = network_of_tensors(*tensors, path);
    alone.notes.push_back(
        warning("unknown-architecture",
                config + " is not understood, only the tensors are counted: " + network.problems()[0].message));
    return alone;
  }
  network->name = path;
  reconcile(*tensors, *network);
  return network;
}

}  // namespace

extern const FormatDef k_safetensors;
const FormatDef k_safetensors = {"safetensors",
                                 "a safetensors file, an index of shards, or a folder from a hub with its config.json",
                                 "huggingface.co/docs/safetensors", sniff, read};

}  // namespace floptally::formats
