// The one place that writes text as JSON.
#pragma once

#include <string>
#include <string_view>

namespace floptally {

// `text` as a JSON string, quotes included.
std::string json_quote(std::string_view text);

}  // namespace floptally
