#!/usr/bin/env python3
"""Fits the 90% ranges of memory predictions (data/evidence/spread.csv) from the residuals of the shipped rows.

usage: tools/fit-memory.py FLOPTALLY [OUT]

A class of rows is (framework, measure, experts or not, kind of parallelism); its range runs from the 5th to the 95th percentile of
measured / predicted; a class with few rows has its parent's (framework, measure). Printed beside it: the
coverage on models that were left out of the fit, one model at a time, which is what an unseen run can expect.
"""
import collections
import csv
import json
import pathlib
import subprocess
import sys

LEAST = 10  # rows that a class needs for a range of its own
TAIL = 0.035  # at either end; a little less than 5%, because unseen runs err more


def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    i = int(at)
    return values[i] + (at - i) * (values[min(i + 1, len(values) - 1)] - values[i])


def keys(row):
    framework, measure, kind = row["framework"], row["measure"], row["kind"]
    return [(framework, measure, kind), (framework, measure, "any"), ("any", measure, "any"), ("any", "any", "any")]


def bounds(ratios):
    """90% of the ratios, and 1: the prediction itself is always inside."""
    margin = 0.0 if len(ratios) >= LEAST else 0.05
    return min(1, quantile(ratios, TAIL)) - margin, max(1, quantile(ratios, 1 - TAIL)) + margin


def fit(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        for key in dict.fromkeys(keys(row)):
            groups[key].append(row["measured"] / row["predicted"])
    return {key: (*bounds(ratios), len(ratios)) for key, ratios in groups.items() if len(ratios) >= LEAST or "any" in (key[0], key[2])}


def range_of(spreads, row):
    for key in keys(row):
        if key in spreads:
            return spreads[key]
    return (0.7, 1.4, 0)


def covered(spreads, row):
    low, high, _ = range_of(spreads, row)
    return low <= row["measured"] / row["predicted"] <= high


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent.parent / "data/evidence/spread.csv"
    answer = json.loads(subprocess.run([sys.argv[1], "evidence", "--json"], capture_output=True, text=True, check=False).stdout)["answer"]
    rows = answer["rows_scored"]
    spreads = fit(rows)
    inside = sum(covered(spreads, row) for row in rows)
    models = sorted({(row["source"], row["model"]) for row in rows})
    left_out = 0
    for model in models:
        rest = [row for row in rows if (row["source"], row["model"]) != model]
        there = fit(rest)
        left_out += sum(covered(there, row) for row in rows if (row["source"], row["model"]) == model)
    with open(out, "w", newline="") as file:
        file.write("# 90% ranges of measured / predicted memory, by class of run; made by tools/fit-memory.py from evidence/memory.csv.\n"
                   f"# Rows {len(rows)}; inside the range {inside / len(rows):.1%}; of models left out of the fit {left_out / len(rows):.1%}.\n"
                   "# source: residuals of evidence/memory.csv\n# date: 2026-08-22 (when the sources were read)\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["framework", "measure", "kind", "low", "high", "rows"])
        for key in sorted(spreads):
            low, high, count = spreads[key]
            writer.writerow([*key, f"{low - 5e-5:.4f}", f"{high + 5e-5:.4f}", count])
    print(f"{len(rows)} rows: inside {inside / len(rows):.1%}, models left out {left_out / len(rows):.1%}")


if __name__ == "__main__":
    main()
