// Any bytes as a GGUF file; every tensor that is accepted lies inside it.
#include <cstdlib>

#include "fuzz.h"
#include "network/tensor_file/tensor_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view bytes = fuzz::text_of(data, size);
  Sources sources;
  const auto file = parse_gguf(sources.add_binary("fuzz.gguf"), bytes, size);
  if (!file.ok()) {
    fuzz::show(file.problems());
    return 0;
  }
  for (const TensorEntry& tensor : file->tensors)
    if (tensor.offset > size || tensor.bytes > size - tensor.offset) std::abort();
  fuzz::read_model("fuzz.gguf", bytes);
  return 0;
}
