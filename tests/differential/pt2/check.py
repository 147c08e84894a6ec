#!/usr/bin/env python3
"""Holds exported programs of torchvision's networks to what PyTorch counted when it executed them (../onnx/*/truth.csv: parameters,
forward and backward FLOP, exactly) and to what its autograd keeps (../vision_memory.csv, within 1%).

    check.py FLOPTALLY FOLDER
"""
import csv, glob, json, os, subprocess, sys

binary, folder = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
truth = {row["model"]: row for path in sorted(glob.glob(os.path.join(here, "..", "onnx", "*", "truth.csv")))
         for row in csv.DictReader(open(path)) if not row.get("let")}
with open(os.path.join(here, "..", "vision_memory.csv")) as table:
    kept = {row["model"]: (int(row["kept_bytes"]), int(row["index_bytes"])) for row in csv.DictReader(line for line in table if not line.startswith("#"))}
problems, checked = [], 0
for path in sorted(glob.glob(os.path.join(folder, "*.pt2"))):
    name = os.path.basename(path)[:-4]
    done = subprocess.run([binary, "model", path, "--convention", "torch", "--json"], capture_output=True, text=True)
    checked += 1
    if done.returncode != 0:
        problems.append(f"{name}: {done.stderr.strip()[:600]}")
        continue
    answer = json.loads(done.stdout)["answer"]
    for key, column in (("parameters", "parameters"), ("flop_forward", "forward_flop"), ("flop_backward", "backward_flop")):
        if answer[key].get("exact") != truth[name][column] or answer[key].get("at_least"):
            problems.append(f"{name}: {key} {answer[key].get('exact')}, expected {truth[name][column]}")
    share = (2 * answer["activation_bytes"]["value"] - kept[name][1]) / kept[name][0]  # the program's numbers are of 16 bits
    if not 0.99 <= share <= 1.01:
        problems.append(f"{name}: keeps {share:.3f} of what autograd keeps")
print("\n".join(problems))
print(f"{checked} programs, {len(problems)} differences")
sys.exit(1 if problems or not checked else 0)
