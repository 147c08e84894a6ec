#!/usr/bin/env python3
"""Every percentile of the plan's answer lies within 1% of the independent simulation's (plan_percentiles.csv)."""
import csv, json, pathlib, subprocess, sys

binary, source = sys.argv[1], pathlib.Path(sys.argv[2])
done = subprocess.run([binary, "tally", source / "plans/gdm-scaling-exponents.yaml", "--json"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
root = json.loads(done.stdout)["accounts"][0]
rows = {child["name"]: child for child in root["accounts"]}
rows["total"] = root
lines = [line for line in open(source / "tests/differential/plan_percentiles.csv") if not line.startswith("#")]
compared, problems = 0, []
for row in csv.DictReader(lines):
    figure = rows[row["subset"]][row["key"]]
    for p in ("p5", "p50", "p95"):
        have, want = figure.get(p, figure["value"]), float(row[p])
        compared += 1
        if abs(have / want - 1) > 0.01:
            problems.append(f"{row['subset']} {row['key']} {p}: {have} against {want}")
print("\n".join(problems))
print(f"{compared} percentiles compared, {len(problems)} apart")
sys.exit(1 if problems or compared != 90 else 0)
