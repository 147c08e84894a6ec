#!/usr/bin/env python3
"""Fits what `floptally audit` assumes and writes data/audit/*.csv.

    tools/fit-audit.py FLOPTALLY DATABASE    the built program; a table of published runs as they are found (Epoch AI's)

active_share.csv: active over all parameters of mixtures of experts, log-linear in their size, on the configs and runs that
state both. utilization.csv: the prior of utilization when a run does not state its own: log-linear in the compute, the year,
the maker of the device and the domain, by ridge regression; three spreads of the errors of rows left out: of checked facts, of a
database's rows, of both together. residuals.csv: by how much published compute departs from each method's count, as quantiles
of the published over the counted:
  operations-checked  facts as corrected in data/published/runs.csv
  table               rows of the database as they are, language, epochs not stated; table-passes: epochs stated
  other-domains       rows of the database as they are, other domains
  multimodal          language and vision together, rows as they are and corrected ones
  operations          facts as people find them: operations-checked and table together
  hardware-stated     runs that report a utilization of their own and the hours of the whole run
What is printed holds each range against rows left out, one organization at a time."""
import csv, json, math, pathlib, subprocess, sys, tempfile
import numpy as np

root = pathlib.Path(__file__).resolve().parent.parent / "data"
floptally, database = sys.argv[1:3]
HEAD = "# date: 2026-08-22\n# source: {}, fitted by tools/fit-audit.py\n"
# Weibull positions k/(n+1): a new run falls below the q-th quantile with probability q.
QUANTILES = [0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 0.99, 1.0]
LARGE = 1e22  # FLOP: smaller runs are mostly academic, with passes over small corpora


def read(path):
    return list(csv.DictReader(line for line in open(root / path) if not line.startswith("#")))


def number(text):
    return float(text) if text not in ("", None) else None


def answer(*words):
    done = subprocess.run([floptally, *words, "--format", "json"], capture_output=True, text=True)
    return json.loads(done.stdout)["answer"] if done.stdout else {}


devices = {r["name"]: r for r in read("hardware/devices.csv")}
runs = read("published/runs.csv")


def peak(d):
    bf16, fp16, fp32, tf32 = (number(d[k]) for k in ("bf16", "fp16", "fp32", "tf32"))
    return bf16 or (fp16 if fp16 and (not fp32 or fp16 >= 4 * fp32) else None) or tf32 or fp32


def device_hours(r):
    return number(r["device_hours"]) or (number(r["hours"]) * number(r["devices"]) if r["hours"] and r["devices"] else None)


def operations(r):
    """Method 1 on a shipped row, or None where its facts are missing."""
    if r["kind"] in ("embedding", "other", "encoder-pair", "multi-stage") or r["kind"] == "moe" and not r["active_parameters"]:
        return None
    if r["domain"] not in ("language", "multimodal") or not r["tokens"] or not r["parameters"]:
        return None
    factor = 3 if r["kind"] == "encoder-decoder" else 6
    return factor * (number(r["active_parameters"]) or number(r["parameters"])) * number(r["tokens"]) * (number(r["passes"]) or 1) + (number(r["base_flop"]) or 0)


def weibull(values, q):
    return np.quantile(values, q, method="weibull")


def held(rows):
    """Share of (ratio, organization) rows inside the 5% to 95% range of the rows of other organizations."""
    inside = 0
    for x, organization in rows:
        others = [y for y, o in rows if o != organization]
        inside += weibull(others, 0.05) <= x <= weibull(others, 0.95)
    return inside / len(rows)


