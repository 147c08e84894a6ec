#!/usr/bin/env python3
"""Reads every #include under src/ and fails on one that points down the list of rooms, or where ARCHITECTURE.md's list is
not that of the tree.

    tools/check-rooms.py ROOT"""
import pathlib, re, sys

# A room may include itself and the rooms named with it; everything may include base and include/floptally.
ROOMS = {
    "base": "",
    "quantity": "",
    "book": "quantity",
    "document": "quantity",
    "network": "quantity book document",
    "hardware": "quantity book document",
    "training": "quantity book document network hardware",
    "numerics": "quantity book document network",
    "estimate": "quantity book document network hardware training numerics",
    "evidence": "quantity book document network hardware training estimate",
    "plan": "quantity book document network hardware training estimate",
    "audit": "quantity book document network hardware training estimate plan",
    "render": "quantity book",
    "engine": "quantity book document network hardware training numerics estimate evidence plan audit render",
    "cli": None,  # only include/floptally
}
root = pathlib.Path(sys.argv[1])
problems = []
for path in sorted((root / "src").rglob("*.*")):
    if path.suffix not in (".h", ".cpp"):
        continue
    room = path.relative_to(root / "src").parts[0]
    if room not in ROOMS:
        problems.append(f"{path}: no such room '{room}' in tools/check-rooms.py")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#include "([^"]+)"', line)
        if not found:
            continue
        target = found[1].split("/")[0]
        if target == "floptally" or (target == room):
            continue
        allowed = ROOMS[room]
        if allowed is None or (target != "base" and target not in allowed.split()):
            problems.append(f"{path.relative_to(root)}:{number}: {room} may not include {found[1]}")

# ARCHITECTURE.md lists the rooms that there are, each below those that it includes.
listed = re.findall(r"^(\w+)/ ", (root / "ARCHITECTURE.md").read_text().split("## Rooms")[1].split("```")[1], re.M)
for room in sorted(set(ROOMS) ^ {p.name for p in (root / "src").iterdir() if p.is_dir() and any(p.iterdir())}):
    problems.append(f"src/{room}: a folder of src/ and a room of tools/check-rooms.py are the same thing")
if sorted(listed) != sorted(ROOMS):
    problems.append(f"ARCHITECTURE.md lists other rooms: {' '.join(sorted(set(listed) ^ set(ROOMS)))}")
for room, above in ROOMS.items():
    for other in (above or "").split():
        if room in listed and other in listed and listed.index(other) > listed.index(room):
            problems.append(f"ARCHITECTURE.md: {other}/ stands below {room}/, which includes it")

# One name, one type: two headers that define the same name in one namespace break the one-definition rule silently.
defined = {}
for path in sorted((root / "src").rglob("*.h")) + sorted((root / "include").rglob("*.h")):
    spaces = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        opened = re.match(r"namespace ([\w:]+)\s*\{", line)
        if opened:
            spaces.append(opened[1])
        elif line.startswith("}  // namespace") and spaces:
            spaces.pop()
        found = re.match(r"(?:struct|class|enum class) (\w+)[^;]*\{", line)
        if found:
            name = "::".join(spaces + [found[1]])
            here = f"{path.relative_to(root)}:{number}"
            if name in defined:
                problems.append(f"{here}: {name} is defined in {defined[name]} too")
            defined[name] = here
print("\n".join(problems) or "rooms: all includes point up, every type has a name of its own")
sys.exit(bool(problems))
