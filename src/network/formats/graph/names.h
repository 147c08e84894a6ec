// Tables of operators whose rows name several at once: "add subtract multiply".
#pragma once

#include <algorithm>
#include <string_view>

namespace floptally::graph {

// Calls `use(name, group)` for every name of every group, in their order; names are separated by single spaces.
template <class Groups, class Use>
void each_name(const Groups& groups, Use use) {
  for (const auto& group : groups)
    for (std::size_t at = 0; at < group.names.size();) {
      const std::size_t end = std::min(group.names.find(' ', at), group.names.size());
      use(group.names.substr(at, end - at), group);
      at = end + 1;
    }
}

}  // namespace floptally::graph
