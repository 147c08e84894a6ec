#!/usr/bin/env python3
"""Writes docs/reference/ from the program itself, so that no page can say what the program does not do.

    tools/generate-reference.py BUILD            writes the pages
    tools/generate-reference.py BUILD --check    fails where a page is not what would be written"""
import pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
binary = pathlib.Path(sys.argv[1], "floptally").resolve()
HEAD = "<!-- Written by tools/generate-reference.py from the program itself; edit the source, not this page. -->\n"


def floptally(*words):
    done = subprocess.run([binary, *words], capture_output=True, text=True, cwd=root, env={"NO_COLOR": "1", "COLUMNS": "120", "LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        sys.exit(f"floptally {' '.join(words)} exits with {done.returncode}\n{done.stderr}")
    return done.stdout.strip("\n") + "\n"


def commands():
    overview = floptally("--help")
    names = re.findall(r"^  ([a-z]+) ", overview.split("Commands:")[1].split("Exit status:")[0], re.M)
    out = HEAD + "# Commands\n\nWhat `floptally --help` and `floptally COMMAND --help` print.\n\n```text\n" + overview + "```\n"
    for name in names:
        out += f"\n## floptally {name}\n\n```text\n" + floptally(name, "--help") + "```\n"
    out += """
## Exit status

| Status | Meaning |
|---:|---|
| 0 | answered, and yes |
| 1 | answered, and no: it does not fit, is over a budget or threshold, or `expect:` is not met |
| 2 | the command line is wrong |
| 3 | an input cannot be read or understood |
| 70 | a bug of ours |
"""
    return out


def topics(title, lead, *names):
    out = HEAD + f"# {title}\n\n{lead}\n"
    for name in names:
        table = floptally("reference", name, "--format", "md")
        out += "\n" + (re.sub(r"^\s*### [^\n]*\n+", "", table) if len(names) == 1 else re.sub(r"^\s*### ", "## ", table))
    return out


def hardware():
    table = floptally("hardware", "--format", "md")
    table = re.sub(r"^## [^\n]*\n+### [^\n]*\n+", "", table)
    return HEAD + "# Hardware\n\nThe catalogue, as `floptally hardware` prints it: data/hardware/devices.csv with the usual price on demand.\n\n" + table


EXAMPLE = "```yaml\n" + (root / "examples/runs/llama-8b.yaml").read_text().strip("\n") + "\n```"
PAGES = {
    "commands.md": commands,
    "diagnostics.md": lambda: topics("Diagnostics", "A problem is printed as `error[code]: message` with the line and a caret. `floptally reference CODE` explains one.", "diagnostics"),
    "operators.md": lambda: topics("Operators", "What a network is counted from: one file each under src/network/operators/. The worked examples are run by the tests.", "operators"),
    "families.md": lambda: topics("Families and formats", "Which models are read, and from what.", "families", "formats", "models", "conventions"),
    "formulas.md": lambda: topics("Formulas by name", "Where a formula that is known by a name is shown, and where it is written. `floptally reference narayanan` finds one.", "formulas"),
    "hardware.md": hardware,
    "lints.md": lambda: floptally("reference", "lints-page"),
    "plan.schema.json": lambda: floptally("reference", "plan-schema"),
    "run.schema.json": lambda: floptally("reference", "run-schema"),
    "run.md": lambda: topics("The RUN file", "One training run, as `floptally train RUN` and `floptally audit RUN` read it: YAML or JSON, unknown and duplicate keys are errors. An editor that knows JSON Schema can check one while it is written: [run.schema.json](run.schema.json).\n\n" + EXAMPLE, "run", "precisions", "optimizers", "frameworks"),
    "outputs.md": lambda: topics("Outputs and number formats", "How answers are written, and how numbers are stored.", "outputs", "number-formats"),
}

stale = []
for name, make in PAGES.items():
    path, text = root / "docs/reference" / name, make()
    if "--check" in sys.argv:
        if not path.exists() or path.read_text() != text:
            stale.append(str(path.relative_to(root)))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
if stale:
    print("stale: " + ", ".join(stale) + "\nrun tools/generate-reference.py BUILD and commit what it writes")
sys.exit(bool(stale))
