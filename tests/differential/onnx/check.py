#!/usr/bin/env python3
"""Counts every graph of a folder with floptally and holds parameters, forward and backward FLOP against truth.csv, which
PyTorch made (make_graphs.py), or the layers' definitions (exporters.py). Any difference fails. What a network of torchvision
keeps for its backward pass is held to within 1% of PyTorch's autograd (../vision_memory.csv), whole operators or pieces.

    check.py FLOPTALLY FOLDER [NAME ...]
"""
import csv, json, lzma, os, subprocess, sys, tempfile

binary, folder, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
problems, checked = [], 0
table = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vision_memory.csv"))
kept = {row["model"]: (int(row["kept_bytes"]), int(row["index_bytes"])) for row in csv.DictReader(line for line in table if not line.startswith("#"))
        if row["image"] == "224"}  # as the graphs were exported
with tempfile.TemporaryDirectory() as scratch:
    for row in csv.DictReader(open(os.path.join(folder, "truth.csv"))):
        if wanted and row["model"] not in wanted:
            continue
        path = os.path.join(scratch, row["model"] + ".onnx")
        with lzma.open(os.path.join(folder, "graphs", row["model"] + ".onnx.xz")) as f:
            open(path, "wb").write(f.read())
        lets = [w for pair in row.get("let", "").split() for w in ("--let", pair)]
        done = subprocess.run([binary, "model", path, "--convention", "torch", "--json", *lets], capture_output=True, text=True)
        checked += 1
        if done.returncode != 0:
            problems.append(f"{row['model']}: {done.stderr.strip()[:600]}")
            continue
        answer = json.loads(done.stdout)["answer"]
        if row["model"] in kept and not row.get("let"):
            whole, indices = kept[row["model"]]
            share = (2 * answer["activation_bytes"]["value"] - indices) / whole  # the program's numbers are of 16 bits
            if not 0.99 <= share <= 1.01:
                problems.append(f"{row['model']}: keeps {share:.3f} of what autograd keeps")
        batch = int(dict(pair.split("=") for pair in row.get("let", "").split()).get("batch", 1))  # FLOP come per sample
        for key, column in (("parameters", "parameters"), ("flop_forward", "forward_flop"), ("flop_backward", "backward_flop")):
            number = answer[key]
            want = row[column] and str(int(row[column]) // (1 if column == "parameters" else batch))
            if row[column] and (number.get("exact") != want or number.get("at_least")):
                problems.append(f"{row['model']}: {key} {'at least ' if number.get('at_least') else ''}{number.get('exact')}, expected {want}")
print("\n".join(problems))
print(f"{checked} graphs, {len(problems)} differences")
sys.exit(1 if problems or not checked else 0)
