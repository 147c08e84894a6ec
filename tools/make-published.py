#!/usr/bin/env python3
"""Writes data/published/runs.csv, the shipped set of published training runs.

    tools/make-published.py EVIDENCE    the folder that holds published/ (database.csv.gz, runs.csv)

Rows come from Epoch AI's database (CC-BY, condensed) by rule: since AlexNet, with a published or counted compute, and with
either parameters and data or devices and hours; not those the database calls speculative or wrong. Facts are corrected by
tools/facts/published.py, the published compute never. Rows of other names that were added to the table by hand stay."""
import csv, gzip, pathlib, re, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "facts"))
from devices import DEVICES  # noqa: E402
from published import ALIASES, FACTS, FAULTS, HARDWARE, ROWS, TAKEN  # noqa: E402
from table import write  # noqa: E402

evidence = pathlib.Path(sys.argv[1]) / "published"
root = pathlib.Path(__file__).resolve().parent.parent / "data"
fold = lambda s: re.sub(r"[^a-z0-9]", "", re.sub("NVIDIA|Google|Huawei", "", s).lower())  # noqa: E731
NAMES = {}
for d in DEVICES:
    for alias in filter(None, [d["name"], *d["aliases"].split(";"), d["epoch"]]):
        NAMES.setdefault(fold(alias), d["name"])
NAMES.update({fold("NVIDIA A100"): "A100-SXM-40GB", fold("NVIDIA V100"): "V100-SXM2-16GB", fold("NVIDIA P100"): "P100-PCIe", fold("A100-40GB"): "A100-SXM-40GB",
              fold("H100"): "H100-SXM", fold("V100"): "V100-SXM2-16GB", fold("TPUv3"): "TPU-v3", fold("H800"): "H800-SXM", fold("NVIDIA A800"): "A800-SXM"})
COLUMNS = ("name title aliases organization date domain kind parameters active_parameters tokens passes dataset epochs base base_flop layers hidden heads vocab seq device devices hours "
           "device_hours format utilization utilization_from flop flop_from confidence energy_mwh co2_t usd source fault note").split()


def slug(name):
    name = re.sub(r"\((\d[^)]*B)\)", r"\1", name)
    name = re.sub(r"\([^)]*\)", "", name.strip().replace("σ", "sigma").replace("Σ", "sigma").replace("+", "-plus-"))
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9.]+", "-", name.lower())).strip("-.")


def domain(text):
    parts = text.split(",")
    if "Language" in parts and ("Vision" in parts or "Multimodal" in parts):
        return "multimodal"
    for known in ("Language", "Vision", "Biology", "Speech", "Games", "Image generation", "Robotics", "Video"):
        if known in parts:
            return known.lower()
    return "other"


def flop_from(notes, confidence):
    """How the published compute was had: by the developers, by counting operations, or from hardware with an assumed utilization."""
    low = notes.lower()
    if "geometric mean" in low or "sqrt(" in low:
        return "mixed"
    if re.search(r"assum\w* (utili|30%|precision)|utili[sz]ation (rate )?assum|util rate|\* ?\(?0\.(3|33|4)\)?\b", low):
        return "hardware"
    if re.search(r"reported|stated in|authors|table \d|petaflop|pf-?days|pfs-days|per the paper|paper states|from the paper", low):
        return "developer"
    return "operations"


def number(x):
    return "" if x in (None, "") else f"{float(x):.10g}"


with gzip.open(evidence / "database.csv.gz", "rt") as file:
    database = list(csv.DictReader(file))
with open(evidence / "runs.csv") as file:
    listed = {r["model"]: r for r in csv.DictReader(file)}
compute = {r["model"]: r["training_compute_flop"] for r in database}
rows, seen, untouched = [], set(), 0


def add(row):
    row["name"] = row["name"] if row["name"] not in seen else f"{row['name']}-{row['date'][:4]}"
    if row["name"] in seen:
        return
    seen.add(row["name"])
    row.setdefault("aliases", ALIASES.get(row["name"], ""))
    rows.append(row)


for r in ROWS:
    add({**{"domain": "language", "confidence": "Confident", "active_parameters": r.pop("active", "")}, **r})
taken_flop = {}
for name in TAKEN:
    r = listed[name]
    kind = {"moe": "moe", "moe_mla": "moe", "encoder-decoder": "encoder-decoder"}.get(r["arch"], "dense")
    add(dict(name=slug(name.replace("LLaMA-1 ", "LLaMA ")), title=name, organization=r["org"], date=r["year"], domain="language", kind=kind, parameters=r["params"],
             active_parameters=r["active_params"], tokens=r["tokens"], layers=r["layers"], hidden=r["hidden"], heads=r["heads"], vocab=r["vocab"], seq=r["seq_len"],
             device=NAMES.get(fold(r["hardware"].replace("H100-80GB", "H100")), ""), devices=r["n_devices"], device_hours=r["device_hours"],
             hours=number(float(r["days"]) * 24) if r["days"] else "", utilization=number(float(r["mfu_pct"]) / 100) if r["mfu_pct"] else "",
             utilization_from="reported" if r["mfu_pct"] else "", flop=r["flops_reported"], flop_from="developer" if r["flops_reported"] else "", confidence="Confident",
             energy_mwh=r["energy_mwh"], co2_t=r["co2_t"], source=r["source"], note="; ".join(x for x in (r["verified"], r["notes"]) if x)[:160]))
