#!/usr/bin/python3
"""Holds the shape of every output of onnx's own node cases (python3-onnx 1.12, Debian 12) against the arrays that belong to
them. Inputs of at most 64 whole numbers become initializers: what a shape depends on is then known.

    compare_nodes.py SHAPES_TOOL OUT.csv

writes a row an operator: cases, outputs of equal shape, outputs whose sizes depend on data. A contradiction fails."""
import csv, os, subprocess, sys, tempfile, warnings

import numpy as np, onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.filterwarnings("ignore")
for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
    setattr(np, name, kind)  # the cases were written for an older NumPy
tool, out = sys.argv[1:]


def fixed(model, arrays):
    """The model with its small inputs of whole numbers as initializers."""
    inputs = list(model.graph.input)
    del model.graph.input[:]
    for value, array in zip(inputs, arrays):
        if isinstance(array, np.ndarray) and array.dtype in (np.int32, np.int64, np.bool_) and array.ndim < 2 and array.size <= 64:
            model.graph.initializer.append(numpy_helper.from_array(array, value.name))
        else:
            if isinstance(array, np.ndarray):
                for dim, size in zip(value.type.tensor_type.shape.dim, array.shape):
                    dim.dim_value = size  # a name that a case leaves open
            model.graph.input.append(value)
    return model


def main():
    table, bad = {}, 0
    cases = collect_testcases(None)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "m.onnx")
        for case in cases:
            if case.model is None or not case.data_sets:
                continue
            op = case.model.graph.node[0].op_type if len(case.model.graph.node) == 1 else "functions written out"
            row = table.setdefault(op, [0, 0, 0])
            inputs, outputs = case.data_sets[0]
            onnx.save(fixed(case.model, inputs), path)
            done = subprocess.run([tool, path], capture_output=True, text=True)
            row[0] += 1
            if done.returncode != 0:
                bad += 1
                print(case.name, done.stderr.strip()[:200])
                continue
            ours = {line.split("\t")[0]: line.rstrip("\n").split("\t")[2] for line in done.stdout.splitlines()}
            for value, array in zip(case.model.graph.output, outputs):
                if not hasattr(array, "shape"):
                    continue
                shape = ours.get(value.name, "*")
                sizes = [] if shape == "scalar" else shape.split("x")
                same = shape == "*" or len(sizes) == len(array.shape) and all(s in ("?", str(n)) for s, n in zip(sizes, array.shape))
                if not same:
                    bad += 1
                    print(f"{case.name}: {value.name} {shape}, onnx {array.shape}")
                row[2 if same and ("?" in shape or shape == "*") else 1] += same
    with open(out, "w", newline="") as f:
        f.write(f"# onnx {onnx.__version__} (Debian 12): onnx.backend.test.case.node\n")
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["operator", "cases", "equal", "depends_on_data"])
        writer.writerows([op, *table[op]] for op in sorted(table))
    print(f"{sum(r[0] for r in table.values())} cases of {len(table)} operators, {bad} contradictions")
    return 1 if bad else 0


sys.exit(main())
