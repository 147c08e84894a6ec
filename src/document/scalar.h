// What the text of a plain scalar stands for: the YAML 1.2 core schema, of which JSON's numbers and words are a part.
#pragma once

#include <optional>
#include <string_view>

#include "base/integer.h"
#include "document/document.h"

namespace floptally {

// null, boolean, number or string.
NodeKind resolve_plain(std::string_view text);
// JSON's number grammar (RFC 8259 section 6), which has no leading zeros, signs or points.
bool is_json_number(std::string_view text);
// The exact integer that a decimal text stands for: "42", "0x1F", "1e25", "2.5e3"; nothing for "0.5" or past 128 bits.
std::optional<Integer> integer_from_text(std::string_view text);
std::optional<double> double_from_text(std::string_view text);

}  // namespace floptally
