// Lints over printed tables: sums, double counting, misplaced remarks, figures cut off.
#include "audit/lint/defs.h"
#include "audit/lint/helpers.h"

namespace floptally::lint {
namespace {

constexpr const char* kColumns[] = {"flop", "usd", "hours", "runs", "parameters", "tokens", "bytes"};

// A printed total that its rows do not add up to, beyond the rounding of what was printed.
void run_total(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node table : root.find("tables")) {
    const Node total = table.find("total");
    for (const char* column : kColumns) {
      const Node printed = total.find(column);
      if (!printed) continue;
      double sum = 0, slack = 0;
      std::size_t rows = 0;
      for (const Node row : table.find("rows")) {
        const Node cell = row.find(column);
        if (!cell) continue;
        const double value = value_of(cell);
        if (std::isnan(value)) continue;
        sum += value;
        slack += half_unit(cell.text(), value);
        ++rows;
      }
      const double stated = value_of(printed);
      if (rows == 0 || std::isnan(stated)) continue;
      slack += half_unit(printed.text(), stated);
      if (std::fabs(sum - stated) <= slack * 1.000001) continue;
      find(findings, "total-not-sum",
           "the rows of '" + text_of(table.find("name")) + "' add up to " + digits(sum, 6) + " " + column +
               ", not to the printed " + text_of(printed),
           printed,
           "the difference is " + digits(stated - sum, 4) +
               ": a part is in the total and in no row, or the other way round");
    }
  }
}

void run_twice(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node table : root.find("tables")) {
    for (const Node row : table.find("rows")) {
      const Node of = row.find("part_of");
      if (!of || row.find("counted").text() == "no") continue;
      std::string others;
      if (of.is_sequence()) {
        for (const Node each : of) others += (others.empty() ? "" : ", ") + text_of(each);
      } else {
        others = text_of(of);
      }
      find(findings, "counted-twice",
           "'" + text_of(row.find("name")) + "' is a selection of runs that '" + others + "' counts already", of,
           "count it once: mark the row `counted: no`, or take it out of the others");
    }
  }
}

void run_misplaced(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node table : root.find("tables")) {
    for (const Node row : table.find("rows")) {
      const Node uncertain = row.find("uncertain");
      for (const Node other : table.find("rows")) {
        const std::string_view way = other.find("search").text();
        if (!uncertain || way.empty() || uncertain.text().find(way) == std::string_view::npos ||
            row.find("search").text() == way)
          continue;
        find(findings, "misplaced-uncertainty",
             "'" + text_of(row.find("name")) + "' is said to be uncertain by '" + text_of(uncertain) + "', but '" +
                 text_of(other.find("name")) + "' was searched so",
             uncertain, "the remarks of the two rows may be swapped");
      }
    }
  }
}

// A figure that is its exact value cut off, or neither cut off nor rounded.
void figure_against(const Node& printed, const Node& exact, const std::string& name, Diagnostics& findings,
                    bool wrong) {
  const double shown = value_of(printed), truth = value_of(exact);
  if (std::isnan(shown) || std::isnan(truth) || truth == 0) return;
  const double half = half_unit(printed.text(), shown);
  if (half <= 0 || std::fabs(truth - shown) <= half * 1.000001) return;
  const bool cut = truth > shown && truth - shown < 2 * half;
  if (cut == wrong) return;
  if (cut) {
    find(findings, "truncated-figure",
         name + " is printed as " + text_of(printed) + ", which cuts off " + digits(truth, 6), printed,
         "rounded to as many figures it is " + digits(std::round(truth / (2 * half)) * 2 * half, 6));
  } else {
    find(findings, "wrong-figure", name + " is printed as " + text_of(printed) + "; it is " + digits(truth, 6), printed,
         "a factor of " + digits(shown / truth, 4));
  }
}

void each_figure(const Node& root, Diagnostics& findings, bool wrong) {
  for (const Node figure : root.find("figures"))
    figure_against(figure.find("printed"), figure.find("exact"), "'" + text_of(figure.find("name")) + "'", findings,
                   wrong);
  for (const Node table : root.find("tables")) {
    for (const Node row : table.find("rows")) {
      for (const char* column : kColumns) {
        const Node exact = row.find("exact").find(column);
        if (exact && row.find(column))
          figure_against(row.find(column), exact, std::string(column) + " of '" + text_of(row.find("name")) + "'",
                         findings, wrong);
      }
    }
  }
}

void run_truncated(const Node& root, const LintFacts&, Diagnostics& findings) { each_figure(root, findings, false); }
void run_wrong(const Node& root, const LintFacts&, Diagnostics& findings) { each_figure(root, findings, true); }

}  // namespace

const LintDef kTotalNotSum = {"total-not-sum", "a printed total is not the sum of its rows",
                              "A total that its rows do not add up to, beyond the rounding of the printed figures, "
                              "hides a part: something is counted that no row shows, or shown and not counted.",
                              "152334H 2024: the headline table adds up to 5.25e24 FLOP, the total says 5.42e24; Table "
                              "E1 is in the total and in no row.",
                              run_total};
const LintDef kCountedTwice = {
    "counted-twice", "a subset is counted again",
    "Runs that were selected from others (the best of a sweep, a table of results) were trained once. Counting the "
    "selection again adds compute that nobody spent.",
    "152334H 2024: Table E1 lists the best of runs that the sweeps already contain; adding it counts 456 runs twice.",
    run_twice};
const LintDef kMisplacedUncertainty = {
    "misplaced-uncertainty", "an uncertainty stands at the wrong row",
    "A remark names a way of searching that the row did not use and another row did: the two remarks may be swapped, "
    "and then both ranges are wrong.",
    "152334H 2024: 'bayes search' is listed as the uncertainty of +default; the Vizier search belongs to +optimal.",
    run_misplaced};
const LintDef kTruncatedFigure = {"truncated-figure", "a figure was cut off, not rounded",
                                  "Cutting digits off makes every figure too small, by up to one unit of its last "
                                  "digit, and always in the same direction. Near a threshold it changes the answer.",
                                  "Guidelines C(2025) 5045: examples D, G, H are listed as 1.6e23, 1.5e23, 6.5e23; "
                                  "they are 1.66e23, 1.56e23, 6.59e23. 152334H 2024: $888 for 888.81.",
                                  run_truncated};
const LintDef kWrongFigure = {
    "wrong-figure", "a figure is not what its own formula gives",
    "The printed figure differs from the value of the formula beside it by more than rounding. The factor names the "
    "likely slip: 2 is a multiply-add, 3 the backward pass, 1,000 a prefix.",
    "Epoch AI's database: HGRN2 1B prints 6e21 for 6 x 1e9 x 100e9, which is 6e20.", run_wrong};

}  // namespace floptally::lint
