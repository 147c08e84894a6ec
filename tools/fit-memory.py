#!/usr/bin/env python3
"""Fits every fitted constant of the memory predictions, and their 90% ranges, from the shipped rows of measured memory.

usage: tools/fit-memory.py FLOPTALLY [--check]

Writes data/training/fitted.csv (the constants), data/evidence/spread.csv (the ranges) and the tables between the marks
in docs/explanation/memory.md (how both do on sources and models that were left out); --check only compares, and exits 1
where a file would change. Everything else in a prediction is arithmetic or a rule with its source.

The constant is reserved: allocator-reserved over peak allocated, for every framework with fifteen rows or more beyond
allocated memory (its older versions with it: fsdp-2024 is fsdp), and one for all others. Each minimizes the mean over
sources (frameworks, for the last) of the median absolute error, so that a source with many rows has no more say (and
one of few rows less). How ranges are made stands in memory_ranges.py.
"""
import csv
import io
import json
import math
import pathlib
import statistics
import subprocess
import sys

from memory_ranges import COVERAGE, HIGHEST, LOWEST, Ranges, chain, grouped, model_of, regimes_of, source_of

ROOT = pathlib.Path(__file__).parent.parent
ENOUGH = 15  # rows beyond allocated memory that a framework needs for a constant of its own
FEW = 5  # rows of a source that has as much say in a constant as any
DATE = "# date: 2026-11-22 (when the fit was made)\n"
# Regimes outside 85 to 95% where something was left out; any other is a finding, and so is one that is listed and inside.
# Experts: six rows of one model, Moonlight in Megatron-Bridge, 4 to 6% too low. SimuMax's cases are 21 runs of a few models,
# most of the B200 runs, and their ranks repeat one another: a range for a new model of theirs holds all or misses three.
# V100 and pipelines are two sources each. ms-swift's samples vary in length, which fragments the allocator's cache: no other
# source of reserved memory shows that much. The factor for sources that were not measured is made for the regime that needs it most.
OUTSIDE = {
    "fitted on all": set(),
    "models left out": {"experts yes", "framework megatron-deepspeed", "generation b200", "generation v100", "parallel pipeline", "parameters above 1e10",
                        "source SimuMax b200 v1.2", "source foundation-model-stack/fms-acceleration",
                        "source modelscope/ms-swift"},
    "sources left out": {"all rows", "measure reserved", "source modelscope/ms-swift"},
}
CONTEXT = 1.17e9  # device_overheads.csv


def context_of(row):
    """What a row's meter shows beyond reserved memory: a rule of data/training/device_overheads.csv."""
    return CONTEXT if row["measure"] == "nvidia-smi" else 0.0


def predicted(row, constants):
    if row["measure"] == "allocated":
        return row["allocated"]
    ratio = constants.get(row["framework"], constants["any"])
    return math.ceil(ratio * row["allocated"] / 2**21) * 2**21 + context_of(row)


RATIOS = [round(1.0 + step * 0.005, 3) for step in range(101)]


def misses(row):
    """The row's absolute error with every ratio."""
    if "misses" not in row:
        row["misses"] = [abs(predicted(row, {"any": ratio}) / row["measured"] - 1) for ratio in RATIOS]
    return row["misses"]


def best_ratio(rows, group_of):
    """The ratio with the least mean over groups of the median absolute error; small groups have less say."""
    groups = grouped(rows, group_of).values()
    weights = [min(1.0, len(group) / FEW) for group in groups]
    medians = [[statistics.median(column) for column in zip(*map(misses, group))] for group in groups]
    scores = [sum(w * m for w, m in zip(weights, column)) / sum(weights) for column in zip(*medians)]
    return min(zip((round(score, 9) for score in scores), RATIOS))[1]  # the least of equals


def family_of(framework):
    """A framework without the year of an older version."""
    stem, _, year = framework.rpartition("-")
    return stem if year.isdigit() else framework


def fit_constants(rows):
    held = [r for r in rows if r["measure"] != "allocated"]
    out = {"any": best_ratio(held, lambda r: family_of(r["framework"])) if held else 1.04}
    for family, own in sorted(grouped(held, lambda r: family_of(r["framework"])).items()):
        if len(own) >= ENOUGH:
            ratio = best_ratio(own, source_of)
            out.update((framework, ratio) for framework in sorted({r["framework"] for r in own}))
    return out


def ends(ratios):
    """The conformal 90% range of a next ratio, and 1: the prediction itself is always inside."""
    values = sorted(ratios)
    out = int((len(values) + 1) * (1 - COVERAGE) / 2)
    return min(1.0, values[out]), max(1.0, values[-1 - out])


def ratio_of(row, constants):
    return row["measured"] / predicted(row, constants)


def remembered(fit):
    """`fit`, made once for every set of rows beyond allocated memory."""
    known = {}

    def recall(rows):
        key = tuple(id(row) for row in rows if row["measure"] != "allocated")
        if key not in known:
            known[key] = fit(rows)
        return known[key]

    return recall


def miss_of(row, constants):
    return abs(math.log(ratio_of(row, constants)))


def judged(rows, ranges):
    """(row, error, inside) of every row."""
    return [(row, predicted(row, ranges.constants) / row["measured"] - 1, ranges.holds(row)) for row in rows]


