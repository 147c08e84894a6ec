#!/usr/bin/env python3
"""Makes data/evidence/memory.csv, the shipped rows of measured memory, from a folder of collected tables.

usage: tools/make-evidence.py FOLDER [OUT]

FOLDER holds steps/public.csv, memory/simumax_b200_ranks.csv, memory/megatron_tests.csv.gz, memory/layer_profiles.csv.gz, memory/finetune.csv and
memory/fsdp_qlora.csv in the schema that docs describe under `floptally evidence`. Only rows with a measured memory (or an
out-of-memory) are taken; each keeps its source. Empty columns are dropped. The output is the same for the same input.
"""
import csv
import gzip
import json
import pathlib
import sys

COLUMNS = ("id src model arch params layers hidden heads kv_heads head_dim ffn gated_ffn vocab seq_len experts topk moe_ffn gpu n_gpus "
           "tp pp vp cp ep etp sp zero micro_batch global_batch precision recompute task method quantization trainable_params oom "
           "rank mem_alloc_gib mem_reserved_gib notes arguments").split()
DEAD_ARGUMENTS = ("lr", "ckpt", "eval", "seed", "split", "adam", "weight-decay", "clip", "async", "log", "exit", "timing", "save", "muon",
                  "distributed", "mscale", "train-", "init-method", "data", "nccl", "manual-gc", "num-workers", "te-rng", "straggler")


def read(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def kept_arguments(text):
    """The arguments that shape memory; the others only lengthen the row."""
    arguments = json.loads(text)
    kept = {k: v for k, v in arguments.items() if not k.startswith(DEAD_ARGUMENTS) or k.endswith("distributed-optimizer")}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def layer_rows(folder):
    """Bytes that one more layer costs a device, states and what is kept for the backward pass: differences between profiles of several layer counts."""
    groups = {}
    for row in read(folder / "memory/layer_profiles.csv.gz"):
        if row["quantity"] in ("model_states", "activation") and row["rank"] == "0" and row["pp"] == "1":
            key = tuple(row[name] for name in ("src", "family", "model", "strategy", "global_bsz", "seq", "quantity"))
            groups.setdefault(key, {})[int(row["n_layers"])] = float(row["mib"])
    rows = []
    for (source, family, model, strategy, batch, sequence, quantity), by_layers in sorted(groups.items()):
        low, high = min(by_layers), max(by_layers)
        if low == high:
            continue
        each = (by_layers[high] - by_layers[low]) / (high - low)
        rows.append({"id": f"galvatron-{len(rows) + 1:03}", "src": "Galvatron " + source, "family": family, "model": model, "strategy": strategy,
                     "global_bsz": batch, "seq": sequence, "quantity": quantity, "mib_per_layer": f"{each:.4f}"})
    return rows


def write_layers(folder, out):
    rows = layer_rows(folder)
    with open(out, "w", newline="") as file:
        file.write("# Memory of one layer on one device, MiB: differences between profiles with one layer more (Galvatron: PyTorch's FSDP over\n"
                   "# Megatron-LM's layers). quantity: model_states (weights, gradients, Adam moments) or activation (kept for the backward pass of\n"
                   "# one step). strategy: stages_tensor_data, c: checkpointed, sp: sequence parallelism. Made by tools/make-evidence.py.\n"
                   "# source: the column src, row by row\n# date: 2026-08-22 (when the sources were read)\n")
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} layers: {out}")


def ranks_of(folder, rows):
    """The other pipeline stages of the rows whose ranks were all measured: the fullest rank of each stage."""
    measured = {}
    for cell in read(folder / "memory/simumax_b200_ranks.csv"):
        measured.setdefault(cell["id"], {})[int(cell["rank"])] = cell
    for row in rows:
        ranks, stages = measured.get(row["id"], {}), int(row["pp"] or 1)
        each = len(ranks) // stages
        for stage in range(stages if ranks and stages > 1 else 0):
            fullest = max((ranks[rank] for rank in range(stage * each, (stage + 1) * each)), key=lambda cell: float(cell["max_allocated_mib"]))
            gib = {name: round(float(fullest[f"max_{name}_mib"]) / 1024, 2) for name in ("allocated", "reserved")}
            if gib["allocated"] != float(row["mem_alloc_gib"]):
                yield {**row, "id": f"{row['id']}-rank-{fullest['rank']}", "rank": fullest["rank"],
                       "mem_alloc_gib": str(gib["allocated"]), "mem_reserved_gib": str(gib["reserved"])}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent.parent / "data/evidence/memory.csv"
    write_layers(folder, out.parent / "layers.csv")
    steps = [row for row in read(folder / "steps/public.csv") if row["mem_alloc_gib"] or row["mem_reserved_gib"]]
    rows = steps + list(ranks_of(folder, steps))
    for row in read(folder / "memory/megatron_tests.csv.gz"):
        rows.append({**row, "arguments": kept_arguments(row["arguments"]), "notes": ""})
    for row in read(folder / "memory/finetune.csv"):
        gigabytes = row["peak_mem_gb"]
        if not gigabytes and row["oom"] != "1":
            continue
        litgpt = row["source"].startswith("litgpt")
        batch = "128" if "global batch 128" in row["notes"] else ""
        rows.append({**row, "src": row["source"], "global_batch": batch, "seq_len": row["seq_len_max"],
                     "mem_alloc_gib": repr(float(gigabytes)) if gigabytes else "", "notes": "GB as published" if litgpt else row["notes"]})
    for index, row in enumerate(read(folder / "memory/fsdp_qlora.csv")):
        if row["peak_mem_gib"]:
            rows.append({"id": f"fsdp-qlora-{index + 1:02}", "src": "AnswerDotAI/fsdp_qlora benchmarks", "model": row["model"], "gpu": row["gpu"],
                         "n_gpus": row["n_gpus"], "method": row["train_type"], "quantization": "nf4", "zero": "zero3",
                         "seq_len": row["context_length"], "micro_batch": row["batch_per_gpu"], "precision": "bf16",
                         "mem_reserved_gib": row["peak_mem_gib"], "notes": "cpu offload" if row["cpu_offload"] == "True" else ""})
    columns = [c for c in COLUMNS if any(row.get(c) for row in rows)]
    with open(out, "w", newline="") as file:
        file.write("# Measured memory of training runs, one a row, each with its source; made by tools/make-evidence.py. How a source is to be\n"
                   "# read (whose rank, which meter) stands in sources.csv.\n# source: the column src, row by row\n# date: 2026-08-22 (when the sources were read)\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([row.get(c) or "" for c in columns])
    print(f"{len(rows)} rows, {len(columns)} columns: {out}")


if __name__ == "__main__":
    main()
