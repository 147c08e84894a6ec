#!/usr/bin/env python3
"""Fits every fitted constant of the memory predictions, and their 90% ranges, from the shipped rows of measured memory.

usage: tools/fit-memory.py FLOPTALLY [--check]

Writes data/training/fitted.csv (the constants), data/evidence/spread.csv (the ranges) and the tables between the marks
in docs/explanation/memory-accuracy.md (how both do on sources and models that were left out); --check only compares, and exits 1
where a file would change. Everything else in a prediction is arithmetic or a rule with its source.

The constants are

- expert_load: tokens of the fullest rank of an expert group over the mean, where nothing makes them even; one for all.
  It minimizes the mean over models of the median absolute error of allocated memory.
- reserved: allocator-reserved over peak allocated, for every framework with fifteen rows or more beyond allocated memory
  (its older versions with it: fsdp-2024 is fsdp), and one for all others. Each minimizes the mean over sources
  (frameworks, for the last) of the median absolute error.

Where micro-batches differ in length, data/training/allocator.csv stands in place of reserved: simulated, not fitted.
So a source or model with many rows has no more say (and a source of few rows less). How ranges are made stands in
memory_ranges.py.
"""
import csv
import io
import json
import math
import multiprocessing
import pathlib
import statistics
import subprocess
import sys

from memory_ranges import COVERAGE, HIGHEST, LOWEST, SEPARATOR, Ranges, chain, distinct, grouped, model_of, regimes_of, source_of

ROOT = pathlib.Path(__file__).parent.parent
LOAD = "expert_load"
ENOUGH = 15  # rows beyond allocated memory that a framework needs for a constant of its own
FEW = 5  # rows of a source that has as much say in a constant as any
DATE = "# date: 2026-11-22 (when the fit was made)\n"
# Regimes outside 85 to 95% where something was left out; any other is a finding, and so is one that is listed and inside.
# More than 95%: SimuMax's cases, most of the B200 runs, are a few runs of two models that repeat one another, nearly all
# missed by less than 1%; the others by one or two rows each, and all rows where their source is left out. Less than 85%,
# its source left out: FSDP1 under transformers, which one source measured.
# Ranges hold more of the rows that they were made from: all of these lie above 95%.
OUTSIDE = {
    "fitted on all": {"generation b200", "parallel pipeline", "source SimuMax b200 v1.2",
                      "source litgpt tutorials/resource-tables.md", "source modelscope/ms-swift"},
    "models left out": {"framework megatron-deepspeed", "generation b200", "generation v100", "parallel pipeline",
                        "source SimuMax b200 v1.2", "source modelscope/ms-swift"},
    "sources left out": {"all rows", "framework huggingface-fsdp"},
}
CONTEXT = 1.17e9  # device_overheads.csv


