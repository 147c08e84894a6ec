// safetensors (https://huggingface.co/docs/safetensors): 8 bytes of header length, a JSON header that maps each name to
// {"dtype", "shape", "data_offsets"}, then the data. The rules checked are the format's own: offsets in order without
// holes or overlap, sizes equal to shape times dtype, no duplicate key, the header at most 100 MB.
#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_set>

#include "base/file.h"
#include "base/parallel.h"
#include "network/tensor_file/header_json.h"
#include "network/tensor_file/name_table.h"
#include "network/tensor_file/tensor_file.h"

namespace floptally {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference reader's MAX_HEADER_SIZE
constexpr std::uint64_t kMaxIndex = 1ull << 28;
constexpr std::size_t kMaxDimensions = 32;
constexpr std::size_t kMaxProblems = 20;

// Reads one header; keeps the byte offset that a problem is reported at.
class HeaderReader {
 public:
  HeaderReader(const Source& source, std::string_view json, std::uint64_t base)
      : source_(source), json_(json), base_(base) {}

  // Fills `file`; false when there are problems. Whether a tensor's name occurs twice is looked at where `names`.
  bool read(TensorFile& file, bool names) {
    json_.expect('{');
    bool described = false;
    for (bool more = json_.first('}'); more && !full(); more = json_.next('}')) {
      std::uint64_t at = 0;
      std::string_view key;
      if (!next_key(key, at)) break;
      if (key == "__metadata__" && std::exchange(described, true)) repeated(key, at);
      if (key == "__metadata__" ? !metadata(file) : !tensor(storage_->keep(key), at, file)) break;
    }
    file.storage.push_back(storage_);
    NameTable met(names ? file.tensors.size() : 0);
    for (std::size_t i = 0; names && i < file.tensors.size() && !full(); ++i)
      if (!met.add(file.tensors[i].name)) repeated(file.tensors[i].name, places_[i]);
    if (problems_.empty() && !json_.end())
      problem("header-malformed", std::string("the header is not the JSON expected: ") + json_.problem(),
              json_.position(), 1);
    return problems_.empty();
  }

  Diagnostics take_problems() { return std::move(problems_); }
  [[nodiscard]] const std::vector<std::uint64_t>& places() const { return places_; }
  void problem(const char* code, std::string message, std::uint64_t at, std::size_t length, std::string help = {}) {
    problems_.push_back(error(code, std::move(message), {&source_, base_ + at, base_ + at + length}, std::move(help)));
  }

 private:
  [[nodiscard]] bool full() const { return problems_.size() >= kMaxProblems; }
  void repeated(std::string_view name, std::uint64_t at) {
    problem("duplicate-key", "'" + std::string(name) + "' occurs twice in the header", at, name.size() + 2);
  }

  bool next_key(std::string_view& key, std::uint64_t& at) {
    json_.peek();
    at = json_.position();
    return json_.string(key) && json_.expect(':');
  }

  bool metadata(TensorFile& file) {
    std::unordered_set<std::string> names;
    json_.expect('{');
    for (bool more = json_.first('}'); more && !full(); more = json_.next('}')) {
      std::uint64_t at = 0;
      std::string_view view;
      if (!next_key(view, at)) return false;
      std::string name(view);
      if (!json_.string(view)) return false;
      if (!names.insert(name).second)
        problem("duplicate-key", "'" + name + "' occurs twice in __metadata__", at, name.size() + 2);
      file.text_metadata.emplace_back(std::move(name), std::string(view));
    }
    return json_.ok();
  }

  bool tensor(std::string_view name, std::uint64_t at, TensorFile& file) {
    TensorEntry entry;
    entry.name = name;
    shape_.clear();
    std::string dtype;  // where it is not known
    std::uint64_t range[2] = {0, 0};
    std::size_t ends = 0;
    unsigned seen = 0;
    json_.expect('{');
    for (bool more = json_.first('}'); more && !full(); more = json_.next('}')) {
      std::uint64_t place = 0;
      std::string_view key;
      if (!next_key(key, place)) return false;
      const unsigned bit = key == "dtype" ? 1u : key == "shape" ? 2u : key == "data_offsets" ? 4u : 0u;
      if ((seen & bit) != 0)
        problem("duplicate-key", "'" + std::string(key) + "' occurs twice in '" + std::string(name) + "'", place,
                key.size() + 2);
      seen |= bit;
      std::string_view text;
      if (bit == 0) {
        if (!json_.skip_value()) return false;
      } else if (bit == 1) {
        if (!json_.string(text)) return false;
        entry.type = find_safetensors_type(text);
        if (entry.type == nullptr) dtype = text;
      } else if (!numbers(name, bit == 4, place, range, ends)) {
        return false;
      }
    }
    if (!json_.ok()) return false;
    entry.shape = storage_->keep(shape_);
    return finish(entry, at, dtype, seen, range, ends, file);
  }

