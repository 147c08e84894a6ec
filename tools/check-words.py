#!/usr/bin/env python3
"""No promises and no private places: what is committed is finished, and runs on any machine.

    tools/check-words.py ROOT"""
import pathlib, re, subprocess, sys

root = pathlib.Path(sys.argv[1])
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b|\b(coming soon|not (yet )?implemented|to be (done|added|implemented) later|placeholder text|lorem ipsum)\b", re.I)
UPPER = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")
PLACES = re.compile(r"(?<![\w.])/(home|root|work|Users)/\w")
TEXT = {".h", ".cpp", ".py", ".md", ".txt", ".cmake", ".yaml", ".yml", ".sh", ".test", ".json", ".def", ""}
problems = []
for name in subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines():
    path = root / name
    if path.suffix not in TEXT or name == "tools/check-words.py" or name.startswith("data/") or not path.is_file():
        continue
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        continue
    for number, line in enumerate(text.splitlines(), 1):
        found = UPPER.search(line) or ((m := WORDS.search(line)) and m[2] and m) or PLACES.search(line)
        if found:
            problems.append(f"{name}:{number}: '{found[0]}'")
print("\n".join(problems) or "words: no promises, no private places")
sys.exit(bool(problems))
