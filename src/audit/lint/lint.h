// Lints: mistakes that published accounts of compute make, each with a code, an explanation and a real case.
//
// An account (a file with `account: 1`) is what a source states, written down: tables with their totals, axes as told
// in prose and as used in a formula, formulas with the units of their symbols, printed figures beside the exact ones.
// Runs (`run: 1`) are checked too.
// Always holds: a lint reads the document and adds findings; it never changes anything.
#pragma once

#include <string>
#include <vector>

#include "audit/account.h"
#include "document/document.h"
#include "floptally/diagnostic.h"

namespace floptally {

struct LintFacts {
  const Catalogue& catalogue;
};

struct LintDef {
  const char* code;
  const char* title;        // the mistake in a line
  const char* explanation;  // why it is one, and what to write instead
  const char* real_case;    // where it was made
  void (*run)(const Node& root, const LintFacts& facts, Diagnostics& findings);
};

// Every lint, in the order of the reference page.
const std::vector<const LintDef*>& all_lints();

struct LintReport {
  Diagnostics findings;
};

// Findings in an account or a run, by position. Errors: unknown-key, wrong-type, bad-formula (the account cannot be
// read).
Result<LintReport> lint_document(const Document& document, const LintFacts& facts);

// The reference page of all lints, in Markdown (docs/reference/lints.md is this text).
std::string lints_page();

}  // namespace floptally
