// Any bytes as JSON: no crash, and what is accepted reads back the same.
#include <cstdlib>

#include "base/sources.h"
#include "document/document.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace floptally;
  const Source source{"fuzz.json", std::string(reinterpret_cast<const char*>(data), size), false};
  if (find_invalid_utf8(source.text) != std::string::npos) return 0;
  ReadOptions options;
  options.max_nodes = 100000;
  const auto document = read_json(source, options);
  if (!document.ok()) {
    if (to_text(document.problems()).empty()) std::abort();
    return 0;
  }
  const Source again{"again.json", write_json(document->root()), false};
  const auto second = read_json(again, options);
  if (!second.ok() || write_json(second->root()) != again.text) std::abort();
  return 0;
}
