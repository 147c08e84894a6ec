// GGUF v2 and v3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): a magic, counts, typed key-values, tensor
// descriptions, padding to `general.alignment`, then data. Only little-endian files are read.
#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "base/file.h"
#include "network/tensor_file/tensor_file.h"

namespace floptally {
namespace {

constexpr std::uint64_t kMaxKey = 65535;     // the specification's limit on a key
constexpr std::uint32_t kMaxDimensions = 8;  // ggml itself has 4
constexpr int kMaxNesting = 4;
constexpr std::uint64_t kKeptElements = 4096;  // per-layer head counts and the like; vocabularies are only counted

enum ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

// Walks the header; the first problem stops it, since nothing after it can be located.
class GgufReader {
 public:
  GgufReader(const Source& source, std::string_view bytes, std::uint64_t file_size)
      : source_(source), bytes_(bytes), file_size_(file_size) {}

  Result<TensorFile> read() {
    TensorFile file;
    file.container = TensorFile::Container::gguf;
    file.files.push_back(source_.name);
    if (header() && key_values(file) && tensors(file) && place(file)) return file;
    return *std::move(problem_);
  }

 private:
  bool fail(const char* code, std::string message, std::uint64_t begin, std::string help = {}) {
    problem_ = error(code, std::move(message), {&source_, begin, std::max(begin + 1, position_)}, std::move(help));
    return false;
  }

  bool need(std::uint64_t count, const char* what) {
    if (count <= bytes_.size() - position_) return true;
    return fail("header-truncated",
                "the file ends inside " + std::string(what) + ": " + std::to_string(count) + " bytes wanted, " +
                    std::to_string(bytes_.size() - position_) + " left",
                position_, "copy or download the file again");
  }

