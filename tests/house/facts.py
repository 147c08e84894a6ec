#!/usr/bin/env python3
"""Every row of every table under data/ names its source and its date.

    tests/house/facts.py ROOT

The date is that of the row (a column named date, source_date, year or release) or of the table (a comment line
"# date: 2024-07-30"); the source likewise (a column named source or why, or "# source: ...")."""
import csv, pathlib, re, sys

root = pathlib.Path(sys.argv[1])
problems, count = [], 0
for path in sorted((root / "data").rglob("*.csv")):
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    stated = {m[1] for c in comments if (m := re.match(r"#\s*(source|date)\s*:\s*\S", c))}
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    for row in rows:
        count += 1
        if path.name == "formulas.csv" and not (root / "src" / row["code"]).is_file():
            problems.append(f"{path.relative_to(root)}: '{row['name']}' is said to stand in src/{row['code']}, which is not there")
        for need, columns in (("source", ("source", "why")), ("date", ("date", "source_date", "year", "release"))):
            if need not in stated and not any((row.get(c) or "").strip() for c in columns):
                problems.append(f"{path.relative_to(root)}:{rows.line_num + len(comments)}: a row without a {need}: give it a column, or the table a line \"# {need}: ...\"")
for path in sorted((root / "data").rglob("*.yaml")):
    if not re.search(r"\b(source|refs)\s*:", path.read_text()):
        problems.append(f"{path.relative_to(root)}: names no source: give it a key 'source' or 'refs'")
print("\n".join(problems[:40]) or f"facts: {count} rows, each with source and date")
sys.exit(bool(problems))
