#!/usr/bin/env python3
"""Every example of every command's --help runs: exit status 0 or 1, nothing left where it was not asked for.

    tests/house/examples.py ROOT FLOPTALLY

Examples run in an empty folder beside copies of plans/ and examples/, as a user would run them from a clone."""
import os, pathlib, re, shutil, subprocess, sys, tempfile

root, binary = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
env = dict(os.environ, PATH=f"{binary.parent}:{os.environ['PATH']}", NO_COLOR="1")
overview = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
commands = re.findall(r"^  ([a-z]+) ", overview.split("Commands:")[1].split("Exit status:")[0], re.M)
problems, count = [], 0
with tempfile.TemporaryDirectory() as folder:
    for name in ("plans", "examples"):
        if (root / name).exists():
            shutil.copytree(root / name, pathlib.Path(folder, name))
    for command in commands:
        text = subprocess.run([binary, command, "--help"], capture_output=True, text=True, check=True).stdout
        examples = re.findall(r"^  (floptally .*)$", text.partition("Examples:")[2], re.M)
        if not examples:
            problems.append(f"{command}: --help shows no example")
        for example in examples:
            count += 1
            done = subprocess.run(["bash", "-c", example], cwd=folder, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
            if done.returncode not in (0, 1):
                problems.append(f"$ {example}\n{done.stderr}(exit status {done.returncode})")
print("\n".join(problems) or f"examples: {len(commands)} commands, {count} examples run")
sys.exit(bool(problems))
