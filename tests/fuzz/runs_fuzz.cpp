// Any bytes as a table of runs.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("runs.csv", fuzz::text_of(data, size));
  fuzz::answer({"tally", {"runs.csv"}, {{"worlds", {"16"}}}, {}});
  return 0;
}
