// PublishedTable: a user's table of published runs (such as Epoch AI's database), each row read as a run to audit.
//
// Always holds: what a row states oddly (a cell that is no number, a utilization over 1, data counted in images) is
// named among its gaps and left out; nothing is guessed in its place. Columns are known by many spellings, their units
// by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/published.h"
#include "base/csv.h"

namespace floptally {

struct TableRun {
  AuditRun run;
  std::vector<std::string> gaps;  // in the user's words: what is odd or lacking, and what it would be needed for
};

class PublishedTable {
 public:
  // Whether this is such a table: it has a column of training compute, and none that only measured steps have.
  static bool is_one(const Csv& csv);
  // Base models' compute is looked up among `known` and the rows themselves.
  static PublishedTable read(const Csv& csv, const Catalogue& catalogue, const PublishedRuns& known);

  [[nodiscard]] const std::vector<TableRun>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& unread_columns() const { return unread_; }
  // Facts that no column gives.
  [[nodiscard]] const std::vector<std::string>& missing_columns() const { return missing_; }

 private:
  std::vector<TableRun> rows_;
  std::vector<std::string> unread_, missing_;
};

}  // namespace floptally
