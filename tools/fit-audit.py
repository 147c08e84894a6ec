#!/usr/bin/env python3
"""Fits what `floptally audit` assumes, on data/published/runs.csv, and writes data/audit/*.csv.

    tools/fit-audit.py

utilization.csv: the prior of utilization when a run does not state its own: log-linear in the compute, the year, the maker of
the device and the domain, by ridge regression; its spread is that of the leave-one-out errors.
residuals.csv: by how much published compute departs from each method's count, as quantiles of the published over the
counted. operations-checked: facts as corrected in data/published/runs.csv. operations: facts as people find them, one half
corrected, one half as the database has them (words for tokens, all experts for the active ones, passes left out)."""
import csv, math, pathlib
import numpy as np

root = pathlib.Path(__file__).resolve().parent.parent / "data"
read = lambda p: list(csv.DictReader(line for line in open(root / p) if not line.startswith("#")))  # noqa: E731
devices = {r["name"]: r for r in read("hardware/devices.csv")}
runs = read("published/runs.csv")
f = lambda x: float(x) if x not in ("", None) else None  # noqa: E731


def peak(d):
    bf16, fp16, fp32, tf32 = (f(d[k]) for k in ("bf16", "fp16", "fp32", "tf32"))
    return bf16 or (fp16 if fp16 and (not fp32 or fp16 >= 4 * fp32) else None) or tf32 or fp32


def device_hours(r):
    return f(r["device_hours"]) or (f(r["hours"]) * f(r["devices"]) if r["hours"] and r["devices"] else None)


def operations(r):
    """Method 1, or None where its facts are missing."""
    if r["kind"] in ("embedding", "other", "encoder-pair", "multi-stage") or r["kind"] == "moe" and not r["active_parameters"]:
        return None
    if r["domain"] not in ("language", "multimodal") or not r["tokens"] or not r["parameters"]:
        return None
    factor = 3 if r["kind"] == "encoder-decoder" else 6
    return factor * (f(r["active_parameters"]) or f(r["parameters"])) * f(r["tokens"]) * (f(r["passes"]) or 1) + (f(r["base_flop"]) or 0)


def features(r, c):
    return [1.0, math.log(c / 1e23), float(r["date"][:4]) - 2022, 1.0 if r["device"].startswith("TPU") else 0.0, 0.0 if r["domain"] in ("language", "multimodal") else 1.0]


# --- utilization -------------------------------------------------------------------------------------------------------
X, y, names = [], [], []
for r in runs:
    hours = device_hours(r)
    if not hours or not r["device"] or r["fault"] or not peak(devices[r["device"]]):
        continue
    c = operations(r) if operations(r) and r["domain"] == "language" else f(r["flop"]) if r["flop_from"] in ("operations", "developer") else None
    if not c:
        continue
    c -= f(r["base_flop"]) or 0
    if c <= 0 or r["flop_from"] in ("hardware",) and not operations(r):
        continue
    u = c / (hours * 3600 * peak(devices[r["device"]]))
    if 0.02 < u < 0.97:
        X.append(features(r, c)); y.append(math.log(u)); names.append(r["name"])
X, y = np.array(X), np.array(y)
ridge = np.diag([0, 5, 5, 5, 5.0])
solve = lambda A, b: np.linalg.solve(A.T @ A + ridge, A.T @ b)  # noqa: E731
w = solve(X, y)
loo = np.array([y[i] - X[i] @ solve(np.delete(X, i, 0), np.delete(y, i)) for i in range(len(y))])
w[0] += float(np.median(loo))  # the median run, not the mean of a skewed lot
loo = loo - np.median(loo)
sigma = float(np.quantile(np.abs(loo), 0.9) / 1.6448536)
(root / "audit").mkdir(exist_ok=True)
with open(root / "audit/utilization.csv", "w", newline="") as file:
    file.write("# date: 2026-08-22\n# source: data/published/runs.csv, fitted by tools/fit-audit.py\n# Prior of utilization (FLOP counted / device-hours x dense peak): ln u = sum of value x feature; features as named.\n"
               f"# Fitted by tools/fit-audit.py on {len(y)} rows of data/published/runs.csv; leave-one-out: sd {np.std(loo):.3f}, 90% of errors within {np.quantile(np.abs(loo), .9):.3f} (natural log).\n")
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["term", "value", "meaning"])
    for term, value, meaning in zip(["intercept", "ln_flop", "year", "tpu", "not_language"], w,
                                    ["ln u of a language model of 1e23 FLOP on GPUs in 2022", "per ln(FLOP / 1e23)", "per year since 2022", "on a TPU", "other domains than language"]):
        out.writerow([term, f"{value:.4f}", meaning])
    out.writerow(["sigma", f"{sigma:.4f}", "natural-log standard deviation that covers 90% of leave-one-out errors"])
    out.writerow(["rows", len(y), "runs fitted on"])
    out.writerow(["article_language", 0.30, "named option: Sevilla et al. 2022, large language models"])
    out.writerow(["article_other", 0.40, "named option: Sevilla et al. 2022, other models"])
