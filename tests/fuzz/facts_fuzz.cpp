// Any bytes as a table of facts in the place of the shipped one with the same first line, or of the devices (--data).
#include <algorithm>
#include <filesystem>

#include "base/embedded.h"
#include "fuzz.h"

namespace {

std::string_view first_line(std::string_view text) {
  while (text.starts_with('#')) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

std::string table_of(std::string_view text) {
  for (const char* room : {"hardware/", "carbon/", "audit/", "law/", "published/"})
    for (const std::string_view path : floptally::embedded_files(room))
      if (first_line(*floptally::embedded_file(path)) == first_line(text)) return std::string(path);
  return "hardware/devices.csv";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::write("none", "");  // into the folder of this process
  std::filesystem::remove_all("data");
  const std::string path = "data/" + table_of(text);
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  fuzz::write(path, text);
  fuzz::answer({"hardware", {}, {}, "data"});
  fuzz::answer({"hardware", {"h100-sxm"}, {}, "data"});
  fuzz::answer({"audit", {"gpt-3"}, {{"worlds", {"16"}}}, "data"});
  return 0;
}