skip = {"PaLM (540B)", "Megatron-Turing NLG 530B", "DeepSeek-V3", "Llama 3.3 70B"}  # listed above with more facts, or twice in the database
for r in database:
    r["model"] = r["model"].strip()
    facts, hardware, fault = FACTS.get(r["model"], {}), HARDWARE.get(r["model"], {}), FAULTS.get(r["model"], "")
    if r["model"] in skip or r["date"] < "2012-09" or not r["training_compute_flop"] or r["confidence"] in ("Wrong", "Speculative") or facts.get("whole_paper"):
        continue
    enough = (r["parameters"] and (r["dataset_size_datapoints"] or facts.get("tokens"))) or (r["training_time_hours"] and r["hardware_quantity"] and r["training_hardware"])
    if not enough:
        continue
    where = domain(r["domain"])
    text = where in ("language", "multimodal")
    kind = facts.get("kind") or ("moe" if re.search(r"mixture.of.experts|\bMoE\b", r["compute_notes"] + r["parameters_notes"]) and "ense" not in r["model"] else "dense" if text else "other")
    active = facts.get("active", "")
    if not active and kind == "moe":
        found = re.search(r"([\d.]+) ?(?:B|billion) (?:activ|param\w* activ)", r["compute_notes"] + " " + r["parameters_notes"])
        active = float(found[1]) * 1e9 if found else ""
    tokens = facts.get("tokens") or (r["dataset_size_datapoints"] if text and not facts.get("unknown_tokens") else "")
    passes = facts.get("passes") or ("" if facts.get("tokens") else r["epochs"] if text else "")
    base = facts.get("base") or r["base_model"]
    base_flop = facts.get("base_flop") or (compute.get(base) if base in compute and base != r["model"] else "")
    if base and re.fullmatch(r"[\d.]+", base):
        base = ""
    device = NAMES.get(fold(r["training_hardware"]), "") if "," not in r["training_hardware"] else ""
    utilization = hardware.get("utilization", r["hardware_utilization"])
    if utilization and not 0 < float(utilization) <= 1:
        sys.exit(f"{r['model']}: utilization {utilization}")
    finetuned = bool(r["finetune_compute_flop"])
    add(dict(name=slug(r["model"]), title=r["model"].strip(), organization=r["organization"], date=r["date"], domain=where, kind=kind, parameters=number(r["parameters"]),
             active_parameters=number(active), tokens=number(tokens), passes=number(passes),
             dataset=number(r["dataset_size_datapoints"]), epochs=number(r["epochs"]), base=base, base_flop=number(base_flop), device=device,
             devices=number(hardware.get("devices", r["hardware_quantity"])), hours=number(hardware.get("hours", r["training_time_hours"])),
             device_hours=number(hardware.get("device_hours")), format=hardware.get("format", ""), utilization=number(utilization),
             utilization_from="" if not utilization else "reported-hfu" if facts.get("hfu") else "stated", flop=number(r["training_compute_flop"]),
             flop_from=flop_from(r["compute_notes"], r["confidence"]), confidence=r["confidence"] or "Unknown", usd=number(r["training_cost_2023usd"]),
             source=f"Epoch AI, Data on AI Models (CC-BY); {r['link'] or 'no link'}", fault=fault,
             note="; ".join(x for x in (facts.get("why", ""), "fine-tuned" if finetuned else "", re.sub(r"\s+", " ", r["compute_notes"])[:140]) if x)))
rows.sort(key=lambda r: (r["date"], r["name"]))
write(root / "published/runs.csv", [
    "Published training runs: the facts their developers or Epoch AI's database state. tokens: seen in one pass over the data; passes: over it;",
    "dataset, epochs: as the database has them, before its facts were corrected.",
    "utilization_from: reported (by the developers, of model FLOP), reported-hfu (counts recomputation), derived (from the operation count: no second opinion), stated (in the database).",
    "flop_from: developer, operations (counted), hardware (assumed utilization), mixed (mean of both). fault: why a row is kept out of every score.",
    "Made by tools/make-published.py."],
    COLUMNS, [[number(r[c]) if c in ("parameters", "active_parameters", "tokens") and r.get(c) not in (None, "") else r.get(c, "") if r.get(c) is not None else "" for c in COLUMNS]
              for r in rows], "name")
score = []
for r in rows:
    if r["domain"] in ("language",) and r.get("flop") and r.get("tokens") and not r.get("fault"):
        if r["kind"] == "moe" and not r.get("active_parameters") or r["kind"] in ("embedding",) or not r.get("parameters"):
            continue
        k = 3 if r["kind"] == "encoder-decoder" else 6
        n = float(r.get("active_parameters") or r["parameters"])
        m1 = k * n * float(r["tokens"]) * float(r.get("passes") or 1) + float(r.get("base_flop") or 0)
        score.append((float(r["flop"]) / m1, r))
score.sort(key=lambda t: t[0])
logs = [s[0] for s in score]
pick = lambda q: logs[min(len(logs) - 1, int(q * len(logs)))]  # noqa: E731
print(f"{len(rows)} rows; language with method 1: {len(score)}, within 1.5x: {sum(1 / 1.5 <= s <= 1.5 for s in logs) / len(logs):.3f}; p5 {pick(.05):.3g} p10 {pick(.1):.3g} p50 {pick(.5):.3g} p90 {pick(.9):.3g} p95 {pick(.95):.3g}")
if len(sys.argv) > 2:
    for s, r in score:
        if not 1 / 1.5 <= s <= 1.5:
            print(f"{s:.3g} {r['name']} {r['flop_from']} {r['confidence']} {r['note'][:110]}")
    from collections import Counter
    for f in ("developer", "operations", "hardware", "mixed"):
        sub = [s for s, r in score if r["flop_from"] == f]
        if sub: print(f, len(sub), sum(1 / 1.5 <= s <= 1.5 for s in sub) / len(sub))
