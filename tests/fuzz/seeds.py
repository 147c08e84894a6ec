#!/usr/bin/env python3
"""Writes the seeds of every fuzz target into FOLDER/<target>/: the inputs of the golden tests, and files of the tree.

    tests/fuzz/seeds.py FOLDER
"""
import base64, hashlib, io, lzma, pathlib, shlex, sys, zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden"))
from run import parse  # noqa: E402

SLOW = {"endless.onnx"}  # three million nodes before it is refused: half a minute with sanitizers
MOST = 32768  # bytes of a seed; longer tables are cut after a line, other files left out
TABLES = ["csv", "evidence", "runs", "facts", "tables"]
ENDINGS = {
    ".onnx": ["onnx"], ".pt2": ["pt2"], ".pb": ["savedmodel"], ".tflite": ["tflite"], ".mlir": ["stablehlo"],
    ".stablehlo": ["stablehlo"], ".safetensors": ["safetensors", "quantize"], ".gguf": ["gguf", "quantize"],
    ".csv": TABLES, ".gz": ["evidence"], ".json": ["json", "config"], ".yaml": ["yaml"],
}
OPENINGS = {b"plan": ["plan"], b"run": ["train", "audit", "check"], b"account": ["check"], b"method": ["plan"]}


def targets_of(name, content):
    targets = list(ENDINGS.get(pathlib.Path(name).suffix, []))
    if targets and targets[0] in ("yaml", "json"):
        words = [w for w in OPENINGS if (b"\n" + w + b":") in b"\n" + content or b'"' + w + b'"' in content]
        targets += [t for w in words for t in OPENINGS[w]] if words else ["spec"]
    return targets


def write(folder, target, content):
    if len(content) > MOST:
        if target not in TABLES:
            return
        content = content[:MOST].rpartition(b"\n")[0] + b"\n"
    if target == "pt2" and zipfile.is_zipfile(io.BytesIO(content)):  # the program inside, which zipped hardly changes
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    write(folder, target, archive.read(name))
    (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / target / hashlib.sha1(content).hexdigest()).write_bytes(content)


def golden(folder):
    for path in sorted(ROOT.glob("tests/golden/*/*.test")):
        files = {}
        for part in parse(path.read_text())[1]:
            if part["kind"] != "run":
                body = part["body"]
                content = base64.b64decode(body) if part["kind"] == "file-base64" else body.encode()
                if part["name"] in SLOW:
                    continue
                files[part["name"]] = content
                for target in targets_of(part["name"], content):
                    write(folder, target, content)
                continue
            words = [w.replace(" ", "\t") for w in shlex.split(part["command"])]
            for i, word in enumerate(words):
                shipped = ROOT / word.removeprefix("$SRC/")
                if word.startswith("$SRC/") and shipped.is_file():
                    words[i] = shipped.name
                    files.setdefault(shipped.name, shipped.read_bytes())
            name = next((w for w in words if w in files), "none.yaml")
            write(folder, "request", " ".join(words).encode() + b"\n" + name.encode() + b"\n" + files.get(name, b""))
            if words[0] == "format":
                write(folder, "text", " ".join(words[1:]).encode())


def tree(folder):
    for pattern in ("plans/*", "examples/**/*", "data/**/*", "tests/differential/**/*"):
        for path in ROOT.glob(pattern):
            if path.is_file():
                content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
                for target in targets_of(path.name.removesuffix(".xz"), content):
                    write(folder, target, content)
    for path in ROOT.glob("plans/*.yaml"):
        for line in path.read_text().splitlines():
            write(folder, "text", line.partition(": ")[2].partition("#")[0].strip().encode())


if __name__ == "__main__":
    golden(pathlib.Path(sys.argv[1]))
    tree(pathlib.Path(sys.argv[1]))
