// safetensors and GGUF headers: what is read, and that every malformed header is refused with its place.
#include "network/tensor_file/tensor_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace floptally {
namespace {

std::string safetensors(const std::string& header, std::size_t data) {
  std::uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + std::string(data, '\1');
}

Result<TensorFile> parse(const std::string& bytes) {
  static Sources sources;
  const Source& source = sources.add_binary("t.safetensors");
  return parse_safetensors(source, bytes, bytes.size());
}

std::string code_of(const Result<TensorFile>& result) { return result.ok() ? "ok" : result.problems()[0].code; }

TEST(Safetensors, ReadsNamesShapesTypesAndPlaces) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[16,28]},)"
      R"("a\u00e9":{"data_offsets":[0,16],"shape":[4],"dtype":"F32"},"s":{"dtype":"I64","shape":[],"data_offsets":[28,36]}})";
  const Result<TensorFile> file = parse(safetensors(header, 36));
  ASSERT_TRUE(file.ok()) << to_text(file.problems());
  ASSERT_EQ(file->tensors.size(), 3u);
  EXPECT_EQ(file->tensors[0].name, "a\u00e9");
  EXPECT_EQ(file->tensors[0].offset, 8 + header.size());
  EXPECT_EQ(file->tensors[1].type->name, "bf16");
  EXPECT_TRUE(std::ranges::equal(file->tensors[1].shape, std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file->parameters().to_string(), "11");
  EXPECT_EQ(file->bytes().to_string(), "36");
  EXPECT_EQ(file->text_metadata[0].second, "pt");
}

TEST(Safetensors, RefusesWhatTheFormatForbids) {
  const auto tensor = [](const char* name, const char* dtype, const char* shape, int begin, int end) {
    return std::string("\"") + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  const auto header = [](const std::string& body) { return "{" + body + "}"; };
  const std::string a = tensor("a", "F32", "[2]", 0, 8);
  EXPECT_EQ(code_of(parse("")), "header-truncated");
  EXPECT_EQ(code_of(parse("1234567")), "header-truncated");
  EXPECT_EQ(code_of(parse(std::string(8, '\xff'))), "header-too-large");
  EXPECT_EQ(code_of(parse(safetensors(header(a), 8).substr(0, 30))), "header-truncated");
  EXPECT_EQ(code_of(parse(safetensors("", 0))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors("[]", 0))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors("{\"a\":", 0))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors(header(a) + "x", 8))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors(header(a), 7))), "data-truncated");
  EXPECT_EQ(code_of(parse(safetensors(header(a), 9))), "tensor-gap");
  EXPECT_EQ(code_of(parse(safetensors(header(a + "," + a), 8))), "duplicate-key");
  EXPECT_EQ(code_of(parse(safetensors(header(a + "," + tensor("b", "F32", "[1]", 12, 16)), 16))), "tensor-gap");
  EXPECT_EQ(code_of(parse(safetensors(header(a + "," + tensor("b", "F32", "[2]", 4, 12)), 12))), "tensors-overlap");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F31", "[2]", 0, 8)), 8))), "unknown-dtype");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[3]", 0, 8)), 8))), "tensor-size");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[2]", 8, 0)), 8))), "bad-offsets");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[-2]", 0, 8)), 8))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[4294967296,4294967296,4294967296]", 0, 0)), 0))),
            "tensor-size");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[9223372036854775808]", 0, 8)), 8))), "bad-shape");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("a", "F32", "[1e1]", 0, 40)), 40))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8))),
            "duplicate-key");
  EXPECT_EQ(code_of(parse(safetensors(R"({"a":{"dtype":"F32","shape":[2]}})", 8))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors(R"({"__metadata__":{"a":1}})", 0))), "header-malformed");
  EXPECT_EQ(code_of(parse(safetensors("{}", 0))), "ok");
  EXPECT_EQ(code_of(parse(safetensors(header(tensor("empty", "F32", "[0,7]", 0, 0) + "," + a), 8))), "ok");
  EXPECT_EQ(code_of(parse(safetensors("{\"a\":" + std::string(100000, '[') + "}", 0))), "header-malformed");
}

