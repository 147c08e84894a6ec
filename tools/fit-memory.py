#!/usr/bin/env python3
"""Fits every fitted constant of the memory predictions, and their 90% ranges, from the shipped rows of measured memory.

usage: tools/fit-memory.py FLOPTALLY [--check]

Writes data/training/fitted.csv (the constants), data/evidence/spread.csv (the ranges) and the tables between the marks
in docs/explanation/memory.md (how both do on sources and models that were left out); --check only compares, and exits 1
where a file would change. Everything else in a prediction is arithmetic or a rule with its source.

The constant is reserved: allocator-reserved over peak allocated, for every framework with twenty rows or more beyond
allocated memory, and one for all others. Each minimizes the mean over sources (frameworks, for the
last) of the median absolute error, so that a source with many rows has no more say.

Ranges are of measured / predicted. A run of a measured source has the range of that source's residuals of its kind (ten
rows and three models or more), or of all its residuals; a run of any other source has the envelope of what was seen in
each source (three rows or more) of its framework, where there are three, or of its measure, or of all. Ends are conformal: (n + 1) x 5% of the residuals lie beyond each. A
model that was left out errs more than its source's others, so a measured source's range is widened, as little as leaves
85% inside in every regime of thirty rows when models are left out, and never ends nearer than the median error of those.
"""
import csv
import io
import json
import math
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
LEAST, MODELS = 10, 3  # rows and models that a class needs for a range of its own
FEW = 3  # rows that a source needs to be heard on sources that were not measured
DATE = "# date: 2026-11-22 (when the fit was made)\n"
COVERAGE, LOWEST, HIGHEST = 0.90, 0.85, 0.95
# Regimes whose ranges are known to be too wide for rows that were left out: few sources, told far better than the others.
# Any other regime above 95% is a finding.
TOO_WIDE = {
    "recompute none",
    "all rows, sources left out",
    "generation b200",
    "source SimuMax b200 v1.2",
}
CONTEXT = 1.17e9  # device_overheads.csv


def source_of(row):
    return row["source"].split("@")[0].strip()


def context_of(row):
    """What a row's meter shows beyond reserved memory: a rule of data/training/device_overheads.csv."""
    return CONTEXT if row["measure"] == "nvidia-smi" else 0.0


def predicted(row, constants):
    if row["measure"] == "allocated":
        return row["allocated"]
    ratio = constants.get(row["framework"], constants["any"])
    return math.ceil(ratio * row["allocated"] / 2**21) * 2**21 + context_of(row)


def best_ratio(rows, group_of):
    """The ratio with the least mean over groups of the median absolute error."""
    groups = {}
    for row in rows:
        groups.setdefault(group_of(row), []).append(row)

    def score(ratio):
        errors = ([abs(predicted(r, {"any": ratio}) / r["measured"] - 1) for r in group] for group in groups.values())
        return statistics.mean(statistics.median(e) for e in errors)

    return min((round(1.0 + step * 0.005, 3) for step in range(0, 101)), key=lambda ratio: (round(score(ratio), 9), ratio))


def fit_constants(rows):
    held = [r for r in rows if r["measure"] != "allocated"]
    out = {"any": best_ratio(held, lambda r: r["framework"]) if held else 1.04}
    for framework in sorted({r["framework"] for r in held}):
        own = [r for r in held if r["framework"] == framework]
        if len(own) >= 2 * LEAST:
            out[framework] = best_ratio(own, source_of)
    return out


def ends(ratios):
    """The conformal 90% range of a next ratio, and 1: the prediction itself is always inside."""
    values = sorted(ratios)
    out = int((len(values) + 1) * (1 - COVERAGE) / 2)
    return min(1.0, values[out]), max(1.0, values[-1 - out])


def ratio_of(row, constants):
    return row["measured"] / predicted(row, constants)


