// The table of diagnostic codes: one word and one explanation each (rows in codes.def; sorted by word here).
#pragma once

#include <span>
#include <string_view>

namespace floptally {

struct CodeInfo {
  std::string_view word;         // "unknown-key"
  std::string_view explanation;  // one sentence
};

std::span<const CodeInfo> all_codes();

}  // namespace floptally