  // The array of `shape` or of `data_offsets`.
  bool numbers(std::string_view name, bool offsets, std::uint64_t place, std::uint64_t (&range)[2], std::size_t& ends) {
    if (!json_.expect('[')) return false;
    for (bool more = json_.first(']'); more; more = json_.next(']')) {
      std::uint64_t number = 0;
      if (!json_.unsigned_number(number)) return false;
      if (offsets) {
        if (ends < 2) range[ends] = number;
        ++ends;
      } else if (number > INT64_MAX || shape_.size() >= kMaxDimensions) {
        problem("bad-shape", "'" + std::string(name) + "' has a dimension or a rank that is too large", place, 7);
        return false;
      } else {
        shape_.push_back(static_cast<std::int64_t>(number));
      }
    }
    return json_.ok();
  }

  bool finish(TensorEntry entry, std::uint64_t at, const std::string& dtype, unsigned seen,
              const std::uint64_t (&range)[2], std::size_t ends, TensorFile& file) {
    const std::size_t width = entry.name.size() + 2;
    if (seen != 7 || ends != 2) {
      problem("header-malformed", entry.quoted() + " needs dtype, shape and data_offsets [begin, end]", at, width);
      return true;
    }
    if (entry.type == nullptr) {
      problem("unknown-dtype", entry.quoted() + " has the unknown dtype '" + dtype.substr(0, 40) + "'", at, width,
              "known are F64, F32, F16, BF16, F8_E4M3, F8_E5M2, F8_E8M0, F6_E2M3, F6_E3M2, F4, I64 to I8, U64 to U8, "
              "BOOL, C64");
      return true;
    }
    if (range[0] > range[1]) {
      problem("bad-offsets",
              entry.quoted() + " ends before it begins: [" + std::to_string(range[0]) + ", " +
                  std::to_string(range[1]) + "]",
              at, width);
      return true;
    }
    const Integer expected = tensor_bytes(*entry.type, entry.shape);
    if (!expected.valid() || expected != Integer(range[1] - range[0])) {
      problem(
          "tensor-size",
          entry.quoted() + " holds " + std::to_string(range[1] - range[0]) + " bytes, its shape and dtype need " +
              (expected.valid() ? expected.to_string() : std::string("more than a file can hold, or no whole byte")),
          at, width);
      return true;
    }
    entry.offset = range[0];
    entry.bytes = range[1] - range[0];
    file.tensors.push_back(entry);
    places_.push_back(at);
    return true;
  }

