// The columns of a table of measured runs, by the words that people write for them.
#pragma once

#include <string>
#include <vector>

#include "base/csv.h"

namespace floptally {

// Gives columns the names that rows are read by ("devices" becomes "n_gpus", "Sequence length" "seq_len"; never where
// the table has that column already). Returns the columns that nothing reads.
std::vector<std::string> name_columns(Csv& csv);

}  // namespace floptally