def ranges(rows, constants, wider, floor):
    """{(src, framework, measure, kind): (low, high, rows, from, to)}; a measured source's are `wider` in logarithms, and
    none ends nearer than `floor` to the prediction."""
    classes = {}
    for row in rows:
        for kind in (row["kind"], "any"):
            classes.setdefault((source_of(row), row["framework"], row["measure"], kind), []).append(row)
    out = {}
    for key, group in classes.items():
        if len(group) < LEAST or (key[3] != "any" and len({r["model"] for r in group}) < MODELS):
            continue
        sizes = [predicted(r, constants) for r in group]
        low, high = ends([ratio_of(r, constants) for r in group])
        low, high = min(low**wider, 1 - floor), max(high**wider, 1 + floor)
        out[key] = (low, high, len(group), min(sizes), max(sizes))
    seen = {}
    for (source, framework, measure, kind), group in classes.items():
        if kind == "any" and len(group) >= FEW:
            sizes = [predicted(r, constants) for r in group]
            value = (*ends([ratio_of(r, constants) for r in group]), len(group), min(sizes), max(sizes))
            for wide in ((framework, measure), ("any", measure), ("any", "any")):
                seen.setdefault(wide, []).append(value)
    for (framework, measure), group in seen.items():
        if len(group) > 2 or (framework, measure) == ("any", "any"):
            low, high = min(g[0] for g in group), max(g[1] for g in group)
            out[("unseen", framework, measure, "any")] = (low, high, sum(g[2] for g in group), min(g[3] for g in group), max(g[4] for g in group))
    for row in rows:  # which kinds of run were measured at all, and at which sizes
        size = predicted(row, constants)
        for kind in (row["kind"], "any"):
            key = ("seen", row["framework"], row["measure"], kind)
            old = out.get(key, (0.0, 0.0, 0, size, size))
            out[key] = (0.0, 0.0, old[2] + 1, min(old[3], size), max(old[4], size))
    return out


def range_for(table, row, unseen):
    framework, measure = row["framework"], row["measure"]
    keys = [] if unseen else [(source_of(row), framework, measure, row["kind"]), (source_of(row), framework, measure, "any")]
    keys += [("unseen", framework, measure, "any"), ("unseen", "any", measure, "any"), ("unseen", "any", "any", "any")]
    for key in keys:
        if key in table:
            return table[key][:2]
    return 0.7, 1.4


def judged(rows, fitted_without, unseen, wider, floor, known):
    """(row, error, inside) with everything fitted on the rows that `fitted_without` leaves; `known` keeps the constants."""
    cache, out = {}, []
    for row in rows:
        group = fitted_without(row)
        if group not in cache:
            rest = [r for r in rows if fitted_without(r) != group]
            if group not in known:
                known[group] = fit_constants(rest)
            constants = known[group]
            cache[group] = (constants, ranges(rest, constants, wider, floor))
        constants, table = cache[group]
        low, high = range_for(table, row, unseen)
        out.append((row, predicted(row, constants) / row["measured"] - 1, low <= ratio_of(row, constants) <= high))
    return out


def summary(results):
    errors = sorted(abs(e) for _, e, _ in results)
    at = 0.9 * (len(errors) - 1)
    p90 = errors[int(at)] + (at - int(at)) * (errors[min(int(at) + 1, len(errors) - 1)] - errors[int(at)])
    return statistics.median(errors), p90, sum(inside for *_, inside in results) / len(results)


def regimes_of(rows):
    """Regimes of thirty rows or more."""
    names = sorted({name for row in rows for name in row["regimes"]})
    return [name for name in names if sum(name in row["regimes"] for row in rows) >= 30]


def coverage(results, regime):
    inside = [i for row, _, i in results if regime in row["regimes"]]
    return sum(inside) / len(inside)


def fit_wider(rows):
    """The least widening with which every regime has 85% of its rows inside when their model is left out. No end of a
    range is nearer than the median error of such rows: a handful of equal runs says little of the next model."""
    model_of = lambda r: (source_of(r), r["model"])
    known = {}
    floor = summary(judged(rows, model_of, False, 1.0, 0.0, known))[0]
    for step in range(0, 41):
        wider = round(1.0 + step * 0.05, 2)
        by_model = judged(rows, model_of, False, wider, floor, known)
        if all(coverage(by_model, name) >= LOWEST for name in regimes_of(rows)):
            break
    return wider, floor, by_model


def percent(value):
    return f"{100 * value:.1f}%"


def table_of(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(line) + " |" for line in lines])


def score_table(rows, all_in, by_model, by_source):
    def line(name, keep):
        picked = [i for i, row in enumerate(rows) if keep(row)]
        cells = [name, str(len(picked))]
        for results in (all_in, by_model, by_source):
            median, p90, inside = summary([results[i] for i in picked])
            cells += [f"{percent(median)} / {percent(p90)}", percent(inside)]
        return cells
    lines = [line("all", lambda r: True)]
    for source in sorted({source_of(r) for r in rows}):
        for measure in ("allocated", "reserved", "nvidia-smi"):
            if sum(source_of(r) == source and r["measure"] == measure for r in rows) >= 3:
                lines.append(line(f"{source}, {measure}", lambda r: source_of(r) == source and r["measure"] == measure))
    for name in regimes_of(rows):
        if not name.startswith(("source ", "measure ")):
            lines.append(line(name, lambda r: name in r["regimes"]))
    head = ["", "rows", "fitted on all: median / p90", "inside 90%", "models left out", "inside 90%", "sources left out", "inside 90%"]
    return table_of(head, lines)


