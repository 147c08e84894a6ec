#!/usr/bin/env python3
"""Every diagnostic code that src/ uses is a row of src/base/codes.def, and every row is used.

    tests/house/codes.py ROOT [--untested] [--strict]

--strict: a row that nothing reports fails, too (tools/check).
--untested lists the rows that no golden, document or unit test mentions."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1])
rows = re.findall(r'^CODE\("([^"]+)"', (root / "src/base/codes.def").read_text(), re.M)
# A code is the first word given to one of these makers (some take a place before it).
MAKERS = r"error|warning|note|problem|fail\w*|refuse\w*|shape_problem|report\w*|Diagnostic"
USE = re.compile(r'\b(?:%s)\s*[({]\s*(?:[\w.]+\s*(?:,|\?)\s*)?"([a-z0-9]+(?:-[a-z0-9]+)*)"\s*[,:]' % MAKERS)
unknown, mentioned = [], set()
for path in sorted((root / "src").rglob("*")):
    if path.suffix not in (".h", ".cpp"):
        continue
    text = path.read_text()
    mentioned.update(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', text))
    for use in USE.finditer(text):
        if "-" in use[1] and use[1] not in rows:  # one word may be another function's label
            line = text.count("\n", 0, use.start()) + 1
            unknown.append(f"{path.relative_to(root)}:{line}: '{use[1]}' is no row of src/base/codes.def: add CODE(\"{use[1]}\", \"One sentence.\")")
unused = [f"src/base/codes.def: nothing reports '{row}'" for row in rows if row not in mentioned]
tests = "".join(p.read_text(errors="replace") for p in (root / "tests").rglob("*") if p.suffix in (".test", ".cpp", ".py") and p.name != "codes.py")
untested = [row for row in rows if not re.search(rf"(?<![\w-]){re.escape(row)}(?![\w-])", tests)]
if "--untested" in sys.argv:
    print("\n".join(untested))
print("\n".join(unknown + unused) or f"codes: {len(rows)} rows, all used; {len(rows) - len(untested)} are seen in a test")
sys.exit(bool(unknown or (unused and "--strict" in sys.argv)))