def scattered_times():
    """data/training/allocator.csv: reserved over allocated of what comes and goes within a step, where lengths vary."""
    with open(ROOT / "data/training/allocator.csv", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return next(float(row["value"]) for row in rows if row["name"] == "scattered")


SCATTERED = scattered_times()


def context_of(row):
    """What a row's meter shows beyond reserved memory: a rule of data/training/device_overheads.csv."""
    return CONTEXT if row["measure"] == "nvidia-smi" else 0.0


def allocated(row, load):
    """Peak allocated memory with `load`; the program's is with the row's own."""
    return row["allocated"] + (load - row["expert_load"]) * row["expert_bytes"] if row["expert_bytes"] else row["allocated"]


def predicted(row, constants):
    bytes_ = allocated(row, constants[LOAD])
    if row["measure"] == "allocated":
        return bytes_
    if row["scattered"]:
        held = bytes_ + (SCATTERED - 1) * row["scattered"]
    else:
        held = constants.get(row["framework"], constants["any"]) * bytes_
    return math.ceil(held / 2**21) * 2**21 + context_of(row)


LOADS = [round(1.0 + step * 0.05, 2) for step in range(21)]
RATIOS = [round(1.0 + step * 0.005, 3) for step in range(101)]


def misses(row, load):
    """The row's absolute error with every ratio."""
    known = row.setdefault("misses", {})
    key = load if row["expert_bytes"] else None
    if key not in known:
        known[key] = [abs(predicted(row, {"any": ratio, LOAD: load}) / row["measured"] - 1) for ratio in RATIOS]
    return known[key]


def best_ratio(rows, group_of, load):
    """The ratio with the least mean over groups of the median absolute error; small groups have less say."""
    groups = grouped(rows, group_of).values()
    weights = [min(1.0, len(group) / FEW) for group in groups]
    medians = [[statistics.median(column) for column in zip(*(misses(row, load) for row in group))] for group in groups]
    scores = [sum(w * m for w, m in zip(weights, column)) / sum(weights) for column in zip(*medians)]
    return min(zip((round(score, 9) for score in scores), RATIOS))[1]  # the least of equals


def spread_experts(rows):
    return [r for r in rows if r["measure"] == "allocated" and r["expert_bytes"] > 0]


def best_load(rows):
    """The load with the least mean over models of the median absolute error."""
    groups = grouped(spread_experts(rows), model_of).values()

    def score(load):
        return sum(statistics.median(abs(allocated(r, load) / r["measured"] - 1) for r in group) for group in groups)

    return min(LOADS, key=lambda load: (round(score(load), 9), load))


def evenly_reserved(rows):
    """The rows that the ratio of reserved over allocated memory is fitted on."""
    return [r for r in rows if r["measure"] != "allocated" and not r["scattered"]]


def family_of(framework):
    """A framework without the year of an older version."""
    stem, _, year = framework.rpartition("-")
    return stem if year.isdigit() else framework


def code_of(framework):
    """The software that a framework's row is of: under FSDP it is the same, and has one say in the constant of all others."""
    return family_of(framework).removesuffix("-fsdp")


def fit_constants(rows):
    held, load = evenly_reserved(rows), best_load(rows)
    out = {LOAD: load, "any": best_ratio(held, lambda r: code_of(r["framework"]), load) if held else 1.04}
    for family, own in sorted(grouped(held, lambda r: family_of(r["framework"])).items()):
        if len(own) >= ENOUGH:
            ratio = best_ratio(own, source_of, load)
            out.update((framework, ratio) for framework in sorted({r["framework"] for r in own}))
    return out


def ends(ratios):
    """The conformal 90% range of a next ratio, and 1: the prediction itself is always inside."""
    values = sorted(ratios)
    out = int((len(values) + 1) * (1 - COVERAGE) / 2)
    return min(1.0, values[out]), max(1.0, values[-1 - out])


def ratio_of(row, constants):
    return row["measured"] / predicted(row, constants)


class Remembered:
    """The constants of rows, made once for every set of those that they depend on."""

    def __init__(self, fit):
        self.fit, self.known = fit, {}

    @staticmethod
    def looks_at(row):
        return row["measure"] != "allocated" or row["expert_bytes"] > 0

    def __call__(self, rows):
        key = tuple(id(row) for row in rows if self.looks_at(row))
        if key not in self.known:
            self.known[key] = self.fit(rows)
        return self.known[key]


def miss_of(row, constants):
    """Where the row may have had an older version of its software, or another rank than the fullest is seen, by the nearer
    of both predictions; 0 between them."""
    miss = math.log(ratio_of(row, constants))
    if row["either"] and miss < 0:
        best = predicted(row, constants)
        return max(0.0, -math.log(row["measured"] / (best - row["either"])))
    return abs(miss)


def judged(rows, ranges):
    """(row, error, inside) of every row."""
    return [(row, predicted(row, ranges.constants) / row["measured"] - 1, ranges.holds(row)) for row in rows]


class LeftOut:
    """The same with constants and ranges made without a row's group, one group at a time."""

    def __init__(self, rows, fit, group_of):
        self.rows, self.fit, self.group_of = rows, fit, group_of

    def __call__(self, group):
        """(index, error, inside) of the group's rows."""
        ranges = Ranges([row for row in self.rows if self.group_of(row) != group], self.fit, miss_of)
        part = [(i, row) for i, row in enumerate(self.rows) if self.group_of(row) == group]
        return [(i, error, inside) for (i, _), (_, error, inside) in zip(part, judged([row for _, row in part], ranges))]


def without_group(group):
    return TASK(group)


def left_out(rows, fit, group_of):
    """judged() of every row, its group left out; on all cores."""
    global TASK  # inherited by the workers: rows are known by identity
    TASK = LeftOut(rows, fit, group_of)
    with multiprocessing.get_context("fork").Pool() as pool:
        found = [each for part in pool.imap_unordered(without_group, list(grouped(rows, group_of)), 4) for each in part]
    return [(rows[i], error, inside) for i, error, inside in sorted(found)]


def summary(results):
    errors = sorted(abs(e) for _, e, _ in results)
    at = 0.9 * (len(errors) - 1)
    p90 = errors[int(at)] + (at - int(at)) * (errors[min(int(at) + 1, len(errors) - 1)] - errors[int(at)])
    return statistics.median(errors), p90, sum(inside for *_, inside in results) / len(results)


def share(results):
    return percent(summary(results)[2])


def coverage(results, regime):
    inside = [i for row, _, i in results if regime in row["regimes"]]
    return sum(inside) / len(inside)


def by_chance(rows):
    """Regimes, and how many of them a range that holds each row with 90%, one by one, would leave outside 85 to 95%."""
    outside, names = 0.0, regimes_of(rows)
    for name in names:
        count = sum(name in row["regimes"] for row in rows)
        for inside in range(count + 1):
            if not LOWEST <= inside / count <= HIGHEST:
                outside += math.comb(count, inside) * COVERAGE**inside * (1 - COVERAGE) ** (count - inside)
    return len(names), outside


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
    regimes, outside = by_chance(rows)
    note = f"A range that held every row with 90%, one by one, would leave {outside:.1f} of the {regimes} regimes outside 85 to 95%."
    return table_of(head, lines) + "\n\n" + note


def constants_csv(rows, constants):
    held = evenly_reserved(rows)
    out = []
    spread, load = spread_experts(rows), constants[LOAD]
    low, high = ends([(r["measured"] - allocated(r, 0)) / r["expert_bytes"] / load for r in spread])
    out.append([LOAD, "any", f"{load:g}", f"{load * low:.3f}", f"{load * high:.3f}", len(spread), len({source_of(r) for r in spread})])
    for whose, ratio in constants.items():
        if whose == LOAD:
            continue
        own = [r for r in held if whose == "any" or family_of(whose) == family_of(r["framework"])]
        low, high = ends([(r["measured"] - context_of(r)) / allocated(r, load) / ratio for r in own])
        out.append(["reserved", whose, f"{ratio:g}", f"{ratio * low:.3f}", f"{ratio * high:.3f}", len(own), len({source_of(r) for r in own})])
    text = io.StringIO()
    text.write("# The fitted constants of memory predictions, all of them; written by tools/fit-memory.py, never by hand. expert_load:\n"
               "# tokens of the fullest rank of an expert group over the mean. reserved: allocator-reserved over peak allocated. whose: a row of frameworks.csv, or any. low, high: 90% range.\n"
               "# source: evidence/memory.csv\n" + DATE)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "whose", "value", "low", "high", "rows", "sources"])
    writer.writerows(out)
    return text.getvalue()


