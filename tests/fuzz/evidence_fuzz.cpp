// Any bytes as a table of measured or published runs, gzipped or not.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("rows.csv", fuzz::text_of(data, size));
  fuzz::answer({"evidence", {"rows.csv"}, {{"rows", {}}}, {}});
  return 0;
}
