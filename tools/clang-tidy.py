#!/usr/bin/env python3
"""Runs clang-tidy over sources, each once as long as nothing that it reads has changed.

    tools/clang-tidy.py BUILD [FILE...]      all of src/ where no file is named

A clean source leaves a mark under BUILD/clang-tidy, named by a digest of the tool's version, .clang-tidy, the compile
command, and every file the source includes (as the build recorded them): with the same digest the answer is the same."""
import concurrent.futures, hashlib, json, os, pathlib, shlex, shutil, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
build = pathlib.Path(sys.argv[1]).resolve()
tool = shutil.which("clang-tidy-16") or shutil.which("clang-tidy")  # 14 rejects structured bindings in lambdas
marks = build / "clang-tidy"
digests = {}


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


def digest_of(path):
    if path not in digests:
        try:
            digests[path] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        except OSError:
            digests[path] = "absent"
    return digests[path]


def recorded():
    """For each object of the build, the files its source includes."""
    out, target = {}, None
    for line in run("ninja", "-C", str(build), "-t", "deps").stdout.splitlines():
        if line.startswith("    "):
            out[target].append(os.path.normpath(build / line.strip()))
        elif ": #deps" in line:
            target = line.split(": #deps")[0]
            out[target] = []
    return out


def check(file, key):
    if key and (marks / key).exists():
        return file, True, ""
    done = run(tool, "-p", str(build), "--quiet", file)
    if done.returncode == 0 and key:
        (marks / key).touch()
    return file, done.returncode == 0, done.stdout


if __name__ == "__main__":
    commands = {os.path.relpath(c["file"], root): c for c in json.loads((build / "compile_commands.json").read_text())}
    files = sys.argv[2:] or run("git", "-C", str(root), "ls-files", "src/*.cpp").stdout.split()
    common = run(tool, "--version").stdout + (root / ".clang-tidy").read_text()
    includes = recorded()
    marks.mkdir(exist_ok=True)
    keys = {}
    for file in files:
        command = commands.get(os.path.relpath(root / file, root))
        words = shlex.split(command["command"]) if command else []
        known = includes.get(words[words.index("-o") + 1]) if "-o" in words else None
        keys[file] = None if not known else hashlib.sha256("\n".join(
            [common, command["command"], digest_of(root / file)] + [f"{path} {digest_of(path)}" for path in known]).encode()).hexdigest()
    for mark in set(p.name for p in marks.iterdir()) - set(keys.values()):
        if not sys.argv[2:]:
            (marks / mark).unlink()  # of sources as they were
    cached = sum(1 for key in keys.values() if key and (marks / key).exists())
    os.chdir(root)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, clean, text in pool.map(lambda f: check(f, keys[f]), files):
            failed += not clean
            if not clean:
                print(text if text.strip() else f"{file}: clang-tidy failed", flush=True)
    print(f"clang-tidy: {len(files)} sources, {cached} unchanged since they were clean, {failed} with findings")
    sys.exit(failed != 0)
