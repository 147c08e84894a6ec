#!/usr/bin/env python3
"""Wrong command lines exit with 2 (and never crash): every option of every command with a value that it cannot take, options that
nobody has, words missing and words too many.

    tests/house/options.py ROOT FLOPTALLY"""
import re, shlex, subprocess, sys, tempfile

root, program = sys.argv[1], sys.argv[2]
ANY = {"output", "data", "only", "keep", "plan", "activations"}  # names of files and of tensors: whatever is written there is one
wrong = []


def status(*words):
    return subprocess.run([program, *words], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def expect(code, *words):
    done = status(*words)
    if done.returncode != code:
        wrong.append(f"floptally {' '.join(words)}: exit {done.returncode}, not {code}: {done.stderr.strip()[:100]}")


checked = 0
commands = re.findall(r"^  (\w+)  ", subprocess.run([program, "--help"], capture_output=True, text=True).stdout.split("Commands:")[-1].split("Exit status:")[0], re.M)
for command in commands:
    help_text = subprocess.run([program, command, "--help"], capture_output=True, text=True).stdout
    options = re.findall(r"^  (?:-\w,)?--([\w-]+)(?: ([A-Z]\S*))?  ", help_text, re.M)
    example = shlex.split(re.findall(r"^  floptally (.*)", help_text.split("Examples:")[-1], re.M)[0])
    for name, value in options:
        if value and name not in ANY:
            expect(2, *example, f"--{name}", "%%")
            checked += 1
        if value:
            expect(2, command, f"--{name}")  # the value is missing
            checked += 1
    expect(2, *example, "--no-such-option")
    if not re.search(r"^Usage: .* \[OPTIONS\]( \[|$)", help_text, re.M):
        expect(2, command)  # an input is needed
    if command not in ("model", "format"):  # these take many
        expect(2, command, *["x"] * (65 if command == "explain" else 5))  # explain takes 63 paths
    expect(3, *example, "--data", tempfile.gettempdir() + "/no-such-folder")
    checked += 3
expect(2, "no-such-command")
expect(2, "--no-such-option")
expect(2)
print("\n".join(wrong) or f"options: {checked} wrong command lines of {len(commands)} commands, all refused")
sys.exit(bool(wrong) or len(commands) < 10)
