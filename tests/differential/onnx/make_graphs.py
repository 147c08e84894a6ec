#!/usr/bin/python3
"""Exports graphs with the counts PyTorch executed: classification (all of torchvision) and further_models.py.

    make_graphs.py OUT [classification|further] [NAME ...]

leaves out what OUT/truth.csv has already; writes OUT/graphs/NAME.onnx.xz (weights left out) and rows of OUT/truth.csv; Debian 12: torch 1.13, torchvision 0.14, onnx 1.12.
"""
import copy, csv, lzma, os, sys

import onnx, torch, torchvision

import counting, further_models


def classification(wanted, rows):
    large = ("vit_h_14", "regnet_y_128gf", "vit_l_16", "vit_l_32", "regnet_y_32gf", "convnext_large", "maxvit_t", "swin_v2_b")
    for name in sorted(torchvision.models.list_models(module=torchvision.models), key=lambda n: (n in large, n)):
        if wanted and name not in wanted or name in rows:
            continue
        side = 299 if name == "inception_v3" else 224
        more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        module = torchvision.models.get_model(name, weights=None, **more).eval()
        on_meta = torchvision.models.get_model(name, weights=None, **more).eval().to("meta")
        forward, backward = counting.count(on_meta, (torch.empty(1, 3, side, side, device="meta"),))
        yield name, module, (torch.zeros(1, 3, side, side),), {}, counting.trainable(on_meta), forward, backward


def further(wanted, rows):
    for name, module, inputs, options in further_models.models():
        if wanted and name not in wanted or name in rows:
            continue
        module.eval()
        counted = copy.deepcopy(module)
        forward, backward = counting.count(counted, inputs, options.pop("backward", True))
        parameters = counting.trainable(counted) if backward is not None else ""
        yield name, module, inputs, options, parameters, forward, backward if backward is not None else ""


def main():
    out, kind, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(os.path.join(out, "graphs"), exist_ok=True)
    table = os.path.join(out, "truth.csv")
    fields = ["model", "input", "opset", "let", "parameters", "forward_flop", "backward_flop"]
    rows = {r["model"]: r for r in csv.DictReader(open(table))} if os.path.exists(table) else {}
    for name, module, inputs, options, parameters, forward, backward in (further if kind == "further" else classification)(wanted, rows):
        let = options.pop("let", "")
        if options.pop("script", False):
            module = torch.jit.script(module)
        path = os.path.join(out, "graphs", name + ".onnx")
        try:
            model = counting.export(module, inputs, path, name, **options)
        except Exception as e:
            print(f"{name}: not exported: {str(e)[:300]}", flush=True)
            continue
        raw = open(path, "rb").read()
        os.remove(path)
        with lzma.open(path + ".xz", "wb", preset=9 | lzma.PRESET_EXTREME) as f:
            f.write(raw)
        shapes = "x".join(map(str, inputs[0].shape)) if isinstance(inputs[0], torch.Tensor) else "x".join(map(str, inputs[0][0].shape))
        rows[name] = dict(zip(fields, [name, shapes, model.opset_import[0].version, let, parameters, forward, backward]))
        with open(table, "w", newline="") as f:
            writer = csv.DictWriter(f, fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows[k] for k in sorted(rows))
        print(name, forward, backward, flush=True)


main()