# --- mixtures of experts ----------------------------------------------------------------------------------------------
def fit_active_share():
    pairs = [(number(r["parameters"]), number(r["active_parameters"])) for r in runs if r["kind"] == "moe" and r["active_parameters"]]
    for config in sorted((root / "models/hub").glob("*.json")):
        counted = answer("model", str(config))
        all_of_it, active = (counted.get(k, {}).get("value") for k in ("parameters", "active_parameters"))
        if all_of_it and active and active < 0.8 * all_of_it:
            pairs.append((all_of_it, active))
    X = np.array([[1, math.log(n / 1e11)] for n, _ in pairs])
    y = np.array([math.log(a / n) for n, a in pairs])
    solve = lambda A, b: np.linalg.lstsq(A, b, rcond=None)[0]  # noqa: E731
    errors = [y[i] - X[i] @ solve(np.delete(X, i, 0), np.delete(y, i)) for i in range(len(y))]
    w, sigma = solve(X, y), float(np.quantile(np.abs(errors), 0.9) / 1.6448536)
    with open(root / "audit/active_share.csv", "w") as file:
        file.write(HEAD.format("data/models/hub and data/published/runs.csv"))
        file.write(f"# Active over all parameters of {len(y)} mixtures of experts that state both: ln share = sum of value x feature.\nterm,value,meaning\n")
        file.write(f"intercept,{w[0]:.4f},ln(active / all parameters) at 1e11 parameters\nln_parameters,{w[1]:.4f},per ln(parameters / 1e11)\n")
        file.write(f"sigma,{sigma:.4f},natural-log standard deviation that covers 90% of leave-one-out errors\n")
        file.write("dense_limit,1e12,parameters above which no dense model has been published (largest: PaLM with 5.4e11)\n")
    print(f"active share: {len(y)} mixtures, at 1e11 {math.exp(w[0]):.3f}, exponent {w[1]:.3f}, sigma90 {sigma:.3f}")


# --- utilization ------------------------------------------------------------------------------------------------------
def features(r, c):
    return [1.0, math.log(c / 1e23), float(r["date"][:4]) - 2022, 1.0 if r["device"].startswith("TPU") else 0.0, 0.0 if r["domain"] in ("language", "multimodal") else 1.0]


def fit_utilization(found):
    X, y = [], []
    for r in runs:
        hours = device_hours(r)
        if not hours or not r["device"] or r["fault"] or not peak(devices[r["device"]]):
            continue
        c = operations(r) if operations(r) and r["domain"] == "language" else number(r["flop"]) if r["flop_from"] in ("operations", "developer") else None
        c = c and c - (number(r["base_flop"]) or 0)
        if not c or c <= 0 or r["flop_from"] == "hardware" and not operations(r):
            continue
        u = c / (hours * 3600 * peak(devices[r["device"]]))
        if 0.02 < u < 0.97:
            X.append(features(r, c)); y.append(math.log(u))
    X, y = np.array(X), np.array(y)
    ridge = np.diag([0, 5, 5, 5, 5.0])
    solve = lambda A, b: np.linalg.solve(A.T @ A + ridge, A.T @ b)  # noqa: E731
    w = solve(X, y)
    errors = np.array([y[i] - X[i] @ solve(np.delete(X, i, 0), np.delete(y, i)) for i in range(len(y))])
    w[0] += float(np.median(errors))  # the median run, not the mean of a skewed lot
    errors = errors - np.median(errors)
    loose = [math.log(x) for x, _ in found]
    spread = lambda e: float(np.quantile(np.abs(e), 0.9) / 1.6448536)  # noqa: E731
    checked, table, both = spread(errors), spread(loose), spread(np.concatenate([errors, loose]))
    meanings = ["ln u of a language model of 1e23 FLOP on GPUs in 2022", "per ln(FLOP / 1e23)", "per year since 2022", "on a TPU", "other domains than language"]
    with open(root / "audit/utilization.csv", "w", newline="") as file:
        file.write(HEAD.format("data/published/runs.csv and Epoch AI's database") + "# Prior of utilization (FLOP counted / device-hours x dense peak): ln u = sum of value x feature; features as named.\n"
                   f"# Fitted on {len(y)} rows of data/published/runs.csv; leave-one-out: sd {np.std(errors):.3f}, 90% of errors within {np.quantile(np.abs(errors), .9):.3f} (natural log).\n"
                   f"# Spreads: natural-log standard deviations that cover 90% of errors, of those rows left out, of {len(loose)} rows of the database as they are, of both.\n")
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["term", "value", "meaning"])
        for term, value, meaning in zip(["intercept", "ln_flop", "year", "tpu", "not_language"], w, meanings):
            out.writerow([term, f"{value:.4f}", meaning])
        out.writerow(["sigma_checked", f"{checked:.4f}", "spread where device, number and time were checked"])
        out.writerow(["sigma_table", f"{table:.4f}", "spread of a database's rows"])
        out.writerow(["sigma", f"{both:.4f}", "spread of facts as they are found: both"])
        out.writerow(["rows", len(y), "runs fitted on"])
        out.writerow(["article_language", 0.30, "named option: Sevilla et al. 2022, large language models"])
        out.writerow(["article_other", 0.40, "named option: Sevilla et al. 2022, other models"])
    print(f"utilization: {len(y)} rows, w {np.round(w, 3)}, spread checked {checked:.3f}, table {table:.3f} on {len(loose)}, both {both:.3f}, median u {math.exp(np.median(y)):.3f}")