print(f"utilization: {len(y)} rows, w {np.round(w, 3)}, loo sd {np.std(loo):.3f}, sigma90 {sigma:.3f}, median u {math.exp(np.median(y)):.3f}")
reported = sorted(f(r["utilization"]) for r in runs if r["utilization"])
ln = np.log(reported)
print(f"stated utilization: n {len(ln)}, median {np.median(reported):.3f}, geometric mean {math.exp(ln.mean()):.3f}, sd of ln {ln.std():.3f}")

# --- residuals ---------------------------------------------------------------------------------------------------------
# Weibull positions k/(n+1): a new run falls below the q-th quantile with probability q.
QUANTILES = [0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 0.99, 1.0]
one, raw, quoted = [], [], []
for r in runs:
    if r["fault"] or not r["flop"]:
        continue
    c = operations(r)
    if c and r["domain"] == "language":
        one.append((f(r["flop"]) / c, c))
        if r["dataset"] and not r["base_flop"]:
            raw.append((f(r["flop"]) / (6 * f(r["parameters"]) * f(r["dataset"]) * (f(r["epochs"]) or 1)), c))
    hours = device_hours(r)
    if hours and r["device"] and r["utilization"] and r["utilization_from"] in ("reported", "stated") and not r["base_flop"]:
        ratio = f(r["flop"]) / (hours * 3600 * peak(devices[r["device"]]) * f(r["utilization"]))
        if abs(math.log(ratio)) > 0.015:  # nearer to 1, the utilization was worked out from the compute
            quoted.append(ratio)
ratios = lambda rows: [x for x, _ in rows]  # noqa: E731
for what, rows in (("checked", one), ("as found", raw)):
    print(f"method 1, {what}: {len(rows)} rows, within 1.5x {np.mean([1 / 1.5 <= x <= 1.5 for x in ratios(rows)]):.3f}")
    for low, high in ((0, 1e22), (1e22, 1e30)):
        a, b = np.quantile([x for x, c in one + raw if low <= c < high], [.05, .95])
        print(f"  counts from {low:g}: pooled range {a:.3g} to {b:.3g} holds {np.mean([a <= x <= b for x, c in rows if low <= c < high]):.3f}")
print(f"method 2, utilization stated: {len(quoted)} rows, quantiles {np.round(np.quantile(quoted, [.05, .1, .25, .5, .75, .9, .95]), 3)}")
LARGE = 1e22  # FLOP: smaller runs are mostly academic, with passes over small corpora
with open(root / "audit/residuals.csv", "w", newline="") as file:
    file.write("# date: 2026-08-22\n# source: data/published/runs.csv, fitted by tools/fit-audit.py\n# Published compute over the method's count, by quantile, for counts from `from` FLOP on (tools/fit-audit.py on data/published/runs.csv).\n"
               f"# operations: {len(one)} language models, checked, and {len(raw)} as found; hardware-stated: {len(quoted)} runs that report a utilization of their own and the hours of the whole run: restarts, stalls, smaller phases.\n")
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["method", "from", "quantile", "ratio"])
    for method, low, values in [(m, low, [x for x, c in v if (c >= LARGE) == (low > 0)]) for m, v in (("operations-checked", one), ("operations", one + raw)) for low in (0, LARGE)] + [("hardware-stated", 0, quoted)]:
        print(f"  {method} from {low:g}: {len(values)} rows, 90% {np.quantile(values, .05):.3g} to {np.quantile(values, .95):.3g}")
        for q in QUANTILES:
            out.writerow([method, f"{low:g}", q, f"{np.quantile(values, q, method='weibull'):.4g}"])
if __name__ == "__main__" and __import__("sys").argv[1:]:
    for e, n, u in sorted(zip(loo, names, y)):
        print(f"{e:+.2f} {math.exp(u):.3f} {n}")
