#include "network/format.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/embedded.h"
#include "base/file.h"
#include "base/nearest.h"
#include "network/family.h"
#include "network/shipped.h"

namespace floptally {

namespace formats {
extern const FormatDef* const kAll[];
}

const FormatDef* const* all_formats() { return formats::kAll; }

FamilyInputs family_inputs(const Inputs& inputs) {
  FamilyInputs result;
  result.sequence = inputs.sequence;
  result.source_sequence = inputs.source_sequence;
  for (const auto& [name, value] : inputs.let) {
    if (name == "images") result.images = value;
    if (name == "frames") result.frames = value;
    if (name == "mtp") result.extra_heads = value != 0;
  }
  // --input 1x3x224x224 or 3x224x224: the batch of an image is not part of a sample.
  if (inputs.shape.size() == 4) result.image.assign(inputs.shape.begin() + 1, inputs.shape.end());
  if (inputs.shape.size() == 3) result.image = inputs.shape;
  if (inputs.shape.size() == 2 && result.sequence == 0) result.sequence = inputs.shape[1];
  return result;
}

Result<const FormatDef*> surest_format(const std::string& path) {
  ModelFile file;
  file.path = path;
  file.directory = is_directory(path);
  std::optional<MappedFile> keep;
  if (!file.directory) {
    Result<MappedFile> mapped = MappedFile::open(path);
    if (!mapped) return mapped.take_problems();
    keep.emplace(std::move(*mapped));
    file.size = keep->size();
    file.head = keep->view().substr(0, 4096);
  }
  const FormatDef* best = nullptr;
  int surest = 0;
  for (auto format = formats::kAll; *format != nullptr; ++format) {
    const int sure = (*format)->sniff(file);
    if (sure > surest) {
      surest = sure;
      best = *format;
    }
  }
  return best;
}

namespace {

Result<Network> read_file(const std::string& path, const Inputs& inputs, Sources& sources) {
  Result<const FormatDef*> format = surest_format(path);
  if (!format) return format.take_problems();
  if (*format != nullptr) return (*format)->read(path, inputs, sources);
  std::string names;
  for (auto known = formats::kAll; *known != nullptr; ++known)
    names += (names.empty() ? "" : ", ") + std::string((*known)->name);
  const std::string what =
      is_directory(path) ? "the folder '" + path + "' holds no model" : "'" + path + "' is no model file";
  return error("unknown-model-format", what, {}, "formats known: " + names);
}

// "net.onnx", "./config.json", not "llama-3.1-8b": an ending that begins with a letter, or a folder.
bool names_file(std::string_view word) {
  const std::size_t dot = word.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? std::string_view() : word.substr(dot + 1);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto plain = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return word.ends_with('/') || word.starts_with('/') || word.starts_with('.') ||
         (!ending.empty() && letter(ending.front()) && std::all_of(ending.begin(), ending.end(), plain));
}

}  // namespace

Result<Network> load_model(const std::string& model, const Inputs& inputs, Sources& sources,
                           const std::string& base_file) {
  constexpr int kMostNested = 8;
  if (inputs.nesting > kMostNested) {
    return error("nested-too-deep", "files name one another more than 8 deep, or in a circle, at '" + model + "'");
  }
  const std::string path = base_file.empty() ? model : resolve_beside(base_file, model);
  if (path_exists(path) || (model == "-" && base_file.empty()))
    return read_file(model == "-" ? model : path, inputs, sources);
  if (is_shipped_model(model)) return read_shipped_model(model, inputs, sources);
  if (names_file(model)) return error("model-not-found", "there is no file called '" + path + "'");
  const std::vector<std::string> known = shipped_model_names();
  const std::vector<std::string_view> views(known.begin(), known.end());
  std::string near;
  const std::string_view last = std::string_view(model).substr(model.rfind('/') + 1);  // of "owner/name"
  for (std::string_view name : nearest_few(last, views, 4)) near += (near.empty() ? "" : ", ") + std::string(name);
  return error("model-not-found", "there is no file and no shipped model called '" + model + "'", {},
               near.empty() ? "" : "nearest shipped models: " + near);
}

}  // namespace floptally