  const Source& source_;
  JsonCursor json_;
  std::uint64_t base_;
  Diagnostics problems_;
  std::vector<std::uint64_t> places_;  // of each tensor's key
  std::vector<std::int64_t> shape_;    // of the tensor being read
  std::shared_ptr<TensorStorage> storage_ = std::make_shared<TensorStorage>();
};

// Offsets must tile the data area: sorted by begin, each starts where the one before ended.
void check_tiling(TensorFile& file, HeaderReader& reader, std::uint64_t data_bytes) {
  std::vector<std::size_t> order(file.tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto before = [&](std::size_t a, std::size_t b) {
    const TensorEntry& x = file.tensors[a];
    const TensorEntry& y = file.tensors[b];
    return x.offset != y.offset ? x.offset < y.offset : x.bytes != y.bytes ? x.bytes < y.bytes : a < b;
  };
  const bool in_order = std::is_sorted(order.begin(), order.end(), before);
  if (!in_order) std::sort(order.begin(), order.end(), before);
  std::uint64_t position = 0;
  std::size_t previous = 0;
  std::size_t found = 0;
  for (const std::size_t i : order) {
    const TensorEntry& tensor = file.tensors[i];
    const std::size_t width = tensor.name.size() + 2;
    if (tensor.offset < position && tensor.bytes > 0) {
      reader.problem("tensors-overlap",
                     tensor.quoted() + " begins at byte " + std::to_string(tensor.offset) + " of the data, inside " +
                         file.tensors[previous].quoted() + ", which ends at " + std::to_string(position),
                     reader.places()[i], width);
      ++found;
    } else if (tensor.offset > position) {
      reader.problem("tensor-gap",
                     "bytes " + std::to_string(position) + " to " + std::to_string(tensor.offset) +
                         " of the data belong to no tensor; " + tensor.quoted() + " comes after the hole",
                     reader.places()[i], width);
      ++found;
    }
    if (found >= kMaxProblems) return;
    if (tensor.offset + tensor.bytes >= position) {
      position = tensor.offset + tensor.bytes;
      previous = i;
    }
  }
  if (found == 0 && position > data_bytes)
    reader.problem("data-truncated",
                   "the header describes " + std::to_string(position) + " bytes of data, the file has " +
                       std::to_string(data_bytes),
                   order.empty() ? 0 : reader.places()[previous],
                   file.tensors.empty() ? 0 : file.tensors[previous].name.size() + 2,
                   "copy or download the file again");
  if (found == 0 && position < data_bytes)
    reader.problem("tensor-gap",
                   "the last " + std::to_string(data_bytes - position) + " bytes of the file belong to no tensor", 0,
                   1);
  if (in_order) return;
  std::vector<TensorEntry> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) sorted.push_back(file.tensors[i]);
  file.tensors = std::move(sorted);
}

Result<TensorFile> parse(const Source& source, std::string_view bytes, std::uint64_t file_size, bool names) {
  const auto at = [&](std::uint64_t begin, std::uint64_t end) { return Span{&source, begin, end}; };
  if (bytes.size() < 8)
    return error("header-truncated",
                 "'" + source.name + "' has " + std::to_string(bytes.size()) +
                     " bytes; a safetensors file starts with an 8-byte header length",
                 at(0, bytes.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);  // little-endian, as every machine this is built for
  if (length > kMaxHeader)
    return error("header-too-large",
                 "the header claims " + std::to_string(length) + " bytes; the format allows 100,000,000", at(0, 8));
  if (length > file_size - 8 || length > bytes.size() - 8)
    return error("header-truncated",
                 "the header claims " + std::to_string(length) + " bytes, the file has " +
                     std::to_string(file_size - 8) + " after the length",
                 at(0, 8), "copy or download the file again");
  const std::string_view header = bytes.substr(8, length);
  if (header.empty() || header[0] != '{') return error("header-malformed", "the header must start with '{'", at(8, 9));
  TensorFile file;
  file.files.push_back(source.name);
  HeaderReader reader(source, header, 8);
  file.tensors.reserve(length / 160);  // about as long as an entry is
  if (reader.read(file, names)) check_tiling(file, reader, file_size - 8 - length);
  Diagnostics problems = reader.take_problems();
  if (!problems.empty()) return problems;
  for (TensorEntry& tensor : file.tensors) tensor.offset += 8 + length;
  std::sort(file.text_metadata.begin(), file.text_metadata.end());
  return file;
}

}  // namespace

Result<TensorFile> parse_safetensors(const Source& source, std::string_view bytes, std::uint64_t file_size) {
  return parse(source, bytes, file_size, true);
}

Result<TensorFile> read_safetensors(Sources& sources, const std::string& path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file.ok()) return file.take_problems();
  return parse_safetensors(sources.add_binary(path), file->view(), file->size());
}

namespace {

struct Index {
  std::optional<Integer> total_bytes;
  std::vector<std::string_view> names;  // of tensors, each once: views of the text, or of `escaped`
  std::vector<std::uint32_t> shard;     // of each of them
  std::deque<std::string> escaped;      // names with escapes in them
  std::vector<std::string> shards;      // in order of first mention

  [[nodiscard]] NameTable table() const {
    NameTable all(names.size());
    for (const std::string_view name : names) all.add(name);
    return all;
  }
};

// A shard is a plain file name beside the index; anything else could climb out of the folder.
bool plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

class IndexReader {
 public:
  IndexReader(const Source& source, std::string_view text) : source_(source), json_(text) {}

