// A value of a document on one line of YAML: "8k", "[1, 2]", "{rank: 8, base: nf4}".
#pragma once

#include <string>

#include "document/document.h"

namespace floptally {

std::string flow_text(const Node& node);

}  // namespace floptally
