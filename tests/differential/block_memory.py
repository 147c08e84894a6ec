#!/usr/bin/env python3
"""What PyTorch's autograd keeps of one transformer layer for its backward pass, by storage.

usage: tests/differential/block_memory.py [-v] > tests/differential/block_memory.csv (`make oracles`)

Layers as frameworks write them in eager PyTorch, GPT-2's, Llama's, BERT's, T5's encoder's: norms, products with biases,
rotary positions, grouped keys and values, activations, dropout. Every tensor that autograd saves is seen by a hook; a storage
counts once, weights, rotary tables and masks not at all. `flash` attention saves what FlashAttention's kernel does (queries,
keys, values, output, one fp32 number a row); dropout saves a byte a number, as it does on GPUs.
"""
import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

TOKENS, WIDTH, HEADS, FFN = 64, 96, 6, 256


class Flash(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v):
        scores = torch.softmax(q @ k.transpose(-1, -2), -1)
        out = (scores @ v).transpose(1, 2).contiguous().transpose(1, 2)  # laid out token by token, as the kernel writes it
        ctx.save_for_backward(q, k, v, out, torch.zeros(q.shape[:-1]))
        return out

    @staticmethod
    def backward(ctx, gradient):
        return gradient, gradient, gradient


def dropout(x, p):
    return torch.native_dropout(x, p, True)[0] if p > 0 else x


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        wide = x.to(torch.float32)
        # A sum, not mean(): PyTorch 1.13's mean keeps its input, which no release since does.
        wide = wide * torch.rsqrt(wide.pow(2).sum(-1, keepdim=True) / x.shape[-1] + 1e-6)
        return self.weight * wide.to(x.dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Attention(nn.Module):
    def __init__(self, kv_heads, bias, rotary, flash, fused, p, scale=True, relative=False):
        super().__init__()
        self.kv_heads, self.rotary, self.flash, self.fused, self.p, self.scale = kv_heads, rotary, flash, fused, p, scale
        self.dim = WIDTH // HEADS
        kv = kv_heads * self.dim
        if fused:
            self.qkv = nn.Linear(WIDTH, WIDTH + 2 * kv, bias=bias)
        else:
            self.q, self.k, self.v = (nn.Linear(WIDTH, n, bias=bias) for n in (WIDTH, kv, kv))
        self.o = nn.Linear(WIDTH, WIDTH, bias=bias)
        self.relative = nn.Parameter(torch.zeros(1, HEADS, TOKENS, TOKENS)) if relative else None
        self.register_buffer("mask", torch.zeros(1, 1, TOKENS, TOKENS))
        angles = torch.zeros(1, 1, TOKENS, self.dim)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, x):
        b, s, _ = x.shape
        if self.fused:
            q, k, v = self.qkv(x).split([WIDTH, self.kv_heads * self.dim, self.kv_heads * self.dim], -1)
        else:
            q, k, v = self.q(x), self.k(x), self.v(x)
        q, k, v = (t.view(b, s, -1, self.dim).transpose(1, 2) for t in (q, k, v))
        if self.rotary:
            q, k = rotate(q, self.cos, self.sin), rotate(k, self.cos, self.sin)
        if self.kv_heads < HEADS:
            k, v = (t[:, :, None].expand(b, self.kv_heads, HEADS // self.kv_heads, s, self.dim).reshape(b, HEADS, s, self.dim)
                    for t in (k, v))
        if self.flash:
            q, k, v = (t.to(self.o.weight.dtype if not torch.is_autocast_cpu_enabled() else torch.bfloat16) for t in (q, k, v))
            out = Flash.apply(q, k, v)
        else:
            scores = q @ k.transpose(-1, -2)
            if self.scale:
                scores = scores / math.sqrt(self.dim)
            scores = scores + (self.mask if self.relative is None else self.relative)
            out = dropout(torch.softmax(scores, -1), self.p) @ v
        return self.o(out.transpose(1, 2).reshape(b, s, WIDTH))


class Mlp(nn.Module):
    def __init__(self, kind, bias):
        super().__init__()
        self.kind = kind
        self.up, self.down = nn.Linear(WIDTH, FFN, bias=bias), nn.Linear(FFN, WIDTH, bias=bias)
        if kind == "silu":
            self.gate = nn.Linear(WIDTH, FFN, bias=bias)

    def forward(self, x):
        if self.kind == "silu":
            return self.down(F.silu(self.gate(x)) * self.up(x))
        return self.down(getattr(F, self.kind)(self.up(x)))


class Layer(nn.Module):
    def __init__(self, norm, attention, mlp, post=False, p=0.0):
        super().__init__()
        make = RMSNorm if norm == "rms" else nn.LayerNorm
        self.norm1, self.attention, self.norm2, self.mlp, self.post, self.p = make(WIDTH), attention, make(WIDTH), mlp, post, p

    def forward(self, x):
        if self.post:
            x = self.norm1(x + dropout(self.attention(x), self.p))
            return self.norm2(x + dropout(self.mlp(x), self.p))
        x = x + dropout(self.attention(self.norm1(x)), self.p)
        return x + dropout(self.mlp(self.norm2(x)), self.p)


def gpt2(flash=False, p=0.0):
    return Layer("layer", Attention(HEADS, True, False, flash, True, p), Mlp("gelu", True), p=p)


LAYERS = {
    "gpt2 eager": lambda: gpt2(),
    "gpt2 eager dropout": lambda: gpt2(p=0.1),
    "gpt2 flash": lambda: gpt2(flash=True),
    "llama eager": lambda: Layer("rms", Attention(2, False, True, False, False, 0), Mlp("silu", False)),
    "llama flash": lambda: Layer("rms", Attention(2, False, True, True, False, 0), Mlp("silu", False)),
    "llama-mha flash": lambda: Layer("rms", Attention(HEADS, False, True, True, False, 0), Mlp("silu", False)),
    "bert eager": lambda: Layer("layer", Attention(HEADS, True, False, False, False, 0), Mlp("gelu", True), post=True),
    "bert eager dropout": lambda: Layer("layer", Attention(HEADS, True, False, False, False, 0.1), Mlp("gelu", True), True, 0.1),
    "bert flash": lambda: Layer("layer", Attention(HEADS, True, False, True, False, 0), Mlp("gelu", True), post=True),
    "t5 eager": lambda: Layer("rms", Attention(HEADS, False, False, False, False, 0, False, True), Mlp("relu", False)),
}


def kept_bytes(make, autocast, verbose, batch=2):
    layer = nn.Sequential(make(), make()).train()  # a layer after a layer: what the first hands on is whole
    skip = {t.storage().data_ptr() for t in [*layer.parameters(), *layer.buffers()]}
    seen, weights, rows = {}, {p.shape for p in layer.parameters() if p.dim() > 1}, []

    def see(tensor):
        storage = tensor.storage()
        cast = autocast and (tensor.shape in weights or tensor.t().shape in weights if tensor.dim() == 2 else False)
        if storage.data_ptr() not in skip and not cast:
            rows.append((tuple(tensor.shape), tensor.dtype, 0 if storage.data_ptr() in seen else storage.nbytes() / batch))
            seen[storage.data_ptr()] = tensor  # held on to, so that no other gets its address
        return tensor

    x = torch.zeros(batch, TOKENS, WIDTH, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            layer(x * 1)  # casts of leaves are remembered, as if they were weights
    if verbose:
        for row in rows[: len(rows) // 2]:
            print("  ", *row, file=sys.stderr)
    return sum(tensor.storage().nbytes() for tensor in seen.values()) / batch / 2


def main():
    print(f"# Bytes that autograd keeps of one sample in one transformer layer; torch {torch.__version__}")
    print(f"# ({TOKENS} tokens, width {WIDTH}, {HEADS} heads, feed-forward {FFN}; tests/differential/block_memory.py)")
    print("layer,attention,dropout,precision,kept_bytes")
    for name, make in LAYERS.items():
        words = name.split()
        for precision in ("fp32", "autocast"):
            if "-v" in sys.argv:
                print(name, precision, file=sys.stderr)
            kept = kept_bytes(make, precision == "autocast", "-v" in sys.argv)
            print(f"{words[0]},{words[1]},{int('dropout' in words)},{precision},{kept:.0f}", flush=True)


if __name__ == "__main__":
    main()
