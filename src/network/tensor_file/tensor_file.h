// TensorFile: what a file of named tensors says about itself, read from its header alone: names, shapes, element types,
// byte ranges and metadata. One reader per container (safetensors.cpp, gguf.cpp); a sharded model is one TensorFile.
//
// Always holds: every tensor with a known type lies whole inside its file, its byte count is its shape times its type,
// no two tensors overlap, and no name occurs twice. Tensor data is never read here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/integer.h"
#include "base/sources.h"
#include "floptally/diagnostic.h"

namespace floptally {

// How elements are stored: `block_elements` of them take `block_bytes` bytes (sub-byte and block formats have more than
// one element a block). Rows live in one table (dtype.cpp) with the name each container uses.
struct TensorType {
  std::string_view name;         // the field's word: "bf16", "q4_k"
  std::string_view safetensors;  // the container's word, or ""
  int gguf = -1;                 // GGUF's number, or -1
  std::uint32_t block_elements = 1;
  std::uint32_t block_bytes = 0;
  bool floating = false;  // elements are plain floating-point numbers
  [[nodiscard]] double bits_per_element() const { return 8.0 * block_bytes / block_elements; }
};

std::span<const TensorType> tensor_types();
const TensorType* find_safetensors_type(std::string_view name);
const TensorType* find_gguf_type(std::uint32_t number);
const TensorType* find_tensor_type(std::string_view name);

// What names and shapes of tensors lie in.
class TensorStorage {
 public:
  std::string_view keep(std::string_view name) {
    const std::span<const char> kept = names_.keep(name);
    return {kept.data(), kept.size()};
  }
  std::span<const std::int64_t> keep(std::span<const std::int64_t> shape) { return sizes_.keep(shape); }

 private:
  Arena<char> names_;
  Arena<std::int64_t> sizes_;
};

struct TensorEntry {
  std::string_view name;                // like the shape, in the file's storage
  std::span<const std::int64_t> shape;  // outermost dimension first, whatever the container's order
  const TensorType* type = nullptr;     // null: only the name is known (its shard is not here)
  std::uint64_t offset = 0;             // of the first byte, in file `file`
  std::uint64_t bytes = 0;
  std::uint32_t file = 0;  // index into TensorFile::files
  [[nodiscard]] Integer elements() const;
  [[nodiscard]] std::string quoted() const { return "'" + std::string(name) + "'"; }  // in messages
};

// A value of a GGUF header. Arrays keep their length and, when short and numeric, their elements.
struct MetadataValue {
  enum class Kind { integer, real, boolean, text, array } kind = Kind::text;
  Integer integer;
  double real = 0;
  bool boolean = false;
  std::string text;
  std::uint64_t count = 0;       // array: elements
  std::vector<double> elements;  // array of at most 4,096 numbers: each of them
};

struct TensorFile {
  enum class Container { safetensors, gguf } container = Container::safetensors;
  std::vector<std::string> files;                                  // paths
  std::vector<TensorEntry> tensors;                                // in file and offset order
  std::vector<std::shared_ptr<const TensorStorage>> storage;       // of their names and shapes
  std::vector<std::pair<std::string, std::string>> text_metadata;  // safetensors __metadata__, sorted by key
  std::vector<std::pair<std::string, MetadataValue>> metadata;     // GGUF key-values, in file order
  std::string encoded_metadata;           // the same as bytes, for a file made from this one (layout keys left out)
  std::uint64_t encoded_count = 0;        // key-values in it
  std::vector<std::string> absent_files;  // shards an index names that are not here
  std::optional<Integer> declared_bytes;  // "total_size" of an index
  Diagnostics notes;                      // what is odd but readable

  // Over the tensors whose type is known.
  [[nodiscard]] Integer parameters() const;
  [[nodiscard]] Integer bytes() const;
  [[nodiscard]] const MetadataValue* find(std::string_view key) const;
};

// Any of: one .safetensors file, a model.safetensors.index.json, one .gguf file (its other splits are found beside it),
// or a folder holding them. Errors: file-not-found, unknown-model-format, and those of the readers below.
Result<TensorFile> read_tensor_file(Sources& sources, const std::string& path);
// Whether the first bytes or the name say so.
bool is_safetensors(std::string_view first_bytes);
bool is_gguf(std::string_view first_bytes);
bool is_safetensors_index(std::string_view path);

// One file each. Errors name the byte: header-truncated, header-too-large, header-malformed, duplicate-key,
// unknown-dtype, bad-shape, bad-offsets, tensors-overlap, tensor-gap, tensor-size, data-truncated, ...
Result<TensorFile> read_safetensors(Sources& sources, const std::string& path);
Result<TensorFile> read_safetensors_index(Sources& sources, const std::string& path);
Result<TensorFile> read_gguf(Sources& sources, const std::string& path);
// The same over bytes in memory (`file_size` may exceed them: only the header need be there).
Result<TensorFile> parse_safetensors(const Source& source, std::string_view bytes, std::uint64_t file_size);
Result<TensorFile> parse_gguf(const Source& source, std::string_view bytes, std::uint64_t file_size);

// Shape times type in bytes; invalid when it does not fit 63 bits or the last dimension is not whole blocks.
Integer tensor_bytes(const TensorType& type, std::span<const std::int64_t> shape);

}  // namespace floptally
