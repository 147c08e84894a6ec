// Any bytes as StableHLO.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  floptally::fuzz::read_model("fuzz.mlir", floptally::fuzz::text_of(data, size));
  return 0;
}