# --- residuals --------------------------------------------------------------------------------------------------------
def of_database():
    """Rows of the database as floptally counts them without residuals: class -> [(ratio, count, organization)]."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "audit").mkdir()
        (pathlib.Path(folder) / "audit/residuals.csv").write_text("method,from,quantile,ratio\n")
        scored = answer("evidence", database, "--data", folder)["rows_scored"]
    out = {"table": [], "table-passes": [], "other-domains": [], "multimodal": [], "stated": [], "assumed": []}
    for s in scored:
        own, counted = s["published"] - s["base"], s["counted"] - s["base"]
        if own <= 0 or counted <= 0 or s["base"] and own < 0.02 * s["published"]:
            continue  # nothing can be told from the last figure of a base model's compute
        organization = s["organization"].split(",")[0] or s["row"]
        row = (own / counted, counted, organization)
        if s["method"] == "operations":
            kind = next((d for d in ("language", "multimodal") if d in s["regimes"]), "other-domains")
            out[kind if kind != "language" else "table-passes" if "epochs stated" in s["regimes"] else "table"].append(row)
        elif s["method"].startswith("hardware"):
            out["stated" if "stated" in s["method"] else "assumed"].append(row)
    return out


def of_shipped():
    one, quoted, mixed = [], [], []
    for r in runs:
        if r["fault"] or not r["flop"]:
            continue
        organization = r["organization"].split(",")[0] or r["name"]
        c = operations(r)
        if c and r["domain"] in ("language", "multimodal"):
            (one if r["domain"] == "language" else mixed).append((number(r["flop"]) / c, c, organization))
        hours = device_hours(r)
        if hours and r["device"] and r["utilization"] and r["utilization_from"] in ("reported", "stated") and not r["base_flop"]:
            ratio = number(r["flop"]) / (hours * 3600 * peak(devices[r["device"]]) * number(r["utilization"]))
            if abs(math.log(ratio)) > 0.015:  # nearer to 1, the utilization was worked out from the compute
                quoted.append((ratio, number(r["flop"]), organization))
    return one, quoted, mixed


def main():
    fit_active_share()
    found = of_database()
    fit_utilization([(x, o) for x, _, o in found["assumed"]])
    one, quoted, mixed = of_shipped()
    stated = quoted + [r for r in found["stated"] if abs(math.log(r[0])) > 0.015]
    classes = [("operations-checked", one, True), ("operations", one + found["table"] + found["table-passes"], True), ("table", found["table"], True),
               ("table-passes", found["table-passes"], True), ("other-domains", found["other-domains"], False), ("multimodal", mixed + found["multimodal"], True), ("hardware-stated", stated, False)]
    with open(root / "audit/residuals.csv", "w", newline="") as file:
        file.write(HEAD.format("data/published/runs.csv and Epoch AI's database") + "# Published compute over the method's count, by quantile, for counts from `from` FLOP on; classes: tools/fit-audit.py.\n# Rows: "
                   + ", ".join(f"{name} {len(rows)}" for name, rows, _ in classes) + ".\n")
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["method", "from", "quantile", "ratio"])
        for name, rows, sized in classes:
            for low in (0, LARGE) if sized else (0,):
                some = [(x, o) for x, c, o in rows if not sized or (c >= LARGE) == (low > 0)]
                values = [x for x, _ in some]
                print(f"{name} from {low:g}: {len(some)} rows, within 1.5x {np.mean([1 / 1.5 <= x <= 1.5 for x in values]):.2f}, 90% {weibull(values, .05):.3g} to {weibull(values, .95):.3g}, holds {held(some):.3f} of other organizations' rows")
                for q in QUANTILES:
                    out.writerow([name, f"{low:g}", q, f"{weibull(values, q):.4g}"])


main()