def constants_csv(rows, constants):
    held = [r for r in rows if r["measure"] != "allocated"]
    out = []
    for whose, ratio in constants.items():
        own = [r for r in held if whose in ("any", r["framework"])]
        low, high = ends([(r["measured"] - context_of(r)) / r["allocated"] / ratio for r in own])
        out.append(["reserved", whose, f"{ratio:g}", f"{ratio * low:.3f}", f"{ratio * high:.3f}", len(own), len({source_of(r) for r in own})])
    text = io.StringIO()
    text.write("# The fitted constants of memory predictions, all of them; written by tools/fit-memory.py, never by hand. reserved:\n"
               "# allocator-reserved over peak allocated. whose: a row of frameworks.csv, or any. low, high: 90% range.\n"
               "# source: evidence/memory.csv\n" + DATE)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "whose", "value", "low", "high", "rows", "sources"])
    writer.writerows(out)
    return text.getvalue()


def spread_csv(table, wider, floor, in_all, by_model, by_source):
    text = io.StringIO()
    text.write("# 90% ranges of measured / predicted memory, by class of run; written by tools/fit-memory.py from evidence/memory.csv.\n"
               "# src: the source the residuals are of; unseen: any other source; seen: that such runs were measured. from, to: predicted\n"
               "# bytes of the rows.\n"
               f"# A measured source's range is its residuals' to the power {wider:g}, and {percent(floor)} or more on either side (see\n"
               "# the script).\n"
               f"# Inside the range: {percent(in_all)} of all rows, {percent(by_model)} of models left out, {percent(by_source)} of sources left out.\n"
               "# source: residuals of evidence/memory.csv\n" + DATE)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["src", "framework", "measure", "kind", "low", "high", "rows", "from", "to"])
    for key in sorted(table):
        low, high, count, start, end = table[key]
        bounds = ["", ""] if key[0] == "seen" else [f"{low - 5e-5:.4f}", f"{high + 5e-5:.4f}"]
        writer.writerow([*key, *bounds, count, f"{start:.3g}", f"{end:.3g}"])
    return text.getvalue()


def between(text, mark, inside):
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    a, b = text.index(begin) + len(begin), text.index(end)
    return text[:a] + "\n" + inside + "\n" + text[b:]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run = subprocess.run([sys.argv[1], "evidence", "--json"], capture_output=True, text=True, check=False)
    rows = json.loads(run.stdout)["answer"]["rows_scored"]
    constants = fit_constants(rows)
    wider, floor, by_model = fit_wider(rows)
    table = ranges(rows, constants, wider, floor)
    all_in = []
    for row in rows:
        low, high = range_for(table, row, False)
        all_in.append((row, predicted(row, constants) / row["measured"] - 1, low <= ratio_of(row, constants) <= high))
    by_source = judged(rows, source_of, True, wider, floor, {})
    page = ROOT / "docs/explanation/memory.md"
    text = page.read_text()
    written = {
        ROOT / "data/training/fitted.csv": constants_csv(rows, constants),
        ROOT / "data/evidence/spread.csv": spread_csv(table, wider, floor, summary(all_in)[2], summary(by_model)[2], summary(by_source)[2]),
        page: between(text, "scores of the fit", score_table(rows, all_in, by_model, by_source)),
    }
    changed = [path for path, content in written.items() if path.read_text() != content]
    for name, results in (("fitted on all", all_in), ("models left out", by_model), ("sources left out", by_source)):
        median, p90, inside = summary(results)
        print(f"{name}: {len(rows)} rows, median {percent(median)}, p90 {percent(p90)}, inside the 90% range {percent(inside)}")
    low = [name for results in (by_model, by_source) for name in regimes_of(rows) if coverage(results, name) < LOWEST]
    print("every regime of 30 rows has 85% inside, models and sources left out" if not low else f"below 85%: {low}")
    # Sources repeat runs: two rows more than 95% are no finding.
    wide = [name for name in regimes_of(rows) if coverage(by_model, name) > HIGHEST + 2 / sum(name in r["regimes"] for r in rows)]
    for name, results in (("all rows, models left out", by_model), ("all rows, sources left out", by_source)):
        inside = summary(results)[2]
        wide += [name] * (inside > HIGHEST)
        low += [f"{name}: {percent(inside)} inside"] * (inside < LOWEST)
    print(f"above 95%: {wide}")
    low += [f"{name} (above 95%)" for name in wide if name not in TOO_WIDE]
    low += [f"{name} (no longer above 95%: take it off the list)" for name in TOO_WIDE if name not in wide]
    if "--check" in sys.argv:
        changed += low
        for path in changed:
            print(f"{path}: not what the fit gives")
        sys.exit(bool(changed))
    for path in changed:
        path.write_text(written[path])


if __name__ == "__main__":
    main()
