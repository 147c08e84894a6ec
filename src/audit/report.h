// The answer of an audit as a Book: both methods, whether they agree, how sure, the thresholds, what the range comes
// from.
#pragma once

#include "audit/card.h"
#include "audit/law.h"
#include "audit/reconcile.h"
#include "book/ledger.h"

namespace floptally {

struct AuditOptions {
  std::uint32_t worlds = Worlds::kDefault;
  Date on;            // whose law is asked about
  bool sure = false;  // say what the same count was worth on published runs
};

struct AuditFacts {
  const Catalogue& catalogue;
  const Assumptions& assumptions;
  const Laws& laws;
  const PublishedRuns& published;
};

// Errors: missing-fact. The Book says no (exit status 1) where a threshold in force is passed at the best guess.
Result<Book> audit_run(const AuditRun& run, const AuditFacts& facts, const AuditOptions& options);

// The card over the shipped runs, and the picture of compute by date.
Book audit_card(const AuditFacts& facts);

// Rounded, not cut, to two significant figures: 1.6632e23 is "1.7e23".
std::string two_figures(double value);

}  // namespace floptally
