// Arbitrary bytes as a GGUF file: no crash, and every tensor that is accepted lies inside the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/tensor_file/tensor_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  floptally::Sources sources;
  const floptally::Source& source = sources.add_binary("fuzz.gguf");
  const auto file = floptally::parse_gguf(source, {reinterpret_cast<const char*>(data), size}, size);
  if (!file.ok()) {
    if (file.problems().empty() || floptally::to_text(file.problems()).empty()) std::abort();
    return 0;
  }
  for (const floptally::TensorEntry& tensor : file->tensors)
    if (tensor.offset > size || tensor.bytes > size - tensor.offset) std::abort();
  return 0;
}
