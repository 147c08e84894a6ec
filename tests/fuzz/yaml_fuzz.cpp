// Any bytes as YAML: no crash, spans inside the file, problems that can be shown.
#include <cstdlib>

#include "base/sources.h"
#include "document/document.h"

namespace {
void walk(const floptally::Node& node, std::size_t size, int& budget) {
  if (--budget < 0) return;
  if (node.span().begin > node.span().end || node.span().end > size) std::abort();
  if (node.is_scalar()) {
    (void)node.as_double();
    (void)node.as_integer();
    (void)node.text();
  }
  for (const floptally::Node child : node) {
    if (node.is_mapping() && !node.find(child.key())) std::abort();
    walk(child, size, budget);
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace floptally;
  const Source source{"fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size), false};
  if (find_invalid_utf8(source.text) != std::string::npos) return 0;
  ReadOptions options;
  options.max_nodes = 100000;
  const auto document = read_yaml(source, options);
  if (!document.ok()) {
    if (to_text(document.problems()).empty()) std::abort();
    return 0;
  }
  int budget = 100000;
  walk(document->root(), size, budget);
  return 0;
}