  Result<Index> read() {
    bool mapped = false;
    json_.expect('{');
    for (bool more = json_.first('}'); more && !problem_; more = json_.next('}')) {
      std::string_view key;
      if (!json_.string(key) || !json_.expect(':')) break;
      if (key == "weight_map") {
        if (mapped) problem_ = at("duplicate-key", "'weight_map' occurs twice in the index");
        mapped = true;
        weights();
      } else if (key == "metadata" && json_.peek() == '{') {
        metadata();
      } else {
        json_.skip_value();
      }
    }
    if (problem_) return *std::move(problem_);
    if (!json_.end())
      return at("header-malformed", std::string("the index is not the JSON expected: ") + json_.problem());
    if (!mapped)
      return error("header-malformed", "the index has no 'weight_map'", {&source_, 0, 1},
                   "an index is {\"metadata\": {...}, \"weight_map\": {\"tensor\": \"file.safetensors\"}}");
    if (!sorted_) find_duplicate();
    if (problem_) return *std::move(problem_);
    return std::move(index_);
  }

 private:
  Diagnostic at(const char* code, std::string message) {
    return error(code, std::move(message), {&source_, json_.position(), json_.position() + 1});
  }

  void metadata() {
    json_.expect('{');
    for (bool more = json_.first('}'); more; more = json_.next('}')) {
      std::string_view key;
      std::uint64_t total = 0;
      if (!json_.string(key) || !json_.expect(':')) return;
      const char c = json_.peek();
      if (key != "total_size" || c < '0' || c > '9') {
        json_.skip_value();
      } else {
        const std::uint64_t begin = json_.position();
        json_.skip_value();
        JsonCursor again(json_.text().substr(begin, json_.position() - begin));  // "1.2e9" is left aside, not an error
        if (again.unsigned_number(total)) index_.total_bytes = Integer(total);
      }
    }
  }

  void weights() {
    index_.names.reserve(json_.text().size() / 80);  // about as long as an entry is
    index_.shard.reserve(json_.text().size() / 80);
    json_.expect('{');
    for (bool more = json_.first('}'); more && !problem_; more = json_.next('}')) {
      std::string_view view;
      if (!json_.string(view)) return;
      const bool plain = view.data() >= json_.text().data() && view.data() <= json_.text().data() + json_.text().size();
      const std::string_view tensor = plain ? view : std::string_view(index_.escaped.emplace_back(view));
      if (!json_.expect(':') || !json_.string(view)) return;
      std::uint32_t shard = index_.shard.empty() ? NameTable::kNone : index_.shard.back();
      if (shard == NameTable::kNone || index_.shards[shard] != view) shard = shard_called(view, tensor);
      if (problem_) return;
      sorted_ = sorted_ && (index_.names.empty() || index_.names.back() < tensor);
      index_.names.push_back(tensor);
      index_.shard.push_back(shard);
    }
  }

  // Names in order, as they usually are, are each there once.
  void find_duplicate() {
    NameTable met(index_.names.size());
    for (const std::string_view name : index_.names)
      if (!met.add(name)) {
        problem_ = at("duplicate-key", "'" + std::string(name) + "' occurs twice in the index");
        return;
      }
  }

  std::uint32_t shard_called(std::string_view name, std::string_view tensor) {
    if (const std::uint32_t known = shards_.find(name); known != NameTable::kNone) return known;
    if (!plain_name(name)) {
      problem_ = at("shard-outside", "the index sends '" + std::string(tensor) + "' to '" +
                                         std::string(name.substr(0, 100)) + "', which is not a file name beside it");
      problem_->help = "shards lie in the same folder as the index";
      return 0;
    }
    shards_.add(shard_names_.emplace_back(name));
    index_.shards.emplace_back(name);
    return shards_.size() - 1;
  }

