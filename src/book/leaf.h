// From the user's words to an uncertain input of a trace.
#pragma once

#include <string>

#include "book/trace.h"
#include "quantity/quantity_text.h"

namespace floptally {

// The leaf an amount stands for: point, range (log-normal; clipped to [0, 1] for fractions), floor or choice.
Leaf leaf_of(std::string name, const Amount& amount, Span place = {}, Mark mark = Mark::given);

}  // namespace floptally