TEST(Safetensors, AProblemKnowsItsByte) {
  const Result<TensorFile> file = parse(safetensors(
      R"({"ok":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"Q","shape":[1],"data_offsets":[8,9]}})",
      9));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.problems()[0].labels[0].span.begin, 8u + 55u);
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("floptally-tensor-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(SafetensorsIndex, JoinsShardsAndReportsWhatDiffers) {
  const Folder folder;
  folder.write("m-1.safetensors", safetensors(R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", 8));
  folder.write("m-2.safetensors", safetensors(R"({"b":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4));
  const std::string index =
      folder.write("model.safetensors.index.json",
                   R"({"metadata":{"total_size":12},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})");
  Sources sources;
  const Result<TensorFile> whole = read_tensor_file(sources, folder.path());
  ASSERT_TRUE(whole.ok()) << to_text(whole.problems());
  EXPECT_EQ(whole->parameters().to_string(), "6");
  EXPECT_TRUE(whole->notes.empty());
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors","b":"m-3.safetensors"}})");
  const Result<TensorFile> absent = read_tensor_file(sources, index);
  ASSERT_TRUE(absent.ok());
  EXPECT_EQ(absent->absent_files.size(), 1u);
  EXPECT_EQ(absent->tensors.back().type, nullptr);
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors","c":"m-2.safetensors"}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "tensor-missing");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"b":"m-2.safetensors","a":"m-1.safetensors"}})");
  EXPECT_TRUE(read_tensor_file(sources, index).ok());  // in any order
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors"}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "index-mismatch");
  folder.write("model.safetensors.index.json",
               R"({"weight_map":{"b":"m-2.safetensors","a":"m-1.safetensors","b":"m-1.safetensors"}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "duplicate-key");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors"}})");
  const Result<TensorFile> alone = read_tensor_file(sources, index);
  ASSERT_TRUE(alone.ok());
  EXPECT_TRUE(alone->notes.empty());  // a shard that the index does not name is not read
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"../m-1.safetensors"}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "shard-outside");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors","a":"m-1.safetensors"}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "duplicate-key");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors",}})");
  EXPECT_EQ(code_of(read_tensor_file(sources, index)), "header-malformed");
}

