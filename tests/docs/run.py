#!/usr/bin/env python3
"""Runs what the documentation shows: README.md and every page under docs/.

    tests/docs/run.py ROOT FLOPTALLY [--update] [PAGE...]

- A ```console block holds commands ("$ floptally ...") and, below each, what it prints: first what goes to standard output, then
  what goes to standard error. `...` alone on a line stands for any lines, `...` inside a line for any text.
- A fenced block whose first line reads "```yaml my-run.yaml" is written to that file first, so that a page can show an input and use it.
- The commands of a page run in order in one empty folder beside copies of plans/, examples/ and data/. $SRC is the source tree.
- A command must exit with 0, unless it shows its exit status itself ("; echo $?").
- Relative links must lead to files and headings that exist; so must paths of the tree between backticks (`src/book/trace.h`; a
  file of src/ may be named by the end of its path).
`--update` rewrites what the commands print (lines that match an elision stay). READ what it wrote."""
import concurrent.futures, os, pathlib, re, shutil, subprocess, sys, tempfile

FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ \t]*$\n?", re.M | re.S)


def steps_of(body):
    """[(command lines, expected lines)] of a console block."""
    steps = []
    for line in body.splitlines():
        if line.startswith("$ ") or (steps and steps[-1][0][-1].endswith("\\") and not steps[-1][1]):
            if line.startswith("$ "):
                steps.append(([line], []))
            else:
                steps[-1][0].append(line)
        elif steps:
            steps[-1][1].append(line)
        elif line.strip():
            raise SystemExit(f"output without a command: {line!r}")
    return steps


def same(expected, actual):
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in actual)) is not None


def trimmed(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    while lines and not lines[0].strip():
        lines = lines[1:]
    return lines


def headings_of(page):
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def wrong_places(page, root, text):
    """Links and paths of the page that lead nowhere."""
    plain, sources = FENCE.sub("", text), [str(p.relative_to(root)) for p in (root / "src").rglob("*.*")]
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", plain):
        if "://" in target or target.startswith("mailto:"):
            continue
        to = page.parent / target if target else page
        if not to.exists():
            yield f"the link to {target} leads nowhere"
        elif anchor and to.suffix == ".md" and anchor not in headings_of(to):
            yield f"{target} has no heading #{anchor}"
    if page.name == "CHANGELOG.md":  # tells of what was
        return
    for path in re.findall(r"`([\w./-]+)`", plain):
        if re.match(r"(src|include|data|docs|tests|tools|bench|plans|examples|cmake)/", path):
            if not (root / path).exists():
                yield f"there is no {path}"
        elif re.search(r"\w\.(cpp|h)$", path) and not any(source.endswith("/" + path) for source in sources):
            yield f"there is no {path} under src/"


def run_page(page, root, binary, update):
    text, count, out, last = page.read_text(), 0, [], 0
    name = page.relative_to(root)
    problems = [f"{name}: {problem}" for problem in wrong_places(page, root, text)]
    with tempfile.TemporaryDirectory() as folder:
        for shared in ("plans", "examples", "data"):
            if (root / shared).exists():
                shutil.copytree(root / shared, pathlib.Path(folder, shared))
        env = dict(os.environ, SRC=str(root), NO_COLOR="1", LC_ALL="C.UTF-8", PATH=f"{binary.parent}:{os.environ['PATH']}")
        env.pop("COLUMNS", None)
        for block in FENCE.finditer(text):
            words = block[2].split()
            if len(words) == 2:
                pathlib.Path(folder, words[1]).write_text(block[3])
            if words[:1] != ["console"]:
                continue
            body = ""
            for command, expected in steps_of(block[3]):
                count += 1
                script = "\n".join(command)[2:]
                try:
                    done = subprocess.run(["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, errors="replace", timeout=300, stdin=subprocess.DEVNULL)
                except subprocess.TimeoutExpired:
                    problems.append(f"{name}: `{script}` runs longer than five minutes")
                    continue
                actual = trimmed((done.stdout + done.stderr).replace(str(root), "$SRC").splitlines())
                if done.returncode != 0 and "$?" not in script:
                    problems.append(f"{name}: `{script}` exits with {done.returncode}\n{done.stderr}")
                matches = same(trimmed(expected), actual)
                if not matches and not update:
                    problems.append(f"{name}: `{script}` prints something else\n--- shown\n" + "\n".join(expected) + "\n--- printed\n" + "\n".join(actual))
                body += "\n".join(command) + "\n" + "".join(line.rstrip() + "\n" for line in (expected if matches else actual))
                if expected and not expected[-1].strip() and not matches:
                    body += "\n"
            if update:
                out.append(text[last:block.start(3)] + body)
                last = block.end(3)
    if update and "".join(out) + text[last:] != text:
        page.write_text("".join(out) + text[last:])
    return problems, count


def main():
    words = [w for w in sys.argv[1:] if w != "--update"]
    root, binary = pathlib.Path(words[0]).resolve(), pathlib.Path(words[1]).resolve()
    named = [pathlib.Path(p).resolve() for p in words[2:]]
    pages = [page for p in named for page in (sorted(p.rglob("*.md")) if p.is_dir() else [p])] or [root / n for n in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md") if (root / n).exists()] + sorted((root / "docs").rglob("*.md"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = list(pool.map(lambda page: run_page(page, root, binary, "--update" in sys.argv), pages))
    problems = [p for found, _ in done for p in found]
    print("\n".join(problems))
    if problems and "--update" not in sys.argv:
        print("if the program is right and the page is old: tests/docs/run.py . build/floptally --update, and read the difference")
    print(f"docs: {len(pages)} pages, {sum(c for _, c in done)} commands run, {len(problems)} problems")
    return bool(problems)


sys.exit(main())
