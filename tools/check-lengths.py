#!/usr/bin/env python3
"""Source files have about 600 lines at most, functions about 60: what passes 600 and 80 fails, what passes 60 is named.

    tools/check-lengths.py ROOT"""
import pathlib, re, sys

FILE, FUNCTION, LIMIT = 600, 60, 80
root = pathlib.Path(sys.argv[1])
problems, long = [], []


def blank(text):
    """The text with comments, strings and characters blanked out, line by line the same."""
    def hide(found):
        return re.sub(r"[^\n]", " ", found[0])
    return re.sub(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'(?!\w)', hide, text, flags=re.S)


for path in sorted(p for folder in ("src", "include", "tests", "bench") for p in (root / folder).rglob("*")):
    if path.suffix not in (".h", ".cpp") or "oracle" in path.parts:
        continue
    name, text = path.relative_to(root), path.read_text()
    lines = text.count("\n")
    if lines > FILE:
        problems.append(f"{name}: {lines} lines, at most {FILE}")
    stack = []  # (line, is a function)
    clean, start, line = blank(text), 0, 1
    for at, c in enumerate(clean):
        if c == "\n":
            line += 1
        elif c in ";":
            start = at + 1
        elif c == "{":
            head = clean[start:at].strip()
            inside = any(function for _, function, _ in stack)
            function = not inside and re.search(r"\)\s*(const|noexcept|override|final|mutable|->[^{};]*|:[^{};]*)*\s*$", head) is not None \
                and not re.match(r"(.*\s)?(namespace|struct|class|enum|union)\s+\w+\s*$", head) and "=" not in head.split("(")[0]
            stack.append((line, function, head))
            start = at + 1
        elif c == "}":
            start = at + 1
            if stack:
                began, function, head = stack.pop()
                length = line - began + 1
                if function and length > FUNCTION:
                    (problems if length > LIMIT else long).append(f"{name}:{began}: ... {' '.join(head.split())[-60:]} has {length} lines")
print("\n".join(long + problems))
print(f"lengths: {len(long)} functions over {FUNCTION} lines, {len(problems)} problems (files over {FILE}, functions over {LIMIT})")
sys.exit(bool(problems))
