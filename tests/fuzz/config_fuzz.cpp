// Any bytes as a config.json.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  floptally::fuzz::read_model("config.json", floptally::fuzz::text_of(data, size));
  return 0;
}
