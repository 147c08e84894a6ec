#!/usr/bin/env python3
"""Executes each operator in PyTorch, forward and backward, and writes what ran beside the network spec that describes it:
tests/differential/operators.csv. Run by `make oracles`; the table is what tests/unit/network/executed_test.cpp holds the program to."""
import pathlib, sys

import torch
from torch import nn

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here / "onnx"))
import counting  # noqa: E402


class Last(nn.Module):
    """Keeps the first output of a recurrent layer."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


class Attend(nn.Module):
    """Multi-head attention by plain products, keys and values shared by groups of heads."""

    def __init__(self, width, heads, kv_heads):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, width // heads
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(width, kv_heads * self.size, bias=False)
        self.v = nn.Linear(width, kv_heads * self.size, bias=False)
        self.o = nn.Linear(width, width, bias=False)

    def forward(self, x):
        b, s, _ = x.shape
        split = lambda t, h: t.view(b, s, h, self.size).transpose(1, 2)
        q, k, v = split(self.q(x), self.heads), split(self.k(x), self.kv_heads), split(self.v(x), self.kv_heads)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in (k, v))
        p = (q @ k.transpose(-1, -2)).softmax(-1)
        return self.o((p @ v).transpose(1, 2).reshape(b, s, -1))


def residual(*layers):
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(*layers)

        def forward(self, x):
            return x + self.inner(x)

    return Residual()


def cases():
    image = lambda layers, c=4, n=9: ("{kind: layers, input: [%d, %d, %d], layers: [%s]}" % (c, n, n, layers), (1, c, n, n))
    steps = lambda layers, t=5, f=6: ("{kind: layers, input: [%d, %d], layers: [%s]}" % (t, f, layers), (1, t, f))
    vector = lambda layers, f=7: ("{kind: layers, input: [%d], layers: [%s]}" % (f, layers), (1, f))
    yield "linear", *vector("{linear: 5}"), nn.Linear(7, 5)
    yield "linear without bias", *vector("{linear: {out: 5, bias: false}}"), nn.Linear(7, 5, bias=False)
    yield "two linear layers", *vector("{linear: 5}, {activation: relu}, {linear: 3}"), nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    for kernel, stride, padding, dilation, groups in [(1, 1, 0, 1, 1), (3, 1, 1, 1, 1), (3, 2, 1, 1, 1), (3, 2, 0, 2, 1), (5, 3, 2, 1, 2), (3, 1, 1, 1, 4)]:
        text = f"{{conv: {{out: 8, kernel: {kernel}, stride: {stride}, padding: {padding}, dilation: {dilation}, groups: {groups}}}}}"
        yield f"convolution {kernel} {stride} {padding} {dilation} {groups}", *image(text), nn.Conv2d(4, 8, kernel, stride, padding, dilation, groups)
    for kernel, stride, padding, extra, groups in [(2, 2, 0, 0, 1), (3, 2, 1, 1, 1), (4, 2, 1, 0, 2)]:
        text = f"{{conv_transposed: {{out: 6, kernel: {kernel}, stride: {stride}, padding: {padding}, output_padding: {extra}, groups: {groups}}}}}"
        yield f"transposed convolution {kernel} {stride} {padding} {extra} {groups}", *image(text), nn.ConvTranspose2d(4, 6, kernel, stride, padding, extra, groups)
    two = "{conv: {out: 8, kernel: 3, bias: false}}, {batch_norm: }, {activation: relu}, {max_pool: 2}, {conv: {out: 4, kernel: 3}}, {global_pool: }, {flatten: }, {linear: 3}"
    yield "small image network", *image(two), nn.Sequential(nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    same = "{residual: [{conv: {out: 4, kernel: 3}}, {activation: relu}, {conv: {out: 4, kernel: 3}}]}"
    yield "residual", *image(same), residual(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
    yield "repeated", *vector("{repeat: 4, layers: [{linear: 7}, {activation: tanh}]}"), nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(7, 7), nn.Tanh())])
    for name, kind in [("rnn", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)]:
        yield name, *steps(f"{{{name}: 8}}"), Last(kind(6, 8, batch_first=True))
        yield f"{name} in a stack", *steps(f"{{{name}: {{hidden: 8, layers: 3}}}}"), Last(kind(6, 8, 3, batch_first=True))
        yield f"{name} both ways", *steps(f"{{{name}: {{hidden: 8, layers: 2, bidirectional: true}}}}"), Last(kind(6, 8, 2, batch_first=True, bidirectional=True))
    yield "lstm projected", *steps("{lstm: {hidden: 8, projected: 3}}"), Last(nn.LSTM(6, 8, batch_first=True, proj_size=3))
    yield "lstm without biases", *steps("{lstm: {hidden: 8, biases: 0}}"), Last(nn.LSTM(6, 8, bias=False, batch_first=True))
    yield "attention", *steps("{linear: {out: 8, bias: false}}, {attention: {heads: 4, mask: none}}"), nn.Sequential(nn.Linear(6, 8, bias=False), Attend(8, 4, 4))
    yield "grouped attention", *steps("{linear: {out: 8, bias: false}}, {attention: {heads: 4, kv_heads: 2, mask: none}}"), nn.Sequential(nn.Linear(6, 8, bias=False), Attend(8, 4, 2))
    block = "{linear: 8}, {residual: [{layer_norm: }, {attention: {heads: 2, mask: none}}]}, {residual: [{layer_norm: }, {mlp: {ffn: 16, bias: true}}]}"
    yield "transformer block", *steps(block), nn.Sequential(nn.Linear(6, 8), residual(nn.LayerNorm(8), Attend(8, 2, 2)), residual(nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))))


rows = [f"# Convolutions and matrix products that PyTorch {torch.__version__.split('a')[0]} executed (tests/differential/operators.py).", "name;spec;parameters;forward_flop;backward_flop"]
torch.backends.mkldnn.enabled = False
for name, spec, shape, module in cases():
    forward, backward = counting.count(module, [torch.randn(*shape)])
    parameters = sum(p.numel() for p in module.parameters())
    rows.append(f"{name};{spec};{parameters};{forward};{backward}")
(here / "operators.csv").write_text("\n".join(rows) + "\n")