def spread_rows(rows, ranges, by_model):
    """Scales by class, factors and coverage by regime, and which kinds of run were measured at which sizes."""
    out = []
    chains = {key: chain(row)[: i + 1] for row in rows for i, key in enumerate(chain(row))}
    for key in sorted(chains):
        scale = math.exp(ranges.scales.along(chains[key]))
        out.append(["scale", *key.split(SEPARATOR), f"{scale:.5f}", sum(map(len, ranges.scales.members[key].values())), "", ""])
    for name, value in sorted(ranges.factors.items()):
        out.append(["factor", "any", "any", "any", name, f"{math.exp(value):.4f}", len(rows), "", ""])
    for name in ("all", *regimes_of(rows)):
        inside = [i for row, _, i in by_model if name == "all" or name in row["regimes"]]
        out.append(["left out", "any", "any", "any", name, f"{sum(inside) / len(inside):.4f}", len(inside), "", ""])
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
               "# A range is the prediction times or divided by exp(scale x factor): the scale of the narrowest class (src, framework,\n"
               "# measure, kind) that the run belongs to, the factor of all runs, or of an unseen source where it is of none of these. seen: which kinds of run were measured; from, to: their predicted bytes.\n"
               "# left out: the share of a regime's rows inside ranges that were made without the row's model.\n"
               f"# Inside the range: {share(in_all)} of all rows, {share(by_model)} of models left out, {share(by_source)} of sources left out.\n"
               "# source: residuals of evidence/memory.csv\n" + DATE)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["what", "src", "framework", "measure", "kind", "value", "rows", "from", "to"])
    writer.writerows(spread_rows(rows, ranges, by_model))
    return text.getvalue()


def between(text, mark, inside):
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    a, b = text.index(begin) + len(begin), text.index(end)
    return text[:a] + "\n" + inside + "\n" + text[b:]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run = subprocess.run([sys.argv[1], "evidence", "--json"], capture_output=True, text=True, check=False)
    scored = json.loads(run.stdout)["answer"]["rows_scored"]
    rows = distinct(scored)
    fit = Remembered(fit_constants)
    ranges = Ranges(rows, fit, miss_of)
    all_in = judged(rows, ranges)
    by_model = left_out(rows, fit, model_of)
    by_source = left_out(rows, fit, source_of)
    page = ROOT / "docs/explanation/memory-accuracy.md"
    text = page.read_text()
    written = {
        ROOT / "data/training/fitted.csv": constants_csv(rows, ranges.constants),
        ROOT / "data/evidence/spread.csv": spread_csv(rows, ranges, all_in, by_model, by_source),
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
        told = [row for row in scored if abs(math.log(row["p95"] / row["predicted"]) - ranges.width(row)) > 1e-3 + 0.01 * ranges.width(row)]
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
