// Any bytes as a TFLite model.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  floptally::fuzz::read_model("fuzz.tflite", floptally::fuzz::text_of(data, size));
  return 0;
}