def left_out(rows, fit, group_of):
    """The same with constants and ranges made without the row's group."""
    out = {}
    for group, part in grouped(rows, group_of).items():
        ranges = Ranges([row for row in rows if group_of(row) != group], fit, miss_of)
        out.update((id(result[0]), result) for result in judged(part, ranges))
    return [out[id(row)] for row in rows]


def summary(results):
    errors = sorted(abs(e) for _, e, _ in results)
    at = 0.9 * (len(errors) - 1)
    p90 = errors[int(at)] + (at - int(at)) * (errors[min(int(at) + 1, len(errors) - 1)] - errors[int(at)])
    return statistics.median(errors), p90, sum(inside for *_, inside in results) / len(results)


def coverage(results, regime):
    inside = [i for row, _, i in results if regime in row["regimes"]]
    return sum(inside) / len(inside)


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
        own = [r for r in held if whose == "any" or family_of(whose) == family_of(r["framework"])]
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


def spread_rows(rows, ranges):
    """Scales by class, factors by regime, and which kinds of run were measured at which sizes."""
    out = []
    chains = {key: chain(row)[: i + 1] for row in rows for i, key in enumerate(chain(row))}
    for key in sorted(chains):
        scale = math.exp(ranges.scales.along(chains[key]))
        out.append(["scale", *key, f"{scale:.5f}", sum(map(len, ranges.scales.members[key].values())), "", ""])
    for name, value in sorted(ranges.factors.items()):
        out.append(["factor", "any", "any", "any", name, f"{math.exp(value):.4f}", sum(name in row["regimes"] for row in rows) or len(rows), "", ""])
    seen = {}
    for row in rows:
        for kind in (row["kind"], "any"):
            seen.setdefault((row["framework"], row["measure"], kind), []).append(predicted(row, ranges.constants))
    for (framework, measure, kind), sizes in sorted(seen.items()):
        out.append(["seen", "any", framework, measure, kind, "", len(sizes), f"{min(sizes):.3g}", f"{max(sizes):.3g}"])
    return out


def spread_csv(rows, ranges, in_all, by_model, by_source):
    text = io.StringIO()
    text.write("# 90% ranges of memory predictions, by class of run; written by tools/fit-memory.py from evidence/memory.csv.\n"
               "# A range is the prediction times or divided by exp(scale x factors): the scale of the narrowest class (src, framework,\n"
               "# measure, kind) that the run belongs to, the factor of all runs, those of its regimes (column kind), and that of an unseen\n"
               "# source where it is of none of these. seen: which kinds of run were measured; from, to: their predicted bytes.\n"
               f"# Inside the range: {percent(in_all)} of all rows, {percent(by_model)} of models left out, {percent(by_source)} of sources left out.\n"
               "# source: residuals of evidence/memory.csv\n" + DATE)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["what", "src", "framework", "measure", "kind", "value", "rows", "from", "to"])
    writer.writerows(spread_rows(rows, ranges))
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
    fit = remembered(fit_constants)
    ranges = Ranges(rows, fit, miss_of)
    all_in = judged(rows, ranges)
    by_model = left_out(rows, fit, model_of)
    by_source = left_out(rows, fit, source_of)
    page = ROOT / "docs/explanation/memory.md"
    text = page.read_text()
    written = {
        ROOT / "data/training/fitted.csv": constants_csv(rows, ranges.constants),
        ROOT / "data/evidence/spread.csv": spread_csv(rows, ranges, summary(all_in)[2], summary(by_model)[2], summary(by_source)[2]),
        page: between(text, "scores of the fit", score_table(rows, all_in, by_model, by_source)),
    }
    changed = [path for path, content in written.items() if path.read_text() != content]
    for name, results in (("fitted on all", all_in), ("models left out", by_model), ("sources left out", by_source)):
        median, p90, inside = summary(results)
        print(f"{name}: {len(rows)} rows, median {percent(median)}, p90 {percent(p90)}, inside the 90% range {percent(inside)}")
    findings = []
    for name, results in (("fitted on all", all_in), ("models left out", by_model), ("sources left out", by_source)):
        shares = {"all rows": summary(results)[2], **{regime: coverage(results, regime) for regime in regimes_of(rows)}}
        # With its source left out a row of a small regime is in or out with it: there the ranges must hold enough.
        narrow = {regime for regime, value in shares.items() if value < LOWEST}
        wide = {regime for regime, value in shares.items() if value > HIGHEST and (name != "sources left out" or regime == "all rows")}
        print(f"{name}: outside 85 to 95%: " + (", ".join(f"{r} {percent(shares[r])}" for r in sorted(narrow | wide)) or "none"))
        findings += [f"{name}: {regime} {percent(shares[regime])}" for regime in sorted((narrow | wide) - OUTSIDE[name])]
        findings += [f"{name}: {regime} is inside: take it off the list" for regime in sorted(OUTSIDE[name] - narrow - wide)]
    if "--check" in sys.argv:
        # The program reads the ranges from the table; it must come to the same ends.
        told = [row for row in rows if abs(math.log(row["p95"] / row["predicted"]) - ranges.width(row)) > 1e-3 + 0.01 * ranges.width(row)]
        findings += [f"{row['row']}, {row['measure']}: the program's range is not the fit's" for row in told]
        for path in changed:
            print(f"{path}: not what the fit gives")
        for finding in findings:
            print(finding)
        sys.exit(bool(changed or findings))
    for path in changed:
        path.write_text(written[path])


if __name__ == "__main__":
    main()
