// What the lines of a subset are called: a line by its `id`, else by the first of its axes, factors and own fields
// that tell it from the others ("width 1024", "optimizer SGD, Adam", "tokens 20 * parameters").
//
// Always holds: one name a line, and no name twice.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace floptally {

std::vector<std::string> line_names(const PlanSubset& subset);

}  // namespace floptally
