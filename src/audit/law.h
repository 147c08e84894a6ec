// Law as data: how a run's compute stands to the thresholds of data/law/rules.csv, each rule counting its own selection
// of the components (data/law/inclusions.csv). The answer is a probability of lying above; it never says "compliant".
#pragma once

#include <string>
#include <vector>

#include "audit/evaluations.h"
#include "audit/methods.h"

namespace floptally {

struct ThresholdRule {
  std::string id, law, provision, consequence;
  double flop = 0;
  double base_share = 0;  // > 0: the threshold is this share of the base model's compute, where that is known
  std::string counts;     // a column of inclusions.csv
  std::vector<std::string> modalities;  // empty: any
  std::string domain;                   // empty: any
  Date in_force, until;
  std::string status;  // "in force", "enacted", "passed", "revoked", "vetoed"
  bool binding = true;
  std::string source, note;
  Date source_date;
  std::int64_t row = 0;
};

struct Inclusion {
  std::string component, explanation;
  std::vector<std::pair<std::string, std::string>> by_account;  // account -> yes, no, partly, unstated
  [[nodiscard]] std::string in(std::string_view account) const;
};

struct Laws {
  std::vector<ThresholdRule> rules;
  std::vector<Inclusion> inclusions;
  // The tables law/rules.csv and law/inclusions.csv, those missing from the binary. Errors: the CSV reader's,
  // bad-number.
  static Result<Laws> read(const std::vector<const Source*>& tables);
  static const Laws& embedded();
};

enum class Standing : std::uint8_t { not_applicable, below, near, above };

struct Assessment {
  const ThresholdRule* rule = nullptr;
  Traced flop;  // as this rule counts
  double threshold = 0;
  double probability = 0;               // of lying above
  Standing standing = Standing::below;  // near: the probability is between 5% and 95%
  bool in_force = false;                // on the day asked about
  std::string why_not;                  // not applicable, not in force
  std::vector<std::string> counted, left_out, not_given;
};

// `on`: the day whose law is asked about. `reconciled` replaces the sum of the components where it is another estimate
// of it.
std::vector<Assessment> assess(const AuditRun& run, const Methods& methods, const Traced& reconciled, const Laws& laws,
                               const Date& on, Trace& trace, Evaluations& evaluations);

}  // namespace floptally
