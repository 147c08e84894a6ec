// Any bytes as a PyTorch export: an archive, or the program inside one.
#include <zlib.h>

#include "fuzz.h"

namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value);
}

// A zip of one file, stored.
std::string archive_of(std::string_view name, std::string_view text) {
  std::string facts;  // shared by the file's head and the directory
  put(facts, 20, 4);
  put(facts, 0, 6);
  put(facts, ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())), 4);
  put(facts, text.size(), 4);
  put(facts, text.size(), 4);
  put(facts, name.size(), 2);
  put(facts, 0, 2);
  std::string out = "PK\x03\x04";
  out.append(facts).append(name).append(text);
  const std::size_t directory = out.size();
  out += "PK\x01\x02";
  put(out, 20, 2);
  out += facts;
  put(out, 0, 14);
  out += name;
  const std::size_t end = out.size();
  out += "PK\x05\x06";
  put(out, 0, 4);
  put(out, 1, 2);
  put(out, 1, 2);
  put(out, end - directory, 4);
  put(out, directory, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view bytes = fuzz::text_of(data, size);
  fuzz::read_model("fuzz.pt2", bytes.starts_with("PK") ? std::string(bytes) : archive_of("models/model.json", bytes));
  return 0;
}
