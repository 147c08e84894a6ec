#include "base/file.h"
#include "network/family.h"
#include "network/format.h"

namespace floptally::formats {
namespace {

int sniff(const ModelFile& file) {
  if (file.directory) return path_exists(file.path + "/config.json") ? 50 : 0;
  const bool brace = file.head.find_first_not_of(" \t\r\n") != std::string_view::npos &&
                     file.head[file.head.find_first_not_of(" \t\r\n")] == '{';
  if (!brace) return 0;
  if (file.head.find("\"model_type\"") != std::string_view::npos) return 90;
  if (file.head.find("\"architectures\"") != std::string_view::npos) return 90;
  return file.named("config.json") ? 60 : file.named(".json") ? 20 : 0;
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  const std::string file = is_directory(path) ? path + "/config.json" : path;
  const Result<const Source*> source = sources.read(file);
  if (!source) return source.problems();
  ReadOptions options;
  options.allow_nan = true;
  const Result<Document> document = read_json(**source, options);
  if (!document) return document.problems();
  return build_family(*document, family_inputs(inputs));
}

}  // namespace

extern const FormatDef k_hf_config;
const FormatDef k_hf_config = {"config.json", "a Hugging Face config.json, or a folder with one",
                               "huggingface.co/docs/transformers, PretrainedConfig", sniff, read};

}  // namespace floptally::formats
