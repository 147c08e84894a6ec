#!/usr/bin/env python3
"""Files that `floptally quantize` writes, read by an independent reader and compared with the definitions to the bit.

    tests/quantize/run.py FLOPTALLY

For every format and method: the stored codes and scales are those of definitions.py, what --dequantize writes is what they
mean, and one thread and four write the same bytes. Shards, GGUF, limits and a full disk are tried, too."""
import json, math, os, pathlib, random, resource, signal, struct, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import definitions as d
import files

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
checks = 0


def check(good, what):
    global checks
    checks += 1
    if not good:
        raise SystemExit(f"FAILED: {what}")


def run(*words, ok=True, **how):
    done = subprocess.run([BINARY, "quantize", *map(str, words)], capture_output=True, text=True, **how)
    if ok and done.returncode != 0:
        raise SystemExit(f"{words}: exit {done.returncode}\n{done.stderr}")
    return done


def floats(data):
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def pack_codes(codes, bits, rows, columns):
    out = bytearray()
    for r in range(rows):
        row = [code % 2 ** bits for code in codes[r * columns:(r + 1) * columns]]
        for i in range(0, columns, 8):  # eight codes end on a byte
            eight = row[i:i + 8]
            number = sum(code << (bits * k) for k, code in enumerate(eight))
            out += number.to_bytes((len(eight) * bits + 7) // 8, "little")
    return bytes(out)


def weights(count, seed, spread=0.05):
    r = random.Random(seed)
    return [d.f32(r.gauss(0, 1) * spread * (8 if r.random() < 0.01 else 1)) for _ in range(count)]


class Case:
    """One quantized tensor: what was stored and what is read back."""

    def __init__(self, folder, x, rows, columns, words, dtype="F32"):
        source = folder / "in.safetensors"
        raw = {"F32": lambda: struct.pack(f"<{len(x)}f", *x), "F16": lambda: struct.pack(f"<{len(x)}e", *x),
               "BF16": lambda: b"".join(struct.pack("<f", v)[2:] for v in x)}[dtype]()
        files.write_safetensors(source, {"w": (dtype, [rows, columns], raw), "bias": ("F32", [3], struct.pack("<3f", 1, 2, 3))}, {"format": "pt"})
        outputs = []
        for threads in (1, 4):
            target = folder / f"out{threads}.safetensors"
            run(source, *words, "-o", target, "--threads", threads)
            outputs.append(target.read_bytes())
        check(outputs[0] == outputs[1], f"{words}: one thread and four differ")
        self.tensors, self.metadata = files.read_safetensors(folder / "out1.safetensors")
        check(self.metadata["format"] == "pt" and "quantization" in self.metadata, "metadata")
        check(self.tensors["bias"] == ("F32", [3], struct.pack("<3f", 1, 2, 3)), "a tensor that is kept")
        run(source, *words, "--dequantize", "-o", folder / "back.safetensors")
        back, _ = files.read_safetensors(folder / "back.safetensors")
        check(back["w"][:2] == ("F32", [rows, columns]), "dequantized shape")
        self.back = floats(back["w"][2])
        self.words = words

    def expect(self, codes, scales, restored, zeros=None):
        check(self.tensors["w"][2] == codes, f"{self.words}: codes")
        for suffix, data in scales.items():
            check(self.tensors["w" + suffix][2] == data, f"{self.words}: {suffix}")
        if zeros is not None:
            check(self.tensors["w_zero_point"][2] == struct.pack(f"<{len(zeros)}i", *zeros), f"{self.words}: zero points")
        check(all(a == b for a, b in zip(restored, self.back)) and len(restored) == len(self.back), f"{self.words}: values read back")


def scaled(folder, x, rows, columns, words, grain, group, one, bits, dtype="F32"):
    case = Case(folder, x, rows, columns, words, dtype)
    codes, steps, zeros, restored = [], [], [], []
    for begin, end in d.units(rows, columns, grain, group):
        result = one(x[begin:end])
        codes += result[0]
        steps.append(result[1])
        restored += result[-1]
        if len(result) == 4:
            zeros.append(result[2])
    flat = (1, rows * columns) if grain == "tensor" else (rows, columns)
    case.expect(pack_codes(codes, bits, *flat), {"_scale": struct.pack(f"<{len(steps)}f", *steps)}, restored, zeros or None)


def integers_and_floats(folder):
    rows, columns = 13, 70
    x = weights(rows * columns, 1)
    for name, bits, top in (("int8", 8, 127), ("int4", 4, 7)):
        for grain, group in (("tensor", 0), ("channel", 0), ("group", 32), ("group", 7)):
            per = grain if grain != "group" else f"group:{group}"
            base = ("--to", name, "--per", per, "--method")
            scaled(folder, x, rows, columns, (*base, "absmax"), grain, group, lambda u: d.absmax(u, top), bits)
            scaled(folder, x, rows, columns, (*base, "zero-point"), grain, group, lambda u: d.zero_point(u, top), bits)
            scaled(folder, x, rows, columns, (*base, "percentile", "--percentile", "97.5"), grain, group,
                   lambda u: d.absmax(u, top, d.percentile_clip(u, 97.5)), bits)
            scaled(folder, x, rows, columns, (*base, "mse"), grain, group, lambda u: d.absmax(u, top, d.mse_clip(u, top)), bits)
    for name, values in (("e4m3", d.E4M3), ("e5m2", d.E5M2)):
        for grain in ("tensor", "channel"):
            scaled(folder, x, rows, columns, ("--to", name, "--per", grain), grain, 0, lambda u: d.scaled_float(u, values), 8)
    halves = [struct.unpack("<e", struct.pack("<e", v))[0] for v in x]
    scaled(folder, halves, rows, columns, ("--to", "int8"), "tensor", 0, lambda u: d.absmax(u, 127), 8, "F16")
    brains = [struct.unpack("<f", b"\0\0" + struct.pack("<f", v)[2:])[0] for v in x]
    scaled(folder, brains, rows, columns, ("--to", "int8", "--method", "zero-point"), "tensor", 0, lambda u: d.zero_point(u, 127), 8, "BF16")
    positive = [d.f32(1000 + v) for v in x]  # a range far from zero
    scaled(folder, positive, rows, columns, ("--to", "int8", "--method", "zero-point"), "tensor", 0, lambda u: d.zero_point(u, 127), 8)


def across_chunks(folder):
    rows, columns = 300, 900  # 270,000 weights: two chunks
    x = weights(rows * columns, 2)
    scaled(folder, x, rows, columns, ("--to", "int8"), "tensor", 0, lambda u: d.absmax(u, 127), 8)
    scaled(folder, x, rows, columns, ("--to", "int8", "--method", "percentile"), "tensor", 0,
           lambda u: d.absmax(u, 127, d.percentile_clip(u, 99.9)), 8)
    scaled(folder, x, 1, 270000, ("--to", "int8", "--method", "zero-point"), "tensor", 0, lambda u: d.zero_point(u, 127), 8)
    long_row = x + x[:-1]
    long_row.append(0.25)
    scaled(folder, long_row, 2, 270000, ("--to", "int8", "--per", "channel"), "channel", 0, lambda u: d.absmax(u, 127), 8)
    scaled(folder, x, 1, 270000, ("--to", "int4", "--per", "group:100"), "group", 100, lambda u: d.absmax(u, 7), 4)


def blocks_of_floats(folder):
    rows, columns = 11, 150
    x = weights(rows * columns, 3)
    for name, values, bits in (("mxfp8", d.E4M3, 8), ("mxfp8-e5m2", d.E5M2, 8), ("mxfp6", d.E2M3, 6), ("mxfp6-e3m2", d.E3M2, 6), ("mxfp4", d.E2M1, 4)):
        case = Case(folder, x, rows, columns, ("--to", name))
        parts = [d.mx(x[b:e], values) for b, e in d.units(rows, columns, "group", 32)]
        case.expect(pack_codes(sum((p[0] for p in parts), []), bits, rows, columns), {"_scale": bytes(p[1] for p in parts)}, sum((p[2] for p in parts), []))
    case = Case(folder, x, rows, columns, ("--to", "nvfp4"))
    scale = d.f32(max(map(abs, x)) / (448 * 6))
    parts = [d.nvfp4_block(x[b:e], scale) for b, e in d.units(rows, columns, "group", 16)]
    case.expect(pack_codes(sum((p[0] for p in parts), []), 4, rows, columns),
                {"_scale": bytes(p[1] for p in parts), "_tensor_scale": struct.pack("<f", scale)}, sum((p[2] for p in parts), []))
    rows, columns = 140, 150  # more than one second-level block
    x = weights(rows * columns, 4)
    blocks = [d.nf4_block(x[i:i + 64]) for i in range(0, len(x), 64)]
    codes = pack_codes(sum((b[0] for b in blocks), []), 4, 1, rows * columns)
    case = Case(folder, x, rows, columns, ("--to", "nf4"))
    case.expect(codes, {"_scale": struct.pack(f"<{len(blocks)}f", *(b[1] for b in blocks))}, [d.f32(d.NF4[c] * b[1]) for b in blocks for c in b[0]])
    case = Case(folder, x, rows, columns, ("--to", "nf4-dq"))
    mean = d.f32(math.fsum(b[1] for b in blocks) / len(blocks))
    scales, meta, read = b"", [], []
    for i in range(0, len(blocks), 256):
        centred = [d.f32(b[1] - mean) for b in blocks[i:i + 256]]
        step = d.f32(max(map(abs, centred)) / 448)
        own = [d.nearest(d.E4M3, d.f32(c / step)) for c in centred]
        meta.append(step)
        scales += bytes(own)
        read += [d.f32(d.f32(d.E4M3[c] * step) + mean) for c in own]
    case.expect(codes, {"_scale": scales, "_scale_scale": struct.pack(f"<{len(meta)}f", *meta), "_scale_mean": struct.pack("<f", mean)},
                [d.f32(d.NF4[c] * m) for b, m in zip(blocks, read) for c in b[0]])


def outliers(folder):
    rows, columns = 24, 64
    x = weights(rows * columns, 5, 0.02)
    for row in range(rows):
        x[row * columns + 9] = d.f32(x[row * columns + 9] * 60)
    case = Case(folder, x, rows, columns, ("--to", "int8", "--method", "llm-int8"))
    kept = list(struct.unpack("<i", case.tensors["w_outlier_columns"][2]))
    check(kept == [9], "the outlier column is found")
    check(case.tensors["w_outliers"] == ("F32", [rows, 1], struct.pack(f"<{rows}f", *x[9::columns])), "outliers are kept as they are")
    masked = [0.0 if i % columns == 9 else v for i, v in enumerate(x)]
    parts = [d.absmax(masked[b:e], 127) for b, e in d.units(rows, columns, "channel", 0)]
    restored = [x[i] if i % columns == 9 else v for i, v in enumerate(sum((p[2] for p in parts), []))]
    case.expect(pack_codes(sum((p[0] for p in parts), []), 8, rows, columns), {"_scale": struct.pack(f"<{rows}f", *(p[1] for p in parts))}, restored)


def activations(folder):
    """LLM.int8() as published: the inputs whose activation reaches 6.0 stay; and the error of the product with these activations."""
    rows, columns, tokens = 24, 64, 5
    x = weights(rows * columns, 9, 0.02)
    a = weights(tokens * columns, 10, 0.5)
    a[2 * columns + 7], a[4 * columns + 33], a[columns + 50] = -8.0, 6.0, 5.75
    source = folder / "a.safetensors"
    files.write_safetensors(source, {"m.weight": ("F32", [rows, columns], struct.pack(f"<{len(x)}f", *x)), "n.weight": ("F32", [rows, columns], struct.pack(f"<{len(x)}f", *x))})
    for name in ("m.weight", "m", "m.input", "default"):
        files.write_safetensors(folder / "act.safetensors", {name: ("F32", [tokens, columns], struct.pack(f"<{len(a)}f", *a))})
        words = (source, "--to", "int8", "--method", "llm-int8", "--activations", folder / "act.safetensors")
        run(*words, "-o", folder / "kept.safetensors")
        run(*words, "--dequantize", "-o", folder / "back.safetensors")
        kept = files.read_safetensors(folder / "kept.safetensors")[0]
        check(list(struct.unpack("<2i", kept["m.weight_outlier_columns"][2])) == [7, 33], f"{name}: the outlier inputs")
        other = kept.get("n.weight_outlier_columns", ("I32", [0], b""))[2]
        check((other == kept["m.weight_outlier_columns"][2]) == (name == "default"), f"{name}: the other matrix")
        back = floats(files.read_safetensors(folder / "back.safetensors")[0]["m.weight"][2])
        signal = noise = 0.0
        for r in range(rows):
            for t in range(tokens):
                row, given = x[r * columns:(r + 1) * columns], a[t * columns:(t + 1) * columns]
                signal += math.fsum(w * v for w, v in zip(row, given)) ** 2
                noise += math.fsum((w - b) * v for w, b, v in zip(row, back[r * columns:(r + 1) * columns], given)) ** 2
        for threads in (1, 3):
            answer = json.loads(run(*words, "--json", "--threads", threads).stdout)["answer"]["tensors"][0]
            check(abs(answer["matmul_error"] - math.sqrt(noise / signal)) < 1e-12, f"{name}: the error of the product")
            check(answer["outlier_columns"] == 2, "columns kept")
    # Only the first vectors for the error, all of them for the outliers.
    answer = json.loads(run(*words, "--json", "--probes", "1").stdout)["answer"]["tensors"][0]
    check(answer["outlier_columns"] == 2, "outliers are those of all vectors")


def gguf(folder):
    rows, columns = 5, 512
    x = weights(rows * columns, 6)
    source = folder / "g.safetensors"
    files.write_safetensors(source, {"w": ("F32", [rows, columns], struct.pack(f"<{len(x)}f", *x)), "bias": ("F16", [3], struct.pack("<3e", 1, 2, 3))})
    for name, (size, length, read) in d.BLOCKS.items():
        run(source, "--to", name, "-o", folder / "g.gguf")
        tensors, metadata = files.read_gguf(folder / "g.gguf")
        kind, shape, data = tensors["w"]
        check(shape == [rows, columns] and files.GGUF_BLOCKS[kind] == (size, length), f"{name}: shape and type")
        check(tensors["bias"] == (1, [3], struct.pack("<3e", 1, 2, 3)), "a kept tensor in GGUF")
        run(source, "--to", name, "--dequantize", "-o", folder / "back.safetensors")
        back = floats(files.read_safetensors(folder / "back.safetensors")[0]["w"][2])
        mine = sum((read(data[i:i + length]) for i in range(0, len(data), length)), [])
        check(mine == back, f"{name}: the independent reader gets the dequantized values")
        run(source, "--to", name, "-o", folder / "g.safetensors.out.safetensors")
        check(files.read_safetensors(folder / "g.safetensors.out.safetensors")[0]["w"][2] == data, f"{name}: the same blocks in safetensors")
        answer = json.loads(run(source, "--to", name, "--json").stdout)["answer"]
        own = math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(x, mine)) / len(x))
        check(abs(answer["error"]["rmse"] - own) < 1e-12, f"{name}: the RMSE reported")
        check(answer["bits_per_weight"]["value"] == 8 * length / size, f"{name}: bits a weight")
    run(source, "--to", "fp16", "-o", folder / "half.gguf")  # and a GGUF file as input
    run(folder / "half.gguf", "--to", "q8_0", "-o", folder / "half8.gguf")
    check(files.read_gguf(folder / "half8.gguf")[0]["w"][0] == 8, "GGUF to GGUF")


