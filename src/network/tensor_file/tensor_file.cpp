#include "network/tensor_file/tensor_file.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"

namespace floptally {
namespace {

// Sizes of the GGUF block types are those of the layouts in ggml-common.h (ggml 0.9, 2025); numerics/ computes the ones
// it encodes from its own block structures and a test compares the two.
constexpr TensorType kTypes[] = {
    {"fp64", "F64", 28, 1, 8, true},
    {"fp32", "F32", 0, 1, 4, true},
    {"fp16", "F16", 1, 1, 2, true},
    {"bf16", "BF16", 30, 1, 2, true},
    {"e4m3", "F8_E4M3", -1, 1, 1, true},
    {"e5m2", "F8_E5M2", -1, 1, 1, true},
    {"e4m3fnuz", "F8_E4M3FNUZ", -1, 1, 1, true},
    {"e5m2fnuz", "F8_E5M2FNUZ", -1, 1, 1, true},
    {"e8m0", "F8_E8M0", -1, 1, 1, false},
    {"e3m2", "F6_E3M2", -1, 4, 3, true},
    {"e2m3", "F6_E2M3", -1, 4, 3, true},
    {"e2m1", "F4", -1, 2, 1, true},
    {"bool", "BOOL", -1, 1, 1, false},
    {"int8", "I8", 24, 1, 1, false},
    {"uint8", "U8", -1, 1, 1, false},
    {"int16", "I16", 25, 1, 2, false},
    {"uint16", "U16", -1, 1, 2, false},
    {"int32", "I32", 26, 1, 4, false},
    {"uint32", "U32", -1, 1, 4, false},
    {"int64", "I64", 27, 1, 8, false},
    {"uint64", "U64", -1, 1, 8, false},
    {"complex64", "C64", -1, 1, 8, false},
    {"q4_0", "", 2, 32, 18, false},
    {"q4_1", "", 3, 32, 20, false},
    {"q5_0", "", 6, 32, 22, false},
    {"q5_1", "", 7, 32, 24, false},
    {"q8_0", "", 8, 32, 34, false},
    {"q8_1", "", 9, 32, 36, false},
    {"q2_k", "", 10, 256, 84, false},
    {"q3_k", "", 11, 256, 110, false},
    {"q4_k", "", 12, 256, 144, false},
    {"q5_k", "", 13, 256, 176, false},
    {"q6_k", "", 14, 256, 210, false},
    {"q8_k", "", 15, 256, 292, false},
    {"iq2_xxs", "", 16, 256, 66, false},
    {"iq2_xs", "", 17, 256, 74, false},
    {"iq3_xxs", "", 18, 256, 98, false},
    {"iq1_s", "", 19, 256, 50, false},
    {"iq4_nl", "", 20, 32, 18, false},
    {"iq3_s", "", 21, 256, 110, false},
    {"iq2_s", "", 22, 256, 82, false},
    {"iq4_xs", "", 23, 256, 136, false},
    {"iq1_m", "", 29, 256, 56, false},
    {"tq1_0", "", 34, 256, 54, false},
    {"tq2_0", "", 35, 256, 66, false},
    {"mxfp4", "", 39, 32, 17, false},
    {"nvfp4", "", 40, 64, 36, false},
    {"q1_0", "", 41, 128, 18, false},
    {"q2_0", "", 42, 64, 18, false},
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string beside(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.back() == '/' ? folder + name : folder + "/" + name;
}

Result<TensorFile> read_folder(Sources& sources, const std::string& folder) {
  std::vector<std::string> safetensors;
  std::vector<std::string> ggufs;
  std::string index;
  for (const std::string& name : list_directory(folder)) {
    if (name == "model.safetensors.index.json" || (index.empty() && is_safetensors_index(name))) index = name;
    if (ends_with(name, ".safetensors")) safetensors.push_back(name);
    if (ends_with(name, ".gguf")) ggufs.push_back(name);
  }
  if (!index.empty()) return read_safetensors_index(sources, beside(folder, index));
  const auto whole = std::find(safetensors.begin(), safetensors.end(), "model.safetensors");
  if (whole != safetensors.end()) return read_safetensors(sources, beside(folder, *whole));
  if (safetensors.size() == 1) return read_safetensors(sources, beside(folder, safetensors[0]));
  if (safetensors.empty() && !ggufs.empty()) {
    // Several files are one model only when they are the splits of one.
    Result<TensorFile> first = read_gguf(sources, beside(folder, ggufs[0]));
    if (!first.ok() || ggufs.size() == 1 || first->files.size() == ggufs.size()) return first;
    return error("several-models", "'" + folder + "' holds " + std::to_string(ggufs.size()) + " GGUF files", {},
                 "name one of them, for example " + beside(folder, ggufs[0]));
  }
  if (!safetensors.empty())
    return error("index-missing",
                 "'" + folder + "' holds " + std::to_string(safetensors.size()) +
                     " safetensors files and no model.safetensors.index.json",
                 {}, "name one file, or add the index");
  return error("unknown-model-format", "'" + folder + "' holds no tensor file", {},
               "a folder needs a model.safetensors, a model.safetensors.index.json or a .gguf file");
}

}  // namespace

std::span<const TensorType> tensor_types() { return kTypes; }

const TensorType* find_safetensors_type(std::string_view name) {
  for (const TensorType& type : kTypes)
    if (!name.empty() && type.safetensors == name) return &type;
  return nullptr;
}

const TensorType* find_gguf_type(std::uint32_t number) {
  for (const TensorType& type : kTypes)
    if (type.gguf >= 0 && static_cast<std::uint32_t>(type.gguf) == number) return &type;
  return nullptr;
}

const TensorType* find_tensor_type(std::string_view name) {
  for (const TensorType& type : kTypes)
    if (type.name == name) return &type;
  return nullptr;
}

Integer tensor_bytes(const TensorType& type, std::span<const std::int64_t> shape) {
  Integer elements = 1;
  for (const std::int64_t size : shape) elements *= Integer(size);
  const std::int64_t innermost = shape.empty() ? 1 : shape.back();
  // GGUF blocks run along a row; safetensors packs sub-byte types over the whole tensor.
  const bool rowwise = type.gguf >= 0;
  if ((rowwise ? Integer(innermost) : elements) % Integer(type.block_elements) != Integer(0))
    return Integer::overflowed();
  const Integer bytes = elements / Integer(type.block_elements) * Integer(type.block_bytes);
  return bytes.fits_int64() ? bytes : Integer::overflowed();
}

Integer TensorEntry::elements() const {
  Integer product = 1;
  for (const std::int64_t size : shape) product *= Integer(size);
  return product;
}

Integer TensorFile::parameters() const {
  Integer sum = 0;
  for (const TensorEntry& tensor : tensors)
    if (tensor.type != nullptr) sum += tensor.elements();
  return sum;
}

Integer TensorFile::bytes() const {
  Integer sum = 0;
  for (const TensorEntry& tensor : tensors) sum += Integer(tensor.bytes);
  return sum;
}

const MetadataValue* TensorFile::find(std::string_view key) const {
  for (const auto& [name, value] : metadata)
    if (name == key) return &value;
  return nullptr;
}

bool is_gguf(std::string_view first_bytes) { return first_bytes.substr(0, 4) == "GGUF"; }

bool is_safetensors(std::string_view first_bytes) { return first_bytes.size() > 8 && first_bytes[8] == '{'; }

bool is_safetensors_index(std::string_view path) { return ends_with(path, ".safetensors.index.json"); }

Result<TensorFile> read_tensor_file(Sources& sources, const std::string& path) {
  if (is_directory(path)) return read_folder(sources, path);
  if (is_safetensors_index(path)) return read_safetensors_index(sources, path);
  Result<MappedFile> file = MappedFile::open(path);
  if (!file.ok()) return file.take_problems();
  const std::string_view start = file->view().substr(0, 16);
  if (is_gguf(start) || ends_with(path, ".gguf")) return read_gguf(sources, path);
  if (is_safetensors(start) || ends_with(path, ".safetensors")) return read_safetensors(sources, path);
  return error("unknown-model-format", "'" + path + "' is neither safetensors nor GGUF", {},
               "a safetensors file starts with a length and '{', a GGUF file with \"GGUF\"");
}

}  // namespace floptally
