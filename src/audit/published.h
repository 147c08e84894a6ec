// The shipped set of published training runs (data/published/runs.csv), as audits read them.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "audit/account.h"
#include "base/csv.h"

namespace floptally {

// Published compute of a model that others start from: a number rounded to two significant figures, most often.
Fact base_compute(double flop, Span place, std::string source);

class PublishedRuns {
 public:
  // What lists and pictures need of a run.
  struct Listed {
    std::string_view name, title, aliases, domain;
    Date date;
    std::optional<double> flop;
  };

  // Reads the list; a run itself is read when it is asked for. Errors: the CSV reader's, bad-number. The table and the
  // catalogue must outlive this.
  static Result<PublishedRuns> read(const Source& table, const Catalogue& catalogue);

  [[nodiscard]] const std::vector<Listed>& list() const { return list_; }  // by date
  // All of them, read once. Errors in single cells leave the fact out; check() names them.
  [[nodiscard]] const std::vector<AuditRun>& runs() const;
  [[nodiscard]] Diagnostics check() const;
  // By name or alias, forgiving case and punctuation. Errors: bad-number; unknown-run (with the nearest names).
  [[nodiscard]] Result<AuditRun> find(std::string_view name) const;

 private:
  struct All {
    std::once_flag once;
    std::vector<AuditRun> runs;
    Diagnostics problems;
  };
  void read_all() const;

  std::shared_ptr<const Csv> csv_;
  const Catalogue* catalogue_ = nullptr;
  std::vector<Listed> list_;
  std::shared_ptr<All> all_ = std::make_shared<All>();
};

}  // namespace floptally
