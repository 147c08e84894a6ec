// What a table of the user's (--data) must hold before it takes the place of a shipped one.
#pragma once

#include <string>

#include "base/sources.h"
#include "floptally/diagnostic.h"

namespace floptally {

// Holds the tables of `folder` (laid out as data/) that FactTable reads against the shipped tables of the same name,
// all mistakes of all tables at once: a column that is lacking (missing-column), and a cell that its column cannot hold
// (bad-cell). A column takes numbers (0 to 1e15) where every shipped cell is one; formats joined by '+'
// where every shipped cell is that; one of a few words where the code knows no others; any text elsewhere. A cell may
// be empty. Tables of measurements are not read here: `evidence` names what it cannot read row by row.
Diagnostics check_facts(const std::string& folder, Sources& sources);

}  // namespace floptally
