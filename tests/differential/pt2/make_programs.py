#!/usr/bin/python3
"""Writes exported programs (.pt2) of torchvision's networks: traced to ATen operators by make_fx, in the JSON of
torch/_export/serde/schema.py, without weights.

    make_programs.py OUT [NAME ...]

PyTorch 1.13 has no torch.export; its tracer gives the same operators that ExportedProgram.run_decompositions() does, but for two of its
own (_reshape_alias, as_strided_), which are written as the views that they are. Their counts are in ../onnx/*/truth.csv, what autograd
keeps of them in ../vision_memory.csv.
"""
import json, operator, os, sys, zipfile

import torch, torchvision
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils.stateless import functional_call

NAMES = """convnext_tiny densenet121 efficientnet_b0 googlenet mnasnet0_5 mobilenet_v3_small regnet_x_400mf resnet18 shufflenet_v2_x0_5
squeezenet1_1 swin_t vgg11_bn vit_b_32""".split()
SCALAR_TYPES = {torch.uint8: 1, torch.int8: 2, torch.int32: 4, torch.int64: 5, torch.float16: 6, torch.float32: 7, torch.float64: 8,
                torch.bool: 12, torch.bfloat16: 13}


def argument(a):
    if isinstance(a, torch.fx.Node):
        return {"as_tensor": {"name": a.name}}
    if isinstance(a, (list, tuple)) and a and all(isinstance(b, torch.fx.Node) for b in a):
        return {"as_tensors": [{"name": b.name} for b in a]}
    if isinstance(a, (list, tuple)) and all(isinstance(b, int) for b in a):
        return {"as_ints": list(a)}
    for kind, key in ((bool, "as_bool"), (int, "as_int"), (float, "as_float")):
        if isinstance(a, kind):
            return {key: a}
    return {"as_none": True}


def traced(model, image):
    """The graph, the value of each of its nodes, and the names of its weights."""
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    names = [*parameters, *buffers]
    inputs = [*parameters.values(), *buffers.values(), image]
    module = make_fx(lambda *args: functional_call(model, dict(zip(names, args[:-1])), (args[-1],)))(*inputs)
    for node in module.graph.nodes:
        if str(node.target) == "aten.as_strided_.default":
            node.replace_all_uses_with(node.args[0])
    values = {}

    class Run(torch.fx.Interpreter):
        def run_node(self, node):
            values[node] = super().run_node(node)
            return values[node]

    with torch.no_grad():
        Run(module).run(*inputs)
    return module, values, names, len(parameters)


def program(model, image):
    module, values, names, learned = traced(model, image)
    tensors, nodes, specs, outputs = {}, [], [], []

    def tensor(name, value, gradient=False):
        tensors[name] = {"dtype": SCALAR_TYPES[value.dtype], "sizes": [{"as_int": n} for n in value.shape], "requires_grad": gradient}
        return {"name": name}

    for index, node in enumerate(n for n in module.graph.nodes if n.op == "placeholder"):
        name = tensor(node.name, values[node], index < learned)
        if index < learned:
            specs.append({"parameter": {"arg": name, "parameter_name": names[index]}})
        elif index < len(names):
            specs.append({"buffer": {"arg": name, "buffer_name": names[index], "persistent": True}})
        else:
            specs.append({"user_input": {"arg": {"as_tensor": name}}})
    for node in module.graph.nodes:
        if node.op == "get_attr":
            specs.append({"tensor_constant": {"arg": tensor(node.name, values[node]), "tensor_constant_name": node.target}})
        elif node.op == "output":
            made = node.args[0] if isinstance(node.args[0], (list, tuple)) else [node.args[0]]
            outputs = [{"as_tensor": {"name": n.name}} for n in made]
        if node.op != "call_function" or node.target is operator.getitem or not node.users:
            continue
        target = str(node.target).replace("_reshape_alias.", "view.")
        if isinstance(values[node], torch.Tensor):
            results = [{"as_tensor": tensor(node.name, values[node])}]
        else:
            taken = {user.args[1]: user.name for user in node.users}
            parts = [tensor(taken.get(i, f"{node.name}_{i}"), part) for i, part in enumerate(values[node])]
            results = [{"as_tensors": parts}] if "split" in target else [{"as_tensor": part} for part in parts]
        schema = node.target._schema.arguments
        given = [*zip((a.name for a in schema), node.args), *node.kwargs.items()]
        nodes.append({"target": "torch.ops." + target, "inputs": [{"name": k, "arg": argument(a)} for k, a in given],
                      "outputs": results, "metadata": {}})
    graph = {"inputs": [], "outputs": outputs, "nodes": nodes, "tensor_values": tensors, "sym_int_values": {}, "sym_bool_values": {}}
    signature = {"input_specs": specs, "output_specs": [{"user_output": {"arg": o}} for o in outputs]}
    return {"graph_module": {"graph": graph, "signature": signature}, "schema_version": {"major": 8, "minor": 2}}


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or NAMES:
        extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
        model = torchvision.models.get_model(name, weights=None, **extra).eval()
        text = json.dumps(program(model, torch.zeros(1, 3, 224, 224)), separators=(",", ":"))
        with zipfile.ZipFile(os.path.join(sys.argv[1], name + ".pt2"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr(zipfile.ZipInfo("models/model.json"), text, zipfile.ZIP_DEFLATED)
        print(name)


if __name__ == "__main__":
    main()
