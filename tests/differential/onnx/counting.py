"""Counts the convolutions and matrix products that PyTorch executes, and exports the same module to ONNX without weights.

FLOP = 2 per multiply-accumulate of aten::convolution, mm, addmm, bmm, baddbmm (forward) and of their derivatives
(backward from a scalar made of every floating-point output; the inputs need no gradient).
"""
import contextlib, math, os, tempfile, warnings

import onnx, torch
from onnx.external_data_helper import set_external_data
from torch.utils._python_dispatch import TorchDispatchMode

warnings.filterwarnings("ignore")


class FlopCounter(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.total = 0
        self.calls = {}

    def add(self, name, flop):
        self.total += flop
        self.calls[name] = self.calls.get(name, 0) + flop

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name
        if name == "aten::convolution_backward":
            return self.convolution_backward(func, args)
        if name == "aten::_adaptive_avg_pool2d_backward":  # has no meta kernel
            return torch.zeros_like(args[1])
        out = func(*args, **(kwargs or {}))
        if name == "aten::convolution":
            x, w, transposed = args[0], args[1], args[6]
            spatial = x.shape[2:] if transposed else out.shape[2:]
            self.add(name, 2 * x.shape[0] * math.prod(spatial) * math.prod(w.shape))
        elif name in ("aten::mm", "aten::bmm"):
            self.add(name, 2 * math.prod(args[0].shape) * args[1].shape[-1])
        elif name in ("aten::addmm", "aten::baddbmm"):
            self.add(name, 2 * math.prod(args[1].shape) * args[2].shape[-1])
        elif name in ("aten::mv", "aten::dot", "aten::addmv", "aten::mkldnn_linear", "aten::_convolution"):
            raise SystemExit(f"{name} executed: count it")
        return out

    def convolution_backward(self, func, args):
        grad, x, w, transposed, mask = args[0], args[1], args[2], args[7], args[10]
        spatial = x.shape[2:] if transposed else grad.shape[2:]
        flop = 2 * x.shape[0] * math.prod(spatial) * math.prod(w.shape)
        self.add("aten::convolution_backward", flop * (int(mask[0]) + int(mask[1])))
        # Only the shapes matter here, so the gradients themselves are not computed.
        return (torch.zeros_like(x) if mask[0] else None, torch.zeros_like(w) if mask[1] else None,
                grad.new_zeros(grad.shape[1]) if mask[2] else None)


def floats(value):
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() and value.requires_grad else []
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (list, tuple)) or hasattr(value, "__iter__"):
        return [t for v in value for t in floats(v)]
    return []


@contextlib.contextmanager
def attached(active):
    """Inside, detach() does nothing: it leaves no trace in ONNX, so the gradient of the graph flows through it."""
    kept = torch.Tensor.detach
    if active:
        torch.Tensor.detach = lambda tensor: tensor
    try:
        yield
    finally:
        torch.Tensor.detach = kept


def count(module, inputs, backward=True, attach=False):
    """(forward FLOP, backward FLOP)"""
    with FlopCounter() as forward, attached(attach):
        out = module(*inputs)
    if not backward:
        return forward.total, None
    loss = sum(t.float().sum() for t in floats(out))
    with FlopCounter() as back:
        loss.backward()
    return forward.total, back.total


def strip(model, location, threshold=128):
    """Turns every initializer of `threshold` bytes or more into external data that is not there."""
    offset = 0
    for t in model.graph.initializer:
        if t.data_location == onnx.TensorProto.EXTERNAL:
            size = math.prod(t.dims) * onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[t.data_type].itemsize
        elif len(t.raw_data) >= threshold:
            size = len(t.raw_data)
        else:
            continue
        del t.external_data[:]
        t.raw_data = b"0"
        set_external_data(t, location, offset, size)
        t.ClearField("raw_data")
        offset += size


def perturb(module):
    """Makes all numbers differ, and leaves what data decides as it is."""
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 1e-5)


def export(module, inputs, path, name, distinct=True, **options):
    options = {"opset_version": 16, "do_constant_folding": False, "training": torch.onnx.TrainingMode.PRESERVE, **options}
    with torch.no_grad():  # the exporter merges parameters that hold equal numbers: give each its own
        for tensor in [*module.parameters(), *module.buffers()]:
            if distinct is True and tensor.is_floating_point():
                tensor.uniform_(0.01, 0.02)
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "model.onnx")
        torch.onnx.export(module, inputs, whole, **options)
        model = onnx.load(whole, load_external_data=False)
    strip(model, name + ".weights")
    onnx.save(model, path)
    return model


def trainable(module):
    """Parameters that the backward pass of count() reached."""
    return sum(p.numel() for p in module.parameters() if p.grad is not None)
