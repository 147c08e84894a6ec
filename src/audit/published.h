// The shipped set of published training runs (data/published/runs.csv), as audits read them.
#pragma once

#include <string_view>
#include <vector>

#include "audit/account.h"

namespace floptally {

// Published compute of a model that others start from: a number rounded to two significant figures, most often.
Fact base_compute(double flop, Span place, std::string source);

class PublishedRuns {
 public:
  // Errors: the CSV reader's, bad-number, unknown-device. Devices must outlive this.
  static Result<PublishedRuns> read(const Source& table, const Catalogue& catalogue);

  [[nodiscard]] const std::vector<AuditRun>& runs() const { return runs_; }  // by date
  // By name or alias, forgiving case and punctuation. Errors: unknown-run (with the nearest names).
  Result<const AuditRun*> find(std::string_view name) const;

 private:
  std::vector<AuditRun> runs_;
};

}  // namespace floptally
