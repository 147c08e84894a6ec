// Any bytes as a table of facts in the place of the shipped one with the same first line, or of the devices (--data).
#include <filesystem>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::write("none", "");  // into the folder of this process
  std::filesystem::remove_all("data");
  const std::string path = "data/" + fuzz::table_like(text, {"hardware/", "carbon/", "audit/", "law/", "published/"},
                                                      "hardware/devices.csv");
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  fuzz::write(path, text);
  fuzz::answer({"hardware", {}, {}, "data"});
  fuzz::answer({"hardware", {"h100-sxm"}, {}, "data"});
  fuzz::answer({"audit", {"gpt-3"}, {{"worlds", {"16"}}}, "data"});
  return 0;
}
