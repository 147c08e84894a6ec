#!/usr/bin/env python3
"""Compiles tests/compile_fail/cases.cpp as it is (must work) and once per CASE_ macro (must not, at the marked line).

    tests/compile_fail/run.py ROOT COMPILER"""
import concurrent.futures, pathlib, re, subprocess, sys

root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
path = root / "tests/compile_fail/cases.cpp"
lines = path.read_text().splitlines()
cases = {}
for number, line in enumerate(lines, 1):
    if found := re.match(r"#ifdef (CASE_\w+)", line):
        cases[found[1]] = number + 1  # the failing line follows its #ifdef


def compile_with(macro):
    flags = [f"-D{macro}"] if macro else []
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Werror=unused-result", f"-I{root}/include", *flags, str(path)]
    return subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})


gcc = "Free Software Foundation" in subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
with concurrent.futures.ThreadPoolExecutor() as pool:
    done = dict(zip([None, *cases], pool.map(compile_with, [None, *cases])))
problems = [] if done[None].returncode == 0 else [f"cases.cpp does not compile as it is:\n{done[None].stderr}"]
for case, number in cases.items():
    result, message = done[case], re.search(r"// fails: (.*)$", lines[number - 1])[1]
    errors = [e for e in result.stderr.splitlines() if re.search(rf"cases\.cpp:{number}:\d+: error: ", e)]
    if result.returncode == 0:
        problems.append(f"{case} compiles")
    elif not errors:
        problems.append(f"{case} fails elsewhere than in line {number}:\n{result.stderr}")
    elif gcc and not any(message in e.replace("‘", "'").replace("’", "'") for e in errors):
        problems.append(f"{case} fails for another reason than '{message}':\n" + "\n".join(errors))
print("\n".join(problems) or f"compile-fail: {len(cases)} cases, none compiles")
sys.exit(bool(problems) or not cases)
