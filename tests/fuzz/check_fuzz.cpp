// Any bytes as a published account.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  fuzz::write("account.yaml", fuzz::text_of(data, size));
  fuzz::answer({"check", {"account.yaml"}, {}, {}});
  return 0;
}