  template <class T>
  bool number(T& out, const char* what) {
    if (!need(sizeof(T), what)) return false;
    std::memcpy(&out, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return true;
  }

  bool string(std::string_view& out, std::uint64_t limit, const char* what) {
    const std::uint64_t begin = position_;
    std::uint64_t length = 0;
    if (!number(length, what)) return false;
    if (length > limit)
      return fail("bad-length", std::string(what) + " claims " + std::to_string(length) + " bytes", begin);
    if (!need(length, what)) return false;
    out = bytes_.substr(position_, length);
    position_ += length;
    return true;
  }

  bool header() {
    if (bytes_.size() < 4 || bytes_.substr(0, 4) != "GGUF")
      return fail("unknown-model-format", "'" + source_.name + "' does not start with \"GGUF\"", 0);
    position_ = 4;
    std::uint32_t version = 0;
    if (!number(version, "the version")) return false;
    if (version == 0x02000000 || version == 0x03000000)
      return fail("gguf-version", "a big-endian GGUF file", 4,
                  "convert it to little-endian (gguf-py has gguf_convert_endian.py)");
    if (version != 2 && version != 3)
      return fail("gguf-version", "GGUF version " + std::to_string(version) + "; versions 2 and 3 are read", 4);
    if (!number(tensor_count_, "the tensor count") || !number(key_count_, "the key-value count")) return false;
    // A tensor takes at least 24 bytes of header, a key-value 13: counts beyond that are refused before any allocation.
    if (tensor_count_ > (bytes_.size() - position_) / 24)
      return fail("bad-count",
                  std::to_string(tensor_count_) + " tensors cannot fit in " + std::to_string(bytes_.size()) + " bytes",
                  8);
    if (key_count_ > (bytes_.size() - position_) / 13)
      return fail("bad-count",
                  std::to_string(key_count_) + " key-values cannot fit in " + std::to_string(bytes_.size()) + " bytes",
                  16);
    return true;
  }

  bool key_values(TensorFile& file) {
    std::unordered_set<std::string_view> keys;
    for (std::uint64_t i = 0; i < key_count_; ++i) {
      const std::uint64_t begin = position_;
      std::string_view key;
      std::uint32_t type = 0;
      MetadataValue value;
      if (!string(key, kMaxKey, "a key")) return false;
      if (!keys.insert(key).second) return fail("duplicate-key", "'" + std::string(key) + "' occurs twice", begin);
      if (!number(type, "a value's type")) return false;
      if (!this->value(type, value, 0)) return false;
      const bool own = key == "general.alignment" || key.substr(0, 6) == "split.";  // of this file's layout alone
      if (!own) file.encoded_metadata += bytes_.substr(begin, position_ - begin);
      if (!own) ++file.encoded_count;
      file.metadata.emplace_back(std::string(key), std::move(value));
    }
    return true;
  }

  bool value(std::uint32_t type, MetadataValue& out, int depth) {
    switch (type) {
      case u8:
        return integer<std::uint8_t>(out);
      case i8:
        return integer<std::int8_t>(out);
      case u16:
        return integer<std::uint16_t>(out);
      case i16:
        return integer<std::int16_t>(out);
      case u32:
        return integer<std::uint32_t>(out);
      case i32:
        return integer<std::int32_t>(out);
      case u64:
        return integer<std::uint64_t>(out);
      case i64:
        return integer<std::int64_t>(out);
      case f32:
        return real<float>(out);
      case f64:
        return real<double>(out);
      case boolean: {
        std::uint8_t byte = 0;
        if (!number(byte, "a truth value")) return false;
        if (byte > 1) return fail("bad-value", "a truth value of " + std::to_string(byte), position_ - 1);
        out.kind = MetadataValue::Kind::boolean;
        out.boolean = byte != 0;
        return true;
      }
      case text: {
        std::string_view view;
        if (!string(view, bytes_.size(), "a string")) return false;
        out.kind = MetadataValue::Kind::text;
        out.text = std::string(view);
        return true;
      }
      case array:
        return list(out, depth);
      default:
        return fail("bad-value", "a value of the unknown type " + std::to_string(type), position_ - 4);
    }
  }

  template <class T>
  bool integer(MetadataValue& out) {
    T raw = 0;
    if (!number(raw, "a value")) return false;
    out.kind = MetadataValue::Kind::integer;
    out.integer = Integer(static_cast<Integer::Wide>(raw));
    return true;
  }

  template <class T>
  bool real(MetadataValue& out) {
    T raw = 0;
    if (!number(raw, "a value")) return false;
    out.kind = MetadataValue::Kind::real;
    out.real = static_cast<double>(raw);
    return true;
  }

  static std::uint64_t fixed_size(std::uint32_t type) {
    switch (type) {
      case u8:
      case i8:
      case boolean:
        return 1;
      case u16:
      case i16:
        return 2;
      case u32:
      case i32:
      case f32:
        return 4;
      case u64:
      case i64:
      case f64:
        return 8;
      default:
        return 0;
    }
  }

  bool list(MetadataValue& out, int depth) {
    const std::uint64_t begin = position_;
    std::uint32_t type = 0;
    if (depth >= kMaxNesting) return fail("nested-too-deep", "arrays are nested more than 4 deep", begin);
    if (!number(type, "an array's type") || !number(out.count, "an array's length")) return false;
    out.kind = MetadataValue::Kind::array;
    const std::uint64_t size = fixed_size(type);
    if (size == 0 && type != text && type != array)
      return fail("bad-value", "an array of the unknown type " + std::to_string(type), begin);
    // Every element takes bytes (a string or array at least 8), so the file bounds the work.
    if (out.count > (bytes_.size() - position_) / (size != 0 ? size : 8))
      return fail("bad-count",
                  "an array claims " + std::to_string(out.count) + " elements, more than the file can hold", begin);
    if (size != 0 && out.count > kKeptElements) {
      position_ += out.count * size;
      return true;
    }
    for (std::uint64_t i = 0; i < out.count; ++i) {
      if (type == text) {
        std::string_view skipped;
        if (!string(skipped, bytes_.size(), "a string")) return false;
        continue;
      }
      MetadataValue element;
      if (!value(type, element, depth + 1)) return false;
      if (size == 0) continue;
      out.elements.push_back(element.kind == MetadataValue::Kind::real      ? element.real
                             : element.kind == MetadataValue::Kind::boolean ? (element.boolean ? 1.0 : 0.0)
                                                                            : element.integer.to_double());
    }
    return true;
  }

  bool tensors(TensorFile& file) {
    std::unordered_set<std::string_view> names;
    const auto storage = std::make_shared<TensorStorage>();
    file.storage.push_back(storage);
    file.tensors.reserve(tensor_count_);
    std::vector<std::int64_t> shape;
    for (std::uint64_t i = 0; i < tensor_count_; ++i) {
      const std::uint64_t begin = position_;
      TensorEntry entry;
      std::string_view name;
      std::uint32_t rank = 0;
      std::uint32_t type = 0;
      if (!string(name, kMaxKey, "a tensor's name")) return false;
      entry.name = storage->keep(name);
      if (!names.insert(name).second)
        return fail("duplicate-key", "the tensor " + entry.quoted() + " occurs twice", begin);
      if (!number(rank, "a tensor's rank")) return false;
      if (rank > kMaxDimensions)
        return fail("bad-shape", entry.quoted() + " claims " + std::to_string(rank) + " dimensions", begin);
      shape.resize(rank);
      for (std::uint32_t d = rank; d-- > 0;) {  // GGUF lists the innermost dimension first
        std::uint64_t size = 0;
        if (!number(size, "a tensor's shape")) return false;
        if (size > INT64_MAX)
          return fail("bad-shape", entry.quoted() + " has a dimension of " + std::to_string(size), begin);
        shape[d] = static_cast<std::int64_t>(size);
      }
      entry.shape = storage->keep(shape);
      if (!number(type, "a tensor's type") || !number(entry.offset, "a tensor's offset")) return false;
      entry.type = find_gguf_type(type);
      if (entry.type == nullptr)
        return fail("unknown-dtype", entry.quoted() + " has the unknown GGUF type " + std::to_string(type), begin);
      const Integer bytes = tensor_bytes(*entry.type, entry.shape);
      if (!bytes.valid())
        return fail("tensor-size",
                    entry.quoted() + ": a row of " + std::string(entry.type->name) + " must be whole blocks of " +
                        std::to_string(entry.type->block_elements) + ", and the whole less than 2^63 bytes",
                    begin);
      entry.bytes = static_cast<std::uint64_t>(bytes.to_int64());
      places_.push_back(begin);
      file.tensors.push_back(entry);
    }
    return true;
  }

  // Data starts at the next multiple of the alignment; each tensor follows the one before, padded to it.
  bool place(TensorFile& file) {
    std::uint64_t alignment = 32;
    if (const MetadataValue* given = file.find("general.alignment")) {
      const bool sound = given->kind == MetadataValue::Kind::integer && given->integer >= Integer(8) &&
                         given->integer <= Integer(1 << 30) &&
                         std::has_single_bit(static_cast<std::uint64_t>(given->integer.to_int64()));
      if (!sound) return fail("bad-value", "general.alignment must be a power of two, at least 8", 0);
      alignment = static_cast<std::uint64_t>(given->integer.to_int64());
    }
    const std::uint64_t start = (position_ + alignment - 1) / alignment * alignment;
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < file.tensors.size(); ++i) {
      TensorEntry& tensor = file.tensors[i];
      if (tensor.offset < expected)
        return fail("tensors-overlap",
                    tensor.quoted() + " begins at byte " + std::to_string(tensor.offset) +
                        " of the data, before the tensor ahead of it ends",
                    places_[i]);
      if (tensor.offset > expected)
        return fail("tensor-gap",
                    tensor.quoted() + " begins at byte " + std::to_string(tensor.offset) + " of the data, " +
                        std::to_string(expected) + " was expected",
                    places_[i]);
      const Integer end = Integer(start) + Integer(tensor.offset) + Integer(tensor.bytes);
      if (end > Integer(file_size_))
        return fail(
            "data-truncated",
            tensor.quoted() + " ends at byte " + end.to_string() + ", the file has " + std::to_string(file_size_),
            places_[i], "copy or download the file again");
      expected = (tensor.offset + tensor.bytes + alignment - 1) / alignment * alignment;
      tensor.offset += start;
    }
    return true;
  }

