// Headers of the files quantization writes.
#include <algorithm>
#include <cstring>

#include "base/json_quote.h"
#include "numerics/quantize_file.h"

namespace floptally::numerics {
namespace {

constexpr std::uint64_t kGgufAlignment = 32;

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

}  // namespace

std::string safetensors_header(std::vector<OutputTensor>& tensors,
                               const std::vector<std::pair<std::string, std::string>>& metadata) {
  // Wide elements first: every tensor then starts on a multiple of its element, as readers that map the file need it.
  const auto width = [](const OutputTensor& t) {
    const TensorType* type = find_safetensors_type(t.dtype);
    return type != nullptr ? type->block_bytes / type->block_elements : 1u;
  };
  std::stable_sort(tensors.begin(), tensors.end(),
                   [&](const OutputTensor& a, const OutputTensor& b) { return width(a) > width(b); });
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      json += (json.back() == '{' ? "" : ",") + json_quote(key) + ":" + json_quote(value);
    json += "}";
  }
  std::uint64_t offset = 0;
  for (OutputTensor& tensor : tensors) {
    json += (json.size() > 1 ? "," : "") + json_quote(tensor.name) + ":{\"dtype\":" + json_quote(tensor.dtype) +
            ",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) json += (i > 0 ? "," : "") + std::to_string(tensor.shape[i]);
    json += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + tensor.bytes) + "]}";
    tensor.offset = offset;
    offset += tensor.bytes;
  }
  json += "}";
  json.append((8 - json.size() % 8) % 8, ' ');
  std::string header;
  append(header, static_cast<std::uint64_t>(json.size()));
  header += json;
  for (OutputTensor& tensor : tensors) tensor.offset += header.size();
  return header;
}

std::string shapes_json(const std::vector<TensorReport>& tensors) {
  std::string out = "{";
  for (const TensorReport& report : tensors) {
    if (!report.quantized) continue;
    out += (out.size() > 1 ? "," : "") + json_quote(report.tensor->name) + ":[";
    for (std::size_t i = 0; i < report.tensor->shape.size(); ++i)
      out += (i > 0 ? "," : "") + std::to_string(report.tensor->shape[i]);
    out += "]";
  }
  return out + "}";
}

std::string safetensors_index(std::uint64_t total_bytes, const std::map<std::string, std::string>& shard_of) {
  std::string index = "{\"metadata\":{\"total_size\":" + std::to_string(total_bytes) + "},\"weight_map\":{";
  for (const auto& [name, shard] : shard_of)
    index += (index.back() == '{' ? "" : ",") + json_quote(name) + ":" + json_quote(shard);
  return index + "}}\n";
}

std::string gguf_text(std::string_view key, std::string_view value) {
  std::string out;
  append_text(out, key);
  append(out, std::uint32_t{8});
  append_text(out, value);
  return out;
}

std::string gguf_number(std::string_view key, std::uint32_t value) {
  std::string out;
  append_text(out, key);
  append(out, std::uint32_t{4});
  append(out, value);
  return out;
}

std::string gguf_header(std::vector<OutputTensor>& tensors, std::string_view encoded_metadata,
                        std::uint64_t metadata_count) {
  std::string header = "GGUF";
  append(header, std::uint32_t{3});
  append(header, static_cast<std::uint64_t>(tensors.size()));
  append(header, metadata_count);
  header += encoded_metadata;
  std::uint64_t offset = 0;
  for (OutputTensor& tensor : tensors) {
    append_text(header, tensor.name);
    append(header, static_cast<std::uint32_t>(tensor.shape.size()));
    for (std::size_t i = tensor.shape.size(); i-- > 0;) append(header, static_cast<std::uint64_t>(tensor.shape[i]));
    append(header, static_cast<std::uint32_t>(tensor.gguf_type));
    append(header, offset);
    tensor.offset = offset;
    offset += (tensor.bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
  }
  header.append((kGgufAlignment - header.size() % kGgufAlignment) % kGgufAlignment, '\0');
  for (OutputTensor& tensor : tensors) tensor.offset += header.size();
  return header;
}

}  // namespace floptally::numerics
