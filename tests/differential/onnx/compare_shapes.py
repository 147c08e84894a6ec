#!/usr/bin/python3
"""Holds every tensor shape that floptally finds against onnx.checker and onnx.shape_inference (onnx 1.12, Debian 12).

    compare_shapes.py SHAPES_TOOL OUT.csv FOLDER ...

writes a row a graph: tensors; sizes that onnx infers too, and how many of them are equal; shapes that only floptally has.
A contradiction fails."""
import csv, lzma, os, subprocess, sys, tempfile

import onnx

tool, out, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
rows, bad = [], 0
for folder in folders:
    for row in csv.DictReader(open(os.path.join(folder, "truth.csv"))):
        lets = row.get("let", "").split()
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "m.onnx")
            with lzma.open(os.path.join(folder, "graphs", row["model"] + ".onnx.xz")) as f:
                open(path, "wb").write(f.read())
            model = onnx.load(path, load_external_data=False)
            bind = dict(pair.split("=") for pair in lets)
            for value in model.graph.input:
                for dim in value.type.tensor_type.shape.dim:
                    if dim.dim_param in bind:
                        dim.dim_value = int(bind[dim.dim_param])
            for tensor in model.graph.initializer:  # the checker wants external data to be there
                if tensor.data_location == onnx.TensorProto.EXTERNAL:
                    del tensor.external_data[:]
                    tensor.data_location = onnx.TensorProto.DEFAULT
            for node in model.graph.node:  # the model as a whole lacks its weights; each node must pass
                context = onnx.checker.C.CheckerContext()
                context.ir_version, context.opset_imports = model.ir_version, {o.domain: o.version for o in model.opset_import}
                if not any(a.HasField("g") for a in node.attribute):  # a body alone lacks the values it captures
                    onnx.checker.check_node(node, context)
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
            ours = dict(line.rstrip("\n").split("\t", 1) for line in subprocess.run([tool, path, *lets], capture_output=True, text=True, check=True).stdout.splitlines())
        tensors = {v.name: v.type for v in [*inferred.graph.value_info, *inferred.graph.output]}
        both = equal = finer = 0
        for name, text in ours.items():
            elem, shape = text.split("\t")
            finer += name not in tensors and shape != "*"
            if name not in tensors or not tensors[name].HasField("tensor_type") or not tensors[name].tensor_type.HasField("shape"):
                continue
            dims = tensors[name].tensor_type.shape.dim
            mine = [] if shape == "scalar" else shape.split("x")
            both += 1
            same = len(mine) == len(dims) and int(elem) in (0, tensors[name].tensor_type.elem_type)
            same = same and all(not d.HasField("dim_value") or m in ("?", str(d.dim_value)) for m, d in zip(mine, dims))
            if same:
                equal += 1
            else:
                bad += 1
                print(f"{row['model']}: {name}: {text!r}, onnx {tensors[name].tensor_type.elem_type} {[d.dim_value or d.dim_param for d in dims]}")
        rows.append([os.path.basename(folder.rstrip('/')), row["model"], len(ours), both, equal, finer])
with open(out, "w", newline="") as f:
    writer = csv.writer(f, lineterminator="\n")
    f.write(f"# onnx {onnx.__version__} (Debian 12): onnx.shape_inference.infer_shapes(data_prop=True)\n")
    writer.writerow(["set", "model", "tensors", "inferred_by_onnx", "equal", "only_floptally"])
    writer.writerows(rows)
print(f"{len(rows)} graphs, {sum(r[3] for r in rows)} shapes of both, {bad} contradictions")
sys.exit(1 if bad else 0)