  const Source& source_;
  std::string_view bytes_;
  std::uint64_t file_size_;
  std::uint64_t position_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  std::optional<Diagnostic> problem_;
  std::vector<std::uint64_t> places_;
};

// "model-00001-of-00003.gguf" with `number` replaced; "" when the name has no such ending.
std::string split_name(const std::string& path, std::uint64_t number, std::uint64_t count) {
  const auto digits = [](std::uint64_t n) {
    std::string text = std::to_string(n);
    return text.size() < 5 ? std::string(5 - text.size(), '0') + text : text;
  };
  const std::string ending = "-of-" + digits(count) + ".gguf";
  if (path.size() < ending.size() + 6 || path.compare(path.size() - ending.size(), ending.size(), ending) != 0)
    return {};
  return path.substr(0, path.size() - ending.size() - 5) + digits(number) + ending;
}

}  // namespace

Result<TensorFile> parse_gguf(const Source& source, std::string_view bytes, std::uint64_t file_size) {
  return GgufReader(source, bytes, file_size).read();
}

Result<TensorFile> read_gguf(Sources& sources, const std::string& path) {
  const auto read_one = [&](const std::string& name) -> Result<TensorFile> {
    Result<MappedFile> file = MappedFile::open(name);
    if (!file.ok()) return file.take_problems();
    return parse_gguf(sources.add_binary(name), file->view(), file->size());
  };
  Result<TensorFile> first = read_one(path);
  if (!first.ok()) return first;
  const MetadataValue* split = first->find("split.count");
  if (split == nullptr || split->kind != MetadataValue::Kind::integer || split->integer <= Integer(1)) return first;
  const Integer count = split->integer;
  if (count > Integer(99999)) return error("bad-count", "split.count is " + count.to_string());
  TensorFile all;
  all.container = TensorFile::Container::gguf;
  std::unordered_set<std::string_view> names;
  for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(count.to_int64()); ++i) {
    const std::string name = split_name(path, i, static_cast<std::uint64_t>(count.to_int64()));
    if (name.empty() || !path_exists(name)) {
      all.absent_files.push_back(name.empty() ? "split " + std::to_string(i) : name);
      if (name.empty()) return first;
      continue;
    }
    Result<TensorFile> part = read_one(name);
    if (!part.ok()) return part;
    for (TensorEntry& tensor : part->tensors) {
      if (!names.insert(tensor.name).second)
        return error("duplicate-key", "the tensor " + tensor.quoted() + " is in two splits, the second " + name);
      tensor.file = static_cast<std::uint32_t>(all.files.size());
      all.tensors.push_back(tensor);
    }
    all.storage.insert(all.storage.end(), part->storage.begin(), part->storage.end());
    all.files.push_back(name);
    if (all.metadata.empty() || i == 1) {
      all.metadata = std::move(part->metadata);
      all.encoded_metadata = std::move(part->encoded_metadata);
      all.encoded_count = part->encoded_count;
    }
  }
  if (!all.absent_files.empty())
    all.notes.push_back(warning("shard-missing",
                                std::to_string(all.absent_files.size()) + " of " + count.to_string() +
                                    " splits are not here, first " + all.absent_files[0],
                                {}, "their tensors are not counted"));
  return all;
}

}  // namespace floptally