def shards(folder):
    x = weights(64 * 32, 7)
    raw = struct.pack(f"<{len(x)}f", *x)
    (folder / "s").mkdir()
    files.write_safetensors(folder / "s/m-1.safetensors", {"a": ("F32", [64, 32], raw)})
    files.write_safetensors(folder / "s/m-2.safetensors", {"b": ("F32", [64, 32], raw)})
    (folder / "s/model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 2 * len(raw)}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}))
    (folder / "t").mkdir()
    run(folder / "s", "--to", "int8", "-o", f"{folder}/t/")
    index = json.loads((folder / "t/model.safetensors.index.json").read_text())
    check(index["weight_map"] == {"a": "m-1.safetensors", "a_scale": "m-1.safetensors", "b": "m-2.safetensors", "b_scale": "m-2.safetensors"}, "the index")
    total = 0
    for shard in ("m-1", "m-2"):
        total += sum(len(t[2]) for t in files.read_safetensors(folder / f"t/{shard}.safetensors")[0].values())
    check(index["metadata"]["total_size"] == total, "total_size")
    run(folder / "s", "--to", "int8", "-o", folder / "one.safetensors")
    check(set(files.read_safetensors(folder / "one.safetensors")[0]) == {"a", "a_scale", "b", "b_scale"}, "shards into one file")


def full_disk(folder):
    """A limit on file size stands for a full disk: an error, and nothing left behind."""
    x = weights(200000, 8)
    source = folder / "big.safetensors"
    files.write_safetensors(source, {"a": ("F32", [500, 400], struct.pack(f"<{len(x)}f", *x))})

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    (folder / "d").mkdir()
    done = run(source, "--to", "int8", "-o", folder / "d/out.safetensors", ok=False, preexec_fn=limit)
    check(done.returncode == 3 and "file-unwritable" in done.stderr, f"full disk: {done.returncode} {done.stderr}")
    check(os.listdir(folder / "d") == [], "nothing is left behind")
    done = run(source, "--to", "int8", "-o", f"{folder}/d/made/", ok=False, preexec_fn=limit)
    check(done.returncode == 3 and os.listdir(folder / "d") == [], "nor the folder that was made for it")
    run(source, "--to", "int8", "-o", f"{folder}/d/made/")
    check(os.listdir(folder / "d/made") == ["big.safetensors"], "a folder that is not there is made")


def killed(folder):
    """A process that dies in the middle leaves nothing either, where the file system can hold files without a name."""
    (folder / "k").mkdir()
    try:
        os.close(os.open(folder / "k", os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        return
    source = sparse_model(folder / "k/in", 2, 4096, 16384)
    (folder / "k/out").mkdir()
    child = subprocess.Popen([BINARY, "quantize", source, "--to", "q2_k", "-o", folder / "k/out/one.safetensors"], stdout=subprocess.DEVNULL)
    time.sleep(0.2)
    child.kill()
    check(child.wait() != 0, "it was still at work")
    check(os.listdir(folder / "k/out") == [], "a killed process leaves nothing behind")


def sparse_model(folder, shards, rows, columns):
    """A model of zeros but for two weights a shard; on disk it is nearly empty."""
    folder.mkdir()
    names = {}
    for i in range(shards):
        header = json.dumps({f"w{i}": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [0, 4 * rows * columns]}}).encode()
        with (folder / f"m-{i}.safetensors").open("wb") as out:
            out.write(struct.pack("<Q", len(header)) + header + struct.pack("<2f", 1, -2))
            out.truncate(8 + len(header) + 4 * rows * columns)
        names[f"w{i}"] = f"m-{i}.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return folder


def peak_mib(*words):
    script = "import resource,subprocess,sys\nsubprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", script, BINARY, "quantize", *map(str, words)], capture_output=True, text=True, check=True)
    return int(done.stdout) // 1024


def bounded_memory(folder):
    """Memory does not grow with the model: 600 MB of weights are written in well under 256 MiB, the sizes of 40 GB told."""
    peak = peak_mib(sparse_model(folder / "sparse", 2, 9600, 8192), "--to", "int8", "--probes", "0", "-o", f"{folder}/sparse8/")
    check(peak < 256, f"peak memory {peak} MiB")
    large = sparse_model(folder / "large", 20, 32768, 16384)
    words = (large, "--to", "int8", "--dry-run")
    check(peak_mib(*words) < 256, "peak memory of a dry run over 40 GB")
    answer = json.loads(run(*words, "--json").stdout)["answer"]
    check(answer["bytes_after"]["exact"] == str(20 * (32768 * 16384 + 4)), "the sizes of a 40 GB model")
    return peak


with tempfile.TemporaryDirectory() as name:
    here = pathlib.Path(name)
    for step in (integers_and_floats, across_chunks, blocks_of_floats, outliers, activations, gguf, shards, full_disk, killed):
        step(here)
    peak = bounded_memory(here)
print(f"{checks} checks; peak memory of a 600 MB model {peak} MiB")
