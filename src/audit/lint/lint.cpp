#include "audit/lint/lint.h"

#include <algorithm>

#include "audit/lint/defs.h"
#include "audit/lint/helpers.h"
#include "document/decode.h"

namespace floptally {
namespace {

constexpr FieldTable kOpen{"row", "a row", {}, true};
constexpr Field kTableFields[] = {
    {.key = "name", .expect = Expect::text, .doc = "the table's name"},
    {.key = "rows",
     .expect = Expect::record,
     .doc = "its rows: name, flop, usd, hours, runs; part_of, counted, search, uncertain, exact",
     .shape = Shape::list,
     .table = &kOpen},
    {.key = "total", .expect = Expect::record, .doc = "the printed totals", .table = &kOpen}};
constexpr FieldTable kTable{"table", "a printed table", kTableFields};
constexpr Field kAxisFields[] = {
    {.key = "of", .expect = Expect::text, .doc = "what is counted", .required = true},
    {.key = "stated", .expect = Expect::any, .doc = "as told: a number, a list, or a map of counts", .required = true},
    {.key = "used", .expect = Expect::any, .doc = "as used in the formula or code", .required = true},
    {.key = "quantity", .expect = Expect::text, .doc = "which quantity"},
    {.key = "note", .expect = Expect::text, .doc = "a remark"}};
constexpr FieldTable kAxis{"axis", "what is said twice", kAxisFields};
constexpr Field kLimitFields[] = {
    {.key = "of", .expect = Expect::text, .doc = "what is limited", .required = true},
    {.key = "limit", .expect = Expect::quantity, .doc = "the limit", .required = true},
    {.key = "values",
     .expect = Expect::record,
     .doc = "choice: what it needs, rising",
     .required = true,
     .table = &kOpen},
    {.key = "stated_last", .expect = Expect::text, .doc = "the last choice said to be possible", .required = true}};
constexpr FieldTable kLimit{"limit", "a limit given as a reason", kLimitFields};
constexpr Field kFormulaFields[] = {
    {.key = "name", .expect = Expect::text, .doc = "what the formula is for", .required = true},
    {.key = "formula", .expect = Expect::quantity, .doc = "the formula as stated", .required = true},
    {.key = "measures", .expect = Expect::quantity, .doc = "the unit of what it is said to be", .required = true},
    {.key = "symbols", .expect = Expect::record, .doc = "symbol: unit, or value with unit", .table = &kOpen},
    {.key = "note", .expect = Expect::text, .doc = "what it should be"}};
constexpr FieldTable kFormula{"formula", "a stated formula", kFormulaFields};
constexpr Field kCountsFields[] = {
    {.key = "includes", .expect = Expect::text, .doc = "parts that are counted", .shape = Shape::list},
    {.key = "excludes", .expect = Expect::text, .doc = "parts that are left out", .shape = Shape::list}};
constexpr FieldTable kCounts{"counts", "what the account counts", kCountsFields};
constexpr Field kAccountFields[] = {
    {.key = "account", .expect = Expect::any, .doc = "the version of this format: 1", .required = true},
    {.key = "title", .expect = Expect::text, .doc = "a title"},
    {.key = "source", .expect = Expect::text, .doc = "where the statements stand"},
    {.key = "note", .expect = Expect::text, .doc = "a remark"},
    {.key = "tables", .expect = Expect::record, .doc = "printed tables", .shape = Shape::list, .table = &kTable},
    {.key = "figures", .expect = Expect::record, .doc = "name, printed, exact", .shape = Shape::list, .table = &kOpen},
    {.key = "axes", .expect = Expect::record, .doc = "axes as told and as used", .shape = Shape::list, .table = &kAxis},
    {.key = "conventions",
     .expect = Expect::record,
     .doc = "quantities as meant and as taken",
     .shape = Shape::list,
     .table = &kAxis},
    {.key = "limits",
     .expect = Expect::record,
     .doc = "limits given as reasons",
     .shape = Shape::list,
     .table = &kLimit},
    {.key = "counts", .expect = Expect::record, .doc = "what the account counts", .table = &kCounts},
    {.key = "names", .expect = Expect::record, .doc = "text, code", .shape = Shape::list, .table = &kOpen},
    {.key = "formulas", .expect = Expect::record, .doc = "stated formulas", .shape = Shape::list, .table = &kFormula},
    {.key = "equations", .expect = Expect::text, .doc = "stated equations", .shape = Shape::list},
    {.key = "convolutions",
     .expect = Expect::record,
     .doc = "height, width, channels, filters, kernel, stride, padding, flop",
     .shape = Shape::list,
     .table = &kOpen},
    {.key = "counters", .expect = Expect::record, .doc = "tool, unit", .shape = Shape::list, .table = &kOpen},
    {.key = "memory",
     .expect = Expect::record,
     .doc = "bytes a parameter: weights, gradients, optimizer, master; precision, states",
     .shape = Shape::list,
     .table = &kOpen},
    {.key = "bits",
     .expect = Expect::record,
     .doc = "format, exponent, significand, bias",
     .shape = Shape::list,
     .table = &kOpen},
    {.key = "sharding",
     .expect = Expect::record,
     .doc = "axes that divide weights and gradients",
     .shape = Shape::list,
     .table = &kOpen},
    {.key = "sizes", .expect = Expect::record, .doc = "bytes, printed", .shape = Shape::list, .table = &kOpen}};
constexpr FieldTable kAccount{"account", "what a source states about compute", kAccountFields};

// Formulas that cannot be read are mistakes of the account, not findings.
void check_formulas(const Node& root, Diagnostics& problems) {
  const auto read = [&](const Node& node) {
    if (!node || !node.is_scalar()) return;
    const Result<Evaluated> result = evaluate(node.text(), {}, node.span());
    if (!result.ok() && result.problems().front().code == "bad-formula") problems.push_back(result.problems().front());
  };
  for (const Node each : root.find("formulas")) {
    read(each.find("formula"));
    read(each.find("measures"));
  }
  for (const Node each : root.find("figures")) {
    read(each.find("exact"));
    read(each.find("printed"));
  }
  for (const Node each : root.find("equations")) {
    if (each.text().find('=') == std::string_view::npos)
      problems.push_back(error("bad-formula", "an equation has two sides and a '='", each.span()));
  }
}

}  // namespace

const std::vector<const LintDef*>& all_lints() {
  using namespace lint;
  static const std::vector<const LintDef*> kAll = {
      &kTotalNotSum, &kCountedTwice,       &kMisplacedUncertainty, &kTruncatedFigure,
      &kWrongFigure, &kAxisProduct,        &kConventionMismatch,   &kLimitNotReached,
      &kNotModelled, &kNameDiffers,        &kDimensionMismatch,    &kArithmeticSlip,
      &kConvAsDense, &kMacForFlop,         &kMasterWeights,        &kInt8Gradients,
      &kBitsWidth,   &kWrongBias,          &kShardingDiffers,      &kGbForGib,
      &kPeakSparse,  &kPeakPerBoard,       &kPeakOfOtherFormat,    &kAboveCeiling,
      &kMfuOrHfu,    &kMarginNotSupported, &kWordsForTokens,       &kScopeNotGiven};
  return kAll;
}

Result<LintReport> lint_document(const Document& document, const LintFacts& facts) {
  const Node root = document.root();
  Diagnostics problems, findings;
  if (root.find("account") || !root.find("run")) {
    check(kAccount, root, problems);
    if (root.is_mapping()) check_formulas(root, problems);
    if (!problems.empty()) return problems;
  }
  for (const LintDef* lint : all_lints()) {
    if (lint->run) lint->run(root, facts, findings);
  }
  const auto begin = [](const Diagnostic& d) { return d.labels.empty() ? 0 : d.labels.front().span.begin; };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return begin(a) < begin(b); });
  return LintReport{std::move(findings)};
}

std::string lints_page() {
  std::string page =
      "# Lints\n\nWhat `floptally check FILE` finds in accounts (`account: 1`) and runs (`run: 1`). This page is "
      "generated from the program.\n";
  for (const LintDef* lint : all_lints()) {
    page += "\n## " + std::string(lint->code) + "\n\n" + lint->title + ".\n\n" + lint->explanation +
            "\n\nReal case: " + lint->real_case + "\n";
  }
  return page;
}

}  // namespace floptally
