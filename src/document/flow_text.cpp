#include "document/flow_text.h"

#include "base/json_quote.h"

namespace floptally {

std::string flow_text(const Node& node) {
  std::string out;
  if (node.is_mapping()) {
    for (const Node child : node) out += (out.empty() ? "" : ", ") + std::string(child.key()) + ": " + flow_text(child);
    return "{" + out + "}";
  }
  if (node.is_sequence()) {
    for (const Node child : node) out += (out.empty() ? "" : ", ") + flow_text(child);
    return "[" + out + "]";
  }
  const std::string_view text = node.text();
  return node.quoted() || text.find('\n') != std::string_view::npos ? json_quote(text) : std::string(text);
}

}  // namespace floptally
