#!/usr/bin/python3
"""Exports graphs with the counts PyTorch executed: classification (all of torchvision), further_models.py, architectures.py
and strangers.py.

    make_graphs.py OUT [classification|further|architectures|strangers] [NAME ...]

leaves out what OUT/truth.csv has already; writes OUT/graphs/NAME.onnx.xz (weights left out) and rows of OUT/truth.csv; Debian 12: torch 1.13, torchvision 0.14, onnx 1.12.
"""
import csv, functools, lzma, os, sys

import onnx, torch, torchvision

import architectures, counting, further_models, strangers


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


def further(models, wanted, done):
    for name, module, inputs, options in models:
        if wanted and name not in wanted or name in done:
            continue
        train = options.pop("train", False)
        module.train(train)
        if train:
            options["training"] = torch.onnx.TrainingMode.TRAINING
        rows = {}  # how many regions data chose: the rows that a module was given
        for size, path in options.pop("rows", {}).items():
            module.get_submodule(path).register_forward_pre_hook(lambda _, x, size=size: rows.update({size: len(x[0])}))
        if options.get("distinct") == "noise":
            counting.perturb(module)
        forward, backward = counting.count(module, inputs, options.pop("backward", True), options.pop("attach", False))
        parameters = counting.trainable(module) if backward is not None else ""
        if options.pop("held", False):  # some parameters only choose regions: no gradient reaches them
            parameters = sum(p.numel() for p in module.parameters())
        if options.get("do_constant_folding") and options.pop("folded", False):
            parameters = ""
        options["let"] = " ".join([options.get("let", ""), *(f"{size}={n}" for size, n in rows.items())]).strip()
        module.zero_grad(set_to_none=True)
        yield name, module, inputs, options, parameters, forward, backward if backward is not None else ""


def main():
    out, kind, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(os.path.join(out, "graphs"), exist_ok=True)
    table = os.path.join(out, "truth.csv")
    fields = ["model", "input", "opset", "let", "parameters", "forward_flop", "backward_flop"]
    rows = {r["model"]: r for r in csv.DictReader(open(table))} if os.path.exists(table) else {}
    sets = {"classification": classification, "further": functools.partial(further, further_models.models()),
            "architectures": functools.partial(further, architectures.models()),
            "strangers": functools.partial(further, strangers.models())}
    for name, module, inputs, options, parameters, forward, backward in sets[kind](wanted, rows):
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
