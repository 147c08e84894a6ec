// Any bytes as a run known from outside.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("run.yaml", fuzz::text_of(data, size));
  fuzz::answer({"audit", {"run.yaml"}, {{"worlds", {"16"}}}, {}});
  return 0;
}