  NameTable shards_;
  std::deque<std::string> shard_names_;
  const Source& source_;
  JsonCursor json_;
  Index index_;
  bool sorted_ = true;
  std::optional<Diagnostic> problem_;
};

// One shard, and for each of its tensors which name of the index it is.
struct Shard {
  std::string path;
  const Source* source = nullptr;
  std::optional<Result<TensorFile>> file;
  std::vector<std::uint32_t> expected;  // the names that the index says it holds
  std::vector<std::uint32_t> names;     // of each tensor; kNone: it is not among the expected
};

void read_shard(Shard& shard, bool names) {
  Result<MappedFile> mapped = MappedFile::open(shard.path);
  shard.file.emplace(mapped.ok() ? parse(*shard.source, mapped->view(), mapped->size(), names)
                                 : Result<TensorFile>(mapped.take_problems()));
}

void find_names(Shard& shard, const Index& index) {
  if (!shard.file->ok()) return;
  NameTable tensors((*shard.file)->tensors.size());
  bool once = true;
  for (const TensorEntry& tensor : (*shard.file)->tensors) once = tensors.add(tensor.name) && once;
  if (!once) return read_shard(shard, true);
  shard.names.assign(tensors.size(), NameTable::kNone);
  for (const std::uint32_t name : shard.expected)
    if (const std::uint32_t tensor = tensors.find(index.names[name]); tensor != NameTable::kNone)
      shard.names[tensor] = name;
}

// The shards that lie beside an index, as far as their names tell: read while the index is.
std::vector<Shard> likely_shards(Sources& sources, const std::string& path) {
  std::vector<Shard> shards;
  const std::size_t slash = path.rfind('/');
  for (const std::string& name : list_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1)))
    if (name.ends_with(".safetensors") && name.find("-of-") != std::string::npos) {
      shards.push_back({resolve_beside(path, name), nullptr, std::nullopt, {}, {}});
      shards.back().source = &sources.add_binary(shards.back().path);
    }
  return shards;
}

// Reports names that differ between the index and the shards, and adds the tensors of shards that are not here.
// `place`: of each shard of the index in all.files, or kNone; `names`: of each tensor, as found in its shard.
void reconcile_index(const Index& index, const std::string& path, const std::vector<std::uint32_t>& place,
                     std::vector<std::uint32_t> names, TensorFile& all, Diagnostics& problems) {
  if (std::find(names.begin(), names.end(), NameTable::kNone) != names.end()) {  // the index may have it elsewhere
    const NameTable table = index.table();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == NameTable::kNone) names[i] = table.find(all.tensors[i].name);
  }
  std::vector<bool> met(index.names.size(), false);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const TensorEntry& tensor = all.tensors[i];
    if (names[i] == NameTable::kNone || met[names[i]])
      all.notes.push_back(
          warning("index-extra", tensor.quoted() + " is in " + all.files[tensor.file] + " but not in " + path));
    else if (place[index.shard[names[i]]] != tensor.file)
      problems.push_back(error("index-mismatch", path + " says " + tensor.quoted() + " is in " +
                                                     index.shards[index.shard[names[i]]] + ", it is in " +
                                                     all.files[tensor.file]));
    if (names[i] != NameTable::kNone) met[names[i]] = true;
    if (problems.size() >= kMaxProblems || all.notes.size() >= kMaxProblems) break;
  }
  if (!problems.empty() || all.notes.size() >= kMaxProblems) return;
  const auto storage = std::make_shared<TensorStorage>();
  all.storage.push_back(storage);
  for (std::uint32_t i = 0; i < index.names.size(); ++i) {
    if (met[i]) continue;
    const std::string_view name = index.names[i];
    if (place[index.shard[i]] != NameTable::kNone) {
      problems.push_back(error("tensor-missing", path + " names '" + std::string(name) + "', which is not in " +
                                                     index.shards[index.shard[i]]));
      if (problems.size() >= kMaxProblems) return;
    } else {
      TensorEntry unknown;
      unknown.name = storage->keep(name);
      all.tensors.push_back(unknown);
    }
  }
}

