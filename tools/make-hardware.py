#!/usr/bin/env python3
"""Writes data/hardware/*.csv and data/carbon/*.csv.

    tools/make-hardware.py EVIDENCE    the folder that holds hardware/ and kernels/ (Epoch AI's tables and others)

Devices stand in tools/facts/devices.py with their own sources; this script joins release dates and data sheets, checks
every number against the evidence and names what differs. Known faults of the evidence are left out here, by rule.
Rows that were added to a table by hand stay: a device of another name, a price or overhead from another source."""
import csv, gzip, pathlib, re, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "facts"))
from devices import DEVICES  # noqa: E402
from table import write  # noqa: E402

evidence = pathlib.Path(sys.argv[1])
root = pathlib.Path(__file__).resolve().parent.parent / "data"
FORMATS = "fp64 fp32 tf32 fp16 bf16 fp8 fp6 fp4 nvfp4 int8 int4".split()
CATALOGUE_DATE = "2026-08-22"  # the youngest source below


def table(path):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt") as file:
        return list(csv.DictReader(file))


def number(x, scale=1.0):
    if x is None or x == "":
        return ""
    return f"{float(x) * scale:.12g}"


def fold(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


epoch = {r["name"]: r for r in table(evidence / "hardware/hardware_epoch.csv")}
def aliases_of(d):
    """Ours, and the name that Epoch AI's tables use, which published runs come with."""
    names = [a for a in d["aliases"].split(";") if a]
    own = {fold(n) for n in names + [d["name"]]}
    other = re.sub("^(NVIDIA|Google|AMD|Intel Habana|Huawei|Amazon|Baidu) ", "", d["epoch"] or "")
    shared = sum(1 for e in DEVICES if e["epoch"] == d["epoch"]) > 1
    return names + ([other] if other and not shared and fold(other) not in own | TAKEN else [])


TAKEN = {fold(a) for d in DEVICES for a in d["aliases"].split(";") + [d["name"]] if a}
# --- devices -----------------------------------------------------------------------------------------------------------
rows = []
for d in DEVICES:
    e = epoch.get(d["epoch"]) if d["epoch"] else None
    if d["epoch"] and e is None:
        sys.exit(f"no row '{d['epoch']}' in Epoch's table")
    source, date = d["source"], d["date"]
    if e and not source:
        source = "Epoch AI, Machine Learning Hardware" + (f"; {e['datasheet'].split()[0]}" if e["datasheet"] else "")
        date = e["last_modified"][:10]
    release = d["release"] or (e["release_date"] if e else "")
    if e:  # the two must agree, or say why not
        ours = {"tensor_fp16_bf16_flops": d["peaks"].get("bf16") or d["peaks"].get("fp16"), "fp8_flops": d["peaks"].get("fp8"),
                "memory_bw_bytes_s": d["bandwidth"], "tdp_w": d["tdp"]}
        for column, value in ours.items():
            scale = 1e12 if "flops" in column else 1 if column == "tdp_w" else 1e9
            if value and e[column] and abs(value * scale / float(e[column]) - 1) > 0.03 and not d["differs"] and not d["source"]:
                print(f"  {d['name']}: {column} {value * scale:g}, Epoch {float(e[column]):g}")
    link = lambda l: ["", "", ""] if not l else [l[0], number(l[1], 1e9), l[2] if len(l) > 2 else ""]  # noqa: E731
    note = "; ".join(x for x in (d["note"], d["differs"]) if x)
    rows.append([d["name"], d["vendor"], d["kind"], release] + [number(d["peaks"].get(f), 1e12) for f in FORMATS]
                + [number(d["vector"], 1e12), number(d["memory"], 2**30), number(d["bandwidth"], 1e9)]
                + link(d["up"]) + link(d["out"])[:2] + [number(d["tdp"]), d["node"] or "", ";".join(aliases_of(d)), source, date or "", note])
write(root / "hardware/devices.csv", [
    "Accelerators. Peaks are dense FLOP/s (int8, int4: op/s) of one device in each number format; memory in bytes (sold as \"80 GB\": 80 x 2^30, of which the driver keeps about 1%);",
    "bandwidths in bytes/s, links in one direction per device; tdp in watt. Made by tools/make-hardware.py.",
    f"catalogue-date: {CATALOGUE_DATE}"],
    ["name", "vendor", "kind", "release"] + FORMATS + ["vector_fp32", "memory_bytes", "memory_bytes_per_s", "scale_up", "scale_up_bytes_per_s",
     "scale_up_domain", "scale_out", "scale_out_bytes_per_s", "tdp_w", "devices_per_node", "aliases", "source", "source_date", "note"], rows, "name")
NAMES = {}
for d in DEVICES:
    for alias in [d["name"]] + d["aliases"].split(";") + ([d["epoch"]] if d["epoch"] else []):
        NAMES.setdefault(fold(re.sub("NVIDIA|AMD|Google", "", alias)), d["name"])


def device_named(text, default=None):
    """Our name for a source's device, the maker's name left off."""
    return NAMES.get(fold(re.sub("NVIDIA|AMD|Google|Intel", "", text)), default)


# --- measured ceilings -------------------------------------------------------------------------------------------------
rows = []
for r in table(evidence / "hardware/hardware_max_achievable_matmul.csv"):
    name = {"NVIDIA A100 SXM": "A100-SXM-80GB", "NVIDIA A100 PCIe": "A100-PCIe-80GB"}.get(r["accelerator"]) or device_named(r["accelerator"])
    rows.append([name, r["dtype"], number(r["mamf_tflops"], 1e12), r["best_shape"], f"torch {r['torch']}" + (f"; {r['notes']}" if r["notes"] else ""),
                 "S. Bekman, Machine Learning Engineering, maximum achievable matmul FLOPS", "2026-08-22"])
best = {}
for r in table(evidence / "kernels/gemm.csv.gz"):
    name = device_named(r["device"].replace("-SXM4", "-SXM").replace(" SXM6 AC", ""))
    fmt = r["dtype"].replace("bfloat16", "bf16")
    if float(r["tflops"]) > best.get((name, fmt), (0, 0))[0]:
        best[name, fmt] = (float(r["tflops"]), r)
for (name, fmt), (t, r) in sorted(best.items()):
    rows.append([name, fmt, number(t, 1e12), f"{r['m']}x{r['n']}x{r['k']}", r["source"], "NVIDIA aiconfigurator GEMM measurements", "2026"])
ironwood = max(float(r["tflops_per_device"]) for r in table(evidence / "hardware/hardware_gemm_ironwood.csv"))
rows.append(["TPU-v7", "bf16", number(2 * ironwood, 1e12), "32768x32768x32768", "twice the figure of one of the chip's two JAX devices",
             "Google, accelerator-microbenchmarks on Ironwood", "2026"])
write(root / "hardware/ceilings.csv", ["The best matmul rates that anyone measured, FLOP/s per device: an utilization above them is impossible."],
      ["device", "format", "flop_per_s", "shape", "note", "source", "source_date"], sorted(rows), "source")

# --- prices ------------------------------------------------------------------------------------------------------------
EPOCH_NAMES = {"NVIDIA A100": "A100-SXM-40GB", "NVIDIA V100": "V100-SXM2-16GB", "NVIDIA P100": "P100-PCIe", "NVIDIA Tesla P100 PCIe 16GB": "P100-PCIe",
               "NVIDIA A100 PCIe": "A100-PCIe-80GB", "NVIDIA Tesla V100 DGXS 16 GB": "V100-SXM2-16GB", "NVIDIA Tesla V100 DGXS 32 GB": "V100-SXM2-32GB",
               "NVIDIA Tesla V100 SXM3 32 GB": "V100-SXM2-32GB", "AMD Radeon Instinct MI250": "MI250"}
rows, dropped = [], {}
for r in table(evidence / "hardware/prices_epoch_hardware.csv"):
    name = EPOCH_NAMES.get(r["hardware"]) or device_named(r["hardware"])
    if not name:
        dropped[r["hardware"]] = dropped.get(r["hardware"], 0) + 1
        continue
    if name == "A100-PCIe-80GB" and r["date"] < "2021-06-28":  # before the 80 GB card
        name = "A100-PCIe-40GB"
    for column, kind in (("on_demand_usd_chip_hour", "on-demand"), ("cud_1y_usd_chip_hour", "reserved-1y"), ("cud_3y_usd_chip_hour", "reserved-3y"),
                         ("purchase_price_usd", "purchase")):
        if r[column]:
            usd = float(r[column])
            note = re.sub(r"\s+", " ", r["notes"])[:120]
            if name == "K80" and kind == "purchase":
                usd, note = usd / 2, "half of the board's price"
            rows.append([name, kind, number(usd), r["date"], r["vendor"], r["location"], "device" if kind == "purchase" else "instance share",
                         (r["source"] or "Epoch AI, Machine Learning Hardware prices").split("#")[0], note])
for r in table(evidence / "hardware/prices_gcp_tpu.csv"):
    name = device_named(r["tpu"].replace(" pod", "").replace(" device", ""))
    rows.append([name, "on-demand", number(r["on_demand_usd_chip_h"]), "2026-08-19", "Google Cloud", r["region"], "device", "dstackai/gpuhunt@35841515", r["tpu"]])
    if float(r["spot_usd_chip_h"]) < float(r["on_demand_usd_chip_h"]):  # some old spot prices stand above on-demand: stale
        rows.append([name, "spot", number(r["spot_usd_chip_h"]), "2026-08-19", "Google Cloud", r["region"], "device", "dstackai/gpuhunt@35841515", r["tpu"]])
SKY = {"H100": "H100-SXM", "H100-80GB-SXM5": "H100-SXM", "H200": "H200-SXM", "B200": "B200-SXM", "B300": "B300-SXM", "A100-80GB": "A100-SXM-80GB", "V100-16GB": "V100-SXM2-16GB",
       "A100-80GB-PCIe-NVLink": "A100-PCIe-80GB", "H100-80GB-PCIe-NVLink": "H100-PCIe", "A100-80GB-PCIe (secure)": "A100-PCIe-80GB"}
for r in table(evidence / "hardware/prices_skypilot_sample.csv"):
    name = SKY.get(r["accelerator"]) or device_named(r["accelerator"])
    if not name:
        dropped[r["accelerator"]] = dropped.get(r["accelerator"], 0) + 1
        continue
    for column, kind in (("on_demand_usd_gpu_h", "on-demand"), ("spot_usd_gpu_h", "spot")):
        if r[column] and not (kind == "spot" and r["on_demand_usd_gpu_h"] and float(r[column]) >= float(r["on_demand_usd_gpu_h"])):
            rows.append([name, kind, number(r[column]), "2026", r["cloud"], r["region"], "instance share", f"SkyPilot catalog@{r['catalog_commit']}",
                         f"instance of {r['count']}"])
rows.append(["H100-SXM", "on-demand", "3.5", "2024-07-30", "Lambda", "", "instance share", "152334H, Calculating the Cost of a Google Deepmind Paper", "as quoted there"])
rows.append(["H100-SXM", "on-demand", "2.85", "2024-07-30", "SF Compute", "", "instance share", "152334H, Calculating the Cost of a Google Deepmind Paper", "as quoted there"])
print("  prices without a device in the catalogue:", sum(dropped.values()))
write(root / "hardware/prices.csv", ["USD per device-hour; for a purchase USD per device. 'instance share': host, local disk and network of the instance are in it."],
      ["device", "kind", "usd", "date", "provider", "region", "covers", "source", "note"], sorted(rows, key=lambda r: (r[0], r[3], r[1], float(r[2]))), "source")

# --- overheads ---------------------------------------------------------------------------------------------------------
COTTIER = "Cottier et al., The rising costs of training frontier AI models, arXiv:2405.21015, and its code"
rows = [["server-cost-ratio", a, v, "", "", "", COTTIER, "2024-05-31", "server price over the price of its single-unit accelerators"]
        for a, v in (("A100-SXM-40GB", 1.66), ("A100-SXM-80GB", 1.66), ("V100-SXM2-16GB", 1.69), ("V100-SXM2-32GB", 1.69), ("P100-SXM2", 1.54), ("any", 1.64))]
rows += [["interconnect-cost-share", "any", 0.19, "", "", "", COTTIER, "2024-05-31", "share of the whole cluster's price"],
         ["price-decline-per-year", "any", 0.14, "", "", "powers of ten", COTTIER, "2024-05-31", "price-performance of hardware; a year is 8,766 hours"]]
rows += [["server-power-ratio", a, f"{v:.6g}", "", "", "", COTTIER, "2024-05-31", n] for a, v, n in (
    ("H100-SXM", (10.2 / 8) / .7, "DGX H100: 10.2 kW"), ("A100-SXM-80GB", (6.5 / 8) / .4, "DGX A100: 6.5 kW"), ("A100-SXM-40GB", (6.5 / 8) / .4, "DGX A100: 6.5 kW"),
    ("V100-SXM2-16GB", ((10 / 16) / .3 + (1.5 / 4) / .3) / 2, "mean of DGX-2 and DGX Station"), ("V100-SXM2-32GB", ((10 / 16) / .3 + (1.5 / 4) / .3) / 2, "mean of DGX-2 and DGX Station"),
    ("TPU-v2", 1.64, ""), ("TPU-v3", 1.47, ""), ("tpu", 1.56, "other TPUs"), ("any", 1.8, ""))]
rows += [["load-fraction", "tpu", 0.43, "", "", "", COTTIER, "2024-05-31", "mean power over TDP"], ["load-fraction", "any", 0.75, "", "", "", COTTIER, "2024-05-31", "mean power over TDP"]]
rows += [["pue", a, v, lo, hi, "", s, dt, n] for a, v, lo, hi, s, dt, n in (
    ("any", 1.25, 1.1, 1.6, COTTIER, "2024-05-31", "data centres other than the largest clouds'"), ("google", 1.1, 1.06, 1.15, COTTIER, "2024-05-31", ""),
    ("microsoft", 1.1, 1.1, 1.2, COTTIER, "2024-05-31", ""), ("amazon", 1.1, 1.1, 1.2, COTTIER, "2024-05-31", ""), ("meta", 1.1, 1.07, 1.12, COTTIER, "2024-05-31", ""))]
rows += [["electricity-price", str(y), v, "", "", "USD/kWh", "US Energy Information Administration, industrial average, as used by " + COTTIER, "2024-05-31", "United States"]
         for y, v in ((2010, .0677), (2019, .0681), (2020, .0667), (2021, .0718), (2022, .0832), (2023, .0806), (2024, .0771), (2025, .0826))]
rows += [["server-life", a, v, "", "", "years", COTTIER, "2024-05-31", ""] for a, v in (("2020", 3), ("2022", 4), ("2023", 5))]
rows += [["goodput", "any", 0.9, 0.8, 0.98, "", "claims of 0.85 to 0.95 by operators; wall-clock loss of six published runs 0.60 to 0.92 (data/published/runs.csv)", "2025-01", "useful share of wall-clock time: restarts, stalls, smaller phases"]]
write(root / "hardware/overheads.csv", ["What comes on top of a device: servers, interconnect, power, cooling. applies_to is a device, a kind of device, a provider, a year or 'any'."],
      ["quantity", "applies_to", "value", "low", "high", "unit", "source", "date", "note"], rows, "source")

READ = "date: 2026-08-22 (when the sources were read; a row with a year states the year of its figure)"

# --- carbon ------------------------------------------------------------------------------------------------------------
rows = [["country", r["iso"], r["country"], number(r["gco2_per_kwh"]), "", r["year"], "Ember via Our World in Data, as in CodeCarbon"]
        for r in table(evidence / "hardware/carbon_countries.csv") if r["gco2_per_kwh"]]
write(root / "carbon/countries.csv", ["Grid carbon intensity, grams of CO2e per kWh generated."], ["kind", "key", "name", "grams_per_kwh", "pue", "year", "source"], rows, "source")
rows = []
for r in table(evidence / "hardware/carbon_cloud_regions.csv"):
    grams, year = r["gco2_per_kwh"], ""
    if not grams:
        grams, year = r["gco2_per_kwh_mlco2_2019"], "2019"
    if grams:
        rows.append(["region", f"{r['provider']}/{r['region'].replace('cenrtal', 'central')}", r["city"] or r["state"] or r["country"], number(grams), r["pue"], year,
                     r["source"] or "mlco2/impact"])
write(root / "carbon/regions.csv", ["date: 2025", "Cloud regions: grams of CO2e per kWh on the grid, power usage effectiveness where the provider states it.", READ],
      ["kind", "key", "name", "grams_per_kwh", "pue", "year", "source"], rows, "source")
rows = []
for r in table(evidence / "hardware/carbon_sources_and_zones.csv"):
    if r["kind"] == "usa_state_2016_lbs_per_mwh":
        rows.append(["state", "us/" + r["key"].replace(" ", "-"), r["key"], f"{float(r['gco2_per_kwh']) * 0.45359237:.4g}", "", "2016", "US EPA eGRID 2016, as in CodeCarbon"])
    else:
        rows.append([{"source": "source", "nordic_bidding_zone": "zone"}[r["kind"]], r["key"], r["key"].replace("_", " "), number(r["gco2_per_kwh"]), "", "", "CodeCarbon's table"])
write(root / "carbon/sources.csv", ["date: 2025", "Energy sources, bidding zones and states of the USA: grams of CO2e per kWh.", READ], ["kind", "key", "name", "grams_per_kwh", "pue", "year", "source"], rows, "source")
