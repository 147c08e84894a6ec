// Any bytes as a training run.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("run.yaml", fuzz::text_of(data, size));
  fuzz::answer({"train", {"run.yaml"}, {}, {}});
  return 0;
}
