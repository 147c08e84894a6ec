// Any bytes as a plan or a sweep.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("plan.yaml", fuzz::text_of(data, size));
  fuzz::answer({"tally", {"plan.yaml"}, {{"worlds", {"16"}}}, {}});
  return 0;
}