// A GGUF file put together field by field.
class Gguf {
 public:
  template <class T>
  Gguf& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Gguf& text(const std::string& s) {
    put<std::uint64_t>(s.size());
    bytes_ += s;
    return *this;
  }
  Gguf& head(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    bytes_ = "GGUF";
    return put(version).put(tensors).put(keys);
  }
  Gguf& tensor(const std::string& name, std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t offset) {
    text(name).put<std::uint32_t>(static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t size : shape) put(size);
    return put(type).put(offset);
  }
  Gguf& data(std::size_t count) {
    bytes_.resize((bytes_.size() + 31) / 32 * 32);
    bytes_.append(count, '\0');
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

Result<TensorFile> parse(const Gguf& gguf) {
  static Sources sources;
  return parse_gguf(sources.add_binary("t.gguf"), gguf.bytes(), gguf.bytes().size());
}

TEST(Gguf, ReadsMetadataAndTensors) {
  Gguf gguf;
  gguf.head(2, 3).text("general.architecture").put<std::uint32_t>(8).text("llama");
  gguf.text("llama.block_count").put<std::uint32_t>(4).put<std::uint32_t>(32);
  gguf.text("counts")
      .put<std::uint32_t>(9)
      .put<std::uint32_t>(5)
      .put<std::uint64_t>(2)
      .put<std::int32_t>(8)
      .put<std::int32_t>(-1);
  gguf.tensor("blk.0.attn_q.weight", {64, 2}, 2, 0).tensor("norm", {5}, 0, 96).data(96 + 20);
  const Result<TensorFile> file = parse(gguf);
  ASSERT_TRUE(file.ok()) << to_text(file.problems());
  EXPECT_EQ(file->find("general.architecture")->text, "llama");
  EXPECT_EQ(file->find("llama.block_count")->integer.to_string(), "32");
  EXPECT_EQ(file->find("counts")->elements, (std::vector<double>{8, -1}));
  EXPECT_TRUE(std::ranges::equal(file->tensors[0].shape, std::vector<std::int64_t>{2, 64}));
  EXPECT_EQ(file->tensors[0].bytes, 72u);
  EXPECT_EQ(file->tensors[1].offset + 20, gguf.bytes().size());
  EXPECT_EQ(file->parameters().to_string(), "133");
}

TEST(Gguf, RefusesHostileHeadersAtOnce) {
  const std::uint64_t huge = 1ull << 60;
  EXPECT_EQ(code_of(parse(Gguf().head(huge, 0))), "bad-count");
  EXPECT_EQ(code_of(parse(Gguf().head(0, huge))), "bad-count");
  EXPECT_EQ(code_of(parse(Gguf().head(0, 0, 1))), "gguf-version");
  EXPECT_EQ(code_of(parse(Gguf().head(0, 0, 0x03000000))), "gguf-version");
  EXPECT_EQ(code_of(parse(Gguf().head(0, 1).put(huge).data(64))), "bad-length");
  EXPECT_EQ(code_of(parse(Gguf().head(0, 1).text("k").put<std::uint32_t>(9).put<std::uint32_t>(4).put(huge).data(64))),
            "bad-count");
  EXPECT_EQ(code_of(parse(Gguf().head(0, 1).text("k").put<std::uint32_t>(77).data(64))), "bad-value");
  EXPECT_EQ(code_of(parse(Gguf().head(1, 0).tensor("t", {3}, 999, 0).data(64))), "unknown-dtype");
  EXPECT_EQ(code_of(parse(Gguf().head(1, 0).tensor("t", {33}, 2, 0).data(64))), "tensor-size");
  EXPECT_EQ(code_of(parse(Gguf().head(1, 0).tensor("t", {huge, huge, huge}, 0, 0).data(64))), "tensor-size");
  EXPECT_EQ(code_of(parse(Gguf().head(1, 0).tensor("t", {64}, 0, 0).data(64))), "data-truncated");
  EXPECT_EQ(code_of(parse(Gguf().head(1, 0).tensor("t", {4}, 0, 32).data(64))), "tensor-gap");
  EXPECT_EQ(code_of(parse(Gguf().head(2, 0).tensor("t", {16}, 0, 0).tensor("u", {4}, 0, 32).data(128))),
            "tensors-overlap");
  EXPECT_EQ(code_of(parse(Gguf().head(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64))), "duplicate-key");
  Gguf nested;
  nested.head(0, 1).text("k").put<std::uint32_t>(9);
  for (int i = 0; i < 50; ++i) nested.put<std::uint32_t>(9).put<std::uint64_t>(1);
  EXPECT_EQ(code_of(parse(nested.data(64))), "nested-too-deep");
}

TEST(TensorFileProperty, MutatedFilesNeverCrashAndNeverLieOutsideTheFile) {
  Gguf gguf;
  gguf.head(2, 2).text("general.architecture").put<std::uint32_t>(8).text("llama");
  gguf.text("a").put<std::uint32_t>(9).put<std::uint32_t>(8).put<std::uint64_t>(2).text("x").text("y");
  gguf.tensor("t", {64, 2}, 2, 0).tensor("u", {5}, 0, 96).data(96 + 20);
  const std::string seeds[] = {
      gguf.bytes(),
      safetensors(
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[3],"data_offsets":[8,11]}})",
          11)};
  std::mt19937_64 random(1);
  static Sources sources;
  const Source& source = sources.add_binary("m");
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = seeds[i % 2];
    for (std::uint64_t k = random() % 4 + 1; k > 0; --k) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    const Result<TensorFile> file =
        i % 2 == 0 ? parse_gguf(source, bytes, bytes.size()) : parse_safetensors(source, bytes, bytes.size());
    if (!file.ok()) {
      ASSERT_FALSE(file.problems().empty());
      continue;
    }
    for (const TensorEntry& tensor : file->tensors) {
      ASSERT_LE(tensor.offset, bytes.size());
      ASSERT_LE(tensor.bytes, bytes.size() - tensor.offset);
    }
  }
}

}  // namespace
}  // namespace floptally