// The shards of the index that are here, those that are read already among them, each with the names it should hold.
// `place`: of each shard of the index in the result, or kNone.
std::vector<Shard> shards_here(const Index& index, Sources& sources, const std::string& path, std::vector<Shard> likely,
                               std::vector<std::uint32_t>& place, std::vector<std::string>& absent) {
  NameTable early_paths(likely.size());
  std::deque<std::string> paths;  // the shards move, their paths stay
  for (const Shard& shard : likely) early_paths.add(paths.emplace_back(shard.path));
  std::vector<Shard> shards;
  place.assign(index.shards.size(), NameTable::kNone);
  for (std::size_t i = 0; i < index.shards.size(); ++i) {
    std::string shard = resolve_beside(path, index.shards[i]);
    const std::uint32_t early = early_paths.find(shard);
    if (early == NameTable::kNone && !path_exists(shard)) {
      absent.push_back(index.shards[i]);
      continue;
    }
    place[i] = static_cast<std::uint32_t>(shards.size());
    if (early != NameTable::kNone)
      shards.push_back(std::move(likely[early]));  // an index mentions a shard once in its list
    else
      shards.push_back({shard, &sources.add_binary(shard), std::nullopt, {}, {}});
  }
  for (std::uint32_t i = 0; i < index.names.size(); ++i)
    if (const std::uint32_t shard = place[index.shard[i]]; shard != NameTable::kNone)
      shards[shard].expected.push_back(i);
  return shards;
}

// The tensors of all shards one after the other; gives of each which name of the index it is.
std::vector<std::uint32_t> join(std::vector<Shard>& shards, TensorFile& all, Diagnostics& problems) {
  std::size_t count = 0;
  for (const Shard& shard : shards) count += shard.names.size();
  std::vector<std::uint32_t> names;
  names.reserve(count);
  all.tensors.reserve(count);
  for (Shard& shard : shards) {
    if (!shard.file->ok()) {
      for (Diagnostic& problem : shard.file->take_problems()) problems.push_back(std::move(problem));
      continue;
    }
    TensorFile& part = **shard.file;
    for (TensorEntry& tensor : part.tensors) {
      tensor.file = static_cast<std::uint32_t>(all.files.size());
      all.tensors.push_back(tensor);
    }
    names.insert(names.end(), shard.names.begin(), shard.names.end());
    all.storage.insert(all.storage.end(), part.storage.begin(), part.storage.end());
    all.files.push_back(shard.path);
    if (all.text_metadata.empty()) all.text_metadata = std::move(part.text_metadata);
  }
  return names;
}

}  // namespace

Result<TensorFile> read_safetensors_index(Sources& sources, const std::string& path) {
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped.ok()) return mapped.take_problems();
  if (mapped->size() > kMaxIndex)
    return error("header-too-large",
                 "'" + path + "' has " + std::to_string(mapped->size()) + " bytes; an index has at most 2^28");
  const Source& source = sources.add_binary(path);
  std::vector<Shard> likely = likely_shards(sources, path);
  std::optional<Result<Index>> index_read;
  parallel_for(likely.size() + 1, threads_for(likely.size() + 1), [&](std::size_t i, unsigned) {
    if (i == 0)
      index_read.emplace(IndexReader(source, mapped->view()).read());
    else
      read_shard(likely[i - 1], false);
  });
  Result<Index>& index = *index_read;
  if (!index.ok()) return index.take_problems();
  TensorFile all;
  all.declared_bytes = index->total_bytes;
  std::vector<std::uint32_t> place;
  std::vector<Shard> shards = shards_here(*index, sources, path, std::move(likely), place, all.absent_files);
  parallel_for(shards.size(), threads_for(shards.size()), [&](std::size_t i, unsigned) {
    if (!shards[i].file) read_shard(shards[i], false);
    find_names(shards[i], *index);
  });
  Diagnostics problems;
  std::vector<std::uint32_t> names = join(shards, all, problems);
  if (!problems.empty()) return problems;
  reconcile_index(*index, path, place, std::move(names), all, problems);
  if (!problems.empty()) return problems;
  if (!all.absent_files.empty())
    all.notes.push_back(warning("shard-missing",
                                std::to_string(all.absent_files.size()) + " of " +
                                    std::to_string(index->shards.size()) + " shards named by " + path +
                                    " are not here, first " + all.absent_files[0],
                                {}, "their tensors are known by name only"));
  else if (const Integer bytes = all.bytes(); all.declared_bytes && *all.declared_bytes != bytes)
    all.notes.push_back(warning("index-size", path + " declares " + all.declared_bytes->to_string() +
                                                  " bytes, the shards hold " + bytes.to_string()));
  return all;
}

}  // namespace floptally
