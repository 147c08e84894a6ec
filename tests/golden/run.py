#!/usr/bin/env python3
"""Runs golden tests: one file holds input files, commands, expected output and exit codes.

    # comment lines before the first section
    === file plan.yaml          an input file, written into an empty folder before anything runs
    ...
    === file-base64 x.bin       the same, from base64
    === run tally plan.yaml     the command line after `floptally`, shell syntax (so "| head" and "< file" work)
    === exit 0                  expected exit status (default 0)
    === stdout                  expected text, to the letter; `...` alone on a line matches any lines
    ...
    === stderr                  likewise; a missing section of the two expects nothing there

Several run groups may follow one another in a file; they share the folder. $SRC is the source tree.
`--update` rewrites stdout, stderr and exit of every group from what the program printed.
"""
import argparse, base64, os, pathlib, subprocess, sys, tempfile


def parse(text):
    head, groups, files, section = [], [], [], None
    for line in text.splitlines(keepends=True):
        if line.startswith("=== "):
            word, _, rest = line[4:].rstrip("\n").partition(" ")
            if word in ("file", "file-base64"):
                section = {"kind": word, "name": rest, "body": ""}
                files.append(section)
                groups.append(section)
            elif word == "run":
                group = {"kind": "run", "command": rest, "exit": 0, "stdout": "", "stderr": "", "body": ""}
                groups.append(group)
                section = None
            elif word == "exit":
                groups[-1]["exit"] = int(rest)
                section = None
            elif word in ("stdout", "stderr"):
                section = (groups[-1], word)
            else:
                raise SystemExit(f"unknown section '{word}'")
        elif isinstance(section, dict):
            section["body"] += line
        elif isinstance(section, tuple):
            section[0][section[1]] += line
        elif not groups:
            head.append(line)
        elif line.strip():
            raise SystemExit(f"text outside a section: {line!r}")
    return "".join(head), groups


def unparse(head, groups):
    out = head
    for g in groups:
        if g["kind"] != "run":
            out += f"=== {g['kind']} {g['name']}\n{g['body']}"
        else:
            out += f"=== run {g['command']}\n"
            if g["exit"]:
                out += f"=== exit {g['exit']}\n"
            for stream in ("stdout", "stderr"):
                if g[stream]:
                    body = g[stream] if g[stream].endswith("\n") else g[stream] + "\n"
                    out += f"=== {stream}\n{body}"
    return out


def matches(expected, actual):
    if expected == actual:
        return True
    want, have = expected.splitlines(), actual.splitlines()
    if "..." not in [w.strip() for w in want]:
        return False
    blocks, block = [], []
    for w in want:
        if w.strip() == "...":
            blocks.append(block)
            block = []
        else:
            block.append(w)
    blocks.append(block)
    position = 0
    for i, b in enumerate(blocks):
        last = i == len(blocks) - 1
        if i == 0:
            if have[: len(b)] != b:
                return False
            position = len(b)
        elif last:
            return not b or (len(have) - len(b) >= position and have[len(have) - len(b):] == b)
        else:
            while position <= len(have) and have[position:position + len(b)] != b:
                position += 1
            if position > len(have):
                return False
            position += len(b)
    return True


def run_file(path, binary, update):
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    head, groups = parse(path.read_text())
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for g in groups:
            if g["kind"] == "run":
                continue
            target = pathlib.Path(folder, g["name"])
            target.parent.mkdir(parents=True, exist_ok=True)
            if g["kind"] == "file-base64":
                target.write_bytes(base64.b64decode(g["body"]))
            else:
                target.write_text(g["body"])
        env = dict(os.environ, SRC=str(source), NO_COLOR="1", LC_ALL="C.UTF-8")
        env.pop("COLUMNS", None)
        env["PATH"] = f"{binary.parent}:{env['PATH']}"
        for g in groups:
            if g["kind"] != "run":
                continue
            done = subprocess.run(["bash", "-c", "floptally " + g["command"]], cwd=folder, env=env, capture_output=True,
                                  text=True, timeout=120, stdin=subprocess.DEVNULL)
            clean = {s: getattr(done, s).replace(str(source), "$SRC") for s in ("stdout", "stderr")}
            if update:
                g["exit"] = done.returncode
                for s in ("stdout", "stderr"):
                    if not matches(g[s], clean[s]):
                        g[s] = clean[s]
                continue
            if done.returncode != g["exit"]:
                problems.append(f"{path}: `{g['command']}` exit {done.returncode}, expected {g['exit']}\n{clean['stderr']}")
            for s in ("stdout", "stderr"):
                if not matches(g[s].rstrip("\n"), clean[s].rstrip("\n")):
                    problems.append(f"{path}: `{g['command']}` {s} differs\n--- expected\n{g[s]}--- actual\n{clean[s]}")
    if update:
        path.write_text(unparse(head, groups))
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--floptally", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    binary = pathlib.Path(options.floptally).resolve()
    cases = []
    for p in map(pathlib.Path, options.paths):
        cases += sorted(p.rglob("*.test")) if p.is_dir() else [p]
    failures = [problem for case in cases for problem in run_file(case, binary, options.update)]
    print("\n".join(failures))
    print(f"{len(cases)} files, {len(failures)} differences")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
