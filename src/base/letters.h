// Words of free text. Letters are ASCII's: the language of the machine does not matter.
#pragma once

#include <string>
#include <string_view>

namespace floptally {

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace floptally
