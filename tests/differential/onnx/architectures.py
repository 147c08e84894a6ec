"""Architectures written by hand, in the styles their published code is written in, small: name -> (module, inputs, options).

Options as in further_models.py, and `train`: counted and exported in training mode; `folded`: folding changes which numbers
the graph holds (a second copy of a tied matrix, rows taken from a table), so that parameters are not compared.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Conv1DLinear(nn.Module):
    """GPT-2's linear layer: the weight is stored as (in, out)."""
    def __init__(self, i, o):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(i, o)), nn.Parameter(torch.empty(o))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(*x.size()[:-1], self.weight.size(1))


class Gpt2(nn.Module):
    def __init__(self, w=48, heads=4, layers=2, vocabulary=120):
        super().__init__()
        self.heads = heads
        self.wte, self.wpe = nn.Embedding(vocabulary, w), nn.Embedding(64, w)
        self.h = nn.ModuleList(nn.ModuleDict({
            "ln_1": nn.LayerNorm(w), "c_attn": Conv1DLinear(w, 3 * w), "c_proj": Conv1DLinear(w, w),
            "ln_2": nn.LayerNorm(w), "c_fc": Conv1DLinear(w, 4 * w), "c_proj2": Conv1DLinear(4 * w, w)}) for _ in range(layers))
        self.ln_f = nn.LayerNorm(w)
        self.register_buffer("mask", torch.tril(torch.ones(64, 64, dtype=torch.uint8)).view(1, 1, 64, 64))

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(0, ids.size(-1)).unsqueeze(0))
        for b in self.h:
            q, k, v = b["c_attn"](b["ln_1"](x)).split(x.size(-1), dim=2)
            q, k, v = (t.view(t.size(0), t.size(1), self.heads, -1).permute(0, 2, 1, 3) for t in (q, k, v))
            s = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(v.size(-1))
            s = torch.where(self.mask[:, :, :s.size(-2), :s.size(-1)].bool(), s, torch.tensor(-1e4))
            y = torch.matmul(F.softmax(s, dim=-1), v).permute(0, 2, 1, 3).contiguous()
            x = x + b["c_proj"](y.view(*y.shape[:-2], -1))
            h = b["c_fc"](b["ln_2"](x))
            x = x + b["c_proj2"](0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h ** 3))))
        return F.linear(self.ln_f(x), self.wte.weight)


class Bert(nn.Module):
    def __init__(self, w=48, heads=4, layers=2, vocabulary=100):
        super().__init__()
        self.heads = heads
        self.word, self.position, self.segment = nn.Embedding(vocabulary, w, padding_idx=0), nn.Embedding(40, w), nn.Embedding(2, w)
        self.register_buffer("position_ids", torch.arange(40).expand((1, -1)))
        self.norm, self.dropout = nn.LayerNorm(w, eps=1e-12), nn.Dropout(0.0)
        self.layers = nn.ModuleList(nn.ModuleDict({
            "q": nn.Linear(w, w), "k": nn.Linear(w, w), "v": nn.Linear(w, w), "o": nn.Linear(w, w), "n1": nn.LayerNorm(w),
            "up": nn.Linear(w, 4 * w), "down": nn.Linear(4 * w, w), "n2": nn.LayerNorm(w)}) for _ in range(layers))
        self.pooler, self.transform, self.transform_norm = nn.Linear(w, w), nn.Linear(w, w), nn.LayerNorm(w)
        self.bias, self.seq = nn.Parameter(torch.zeros(vocabulary)), nn.Linear(w, 2)

    def split(self, x):
        return x.view(x.size()[:-1] + (self.heads, x.size(-1) // self.heads)).permute(0, 2, 1, 3)

    def forward(self, ids, segments, mask):
        x = self.word(ids) + self.position(self.position_ids[:, :ids.size(1)]) + self.segment(segments)
        x = self.dropout(self.norm(x))
        mask = (1.0 - mask[:, None, None, :].to(torch.float32)) * -10000.0
        for b in self.layers:
            s = torch.matmul(self.split(b["q"](x)), self.split(b["k"](x)).transpose(-1, -2)) / math.sqrt(x.size(-1) // self.heads)
            p = self.dropout(F.softmax(s + mask, -1))
            y = torch.matmul(p, self.split(b["v"](x))).permute(0, 2, 1, 3).contiguous()
            x = b["n1"](self.dropout(b["o"](y.view(y.size()[:-2] + (x.size(-1),)))) + x)
            x = b["n2"](self.dropout(b["down"](F.gelu(b["up"](x)))) + x)
        pooled = torch.tanh(self.pooler(x[:, 0]))
        return F.linear(self.transform_norm(F.gelu(self.transform(x))), self.word.weight, self.bias), self.seq(pooled)


class T5Norm(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(w))

    def forward(self, x):
        v = x.to(torch.float32).pow(2).mean(-1, keepdim=True)
        return self.weight * (x * torch.rsqrt(v + 1e-6))


class T5Attention(nn.Module):
    def __init__(self, w, heads, bias):
        super().__init__()
        self.heads, self.q, self.k, self.v, self.o = heads, *(nn.Linear(w, w, bias=False) for _ in range(4))
        if bias:
            self.relative = nn.Embedding(8, heads)

    def bias(self, n, m, both):
        at = torch.arange(m)[None, :] - torch.arange(n)[:, None]
        bucket = torch.zeros_like(at)
        count = 8
        if both:
            count = 4
            bucket = bucket + (at > 0).to(torch.long) * count
            at = at.abs()
        else:
            at = -torch.min(at, torch.zeros_like(at))
        exact = count // 2
        far = exact + (torch.log(at.float() / exact) / math.log(16 / exact) * (count - exact)).to(torch.long)
        far = torch.min(far, torch.full_like(far, count - 1))
        bucket = bucket + torch.where(at < exact, at, far)
        return self.relative(bucket).permute([2, 0, 1]).unsqueeze(0)

    def forward(self, x, memory, bias):
        q, k, v = (f(t).view(t.shape[0], -1, self.heads, x.shape[-1] // self.heads).transpose(1, 2)
                   for f, t in ((self.q, x), (self.k, memory), (self.v, memory)))
        s = torch.matmul(q, k.transpose(3, 2)) + bias
        y = torch.matmul(F.softmax(s.float(), dim=-1).type_as(s), v)
        return self.o(y.transpose(1, 2).contiguous().view(x.shape[0], -1, x.shape[-1]))


class T5(nn.Module):
    def __init__(self, w=32, heads=4, layers=2):
        super().__init__()
        self.shared = nn.Embedding(90, w)
        self.encoder = nn.ModuleList(self.block(w, heads, i == 0, False) for i in range(layers))
        self.decoder = nn.ModuleList(self.block(w, heads, i == 0, True) for i in range(layers))
        self.e_norm, self.d_norm = T5Norm(w), T5Norm(w)

    @staticmethod
    def block(w, heads, bias, cross):
        d = {"a": T5Attention(w, heads, bias), "na": T5Norm(w), "wi_0": nn.Linear(w, 2 * w, bias=False),
             "wi_1": nn.Linear(w, 2 * w, bias=False), "wo": nn.Linear(2 * w, w, bias=False), "nf": T5Norm(w)}
        if cross:
            d.update(c=T5Attention(w, heads, False), nc=T5Norm(w))
        return nn.ModuleDict(d)

    @staticmethod
    def feed(b, x):
        h = b["nf"](x)
        return x + b["wo"](F.gelu(b["wi_0"](h)) * b["wi_1"](h))

    def forward(self, a, b):
        x = self.shared(a)
        bias = self.encoder[0]["a"].bias(a.shape[1], a.shape[1], True)
        for l in self.encoder:
            h = l["na"](x)
            x = self.feed(l, x + l["a"](h, h, bias))
        memory, y = self.e_norm(x), self.shared(b)
        n = b.shape[1]
        at = torch.arange(n)
        causal = (at[None, None, :].repeat(b.shape[0], n, 1) <= at[None, :, None]).float()
        bias = self.decoder[0]["a"].bias(n, n, False) + (1 - causal[:, None]) * -1e9
        for l in self.decoder:
            h = l["na"](y)
            y = y + l["a"](h, h, bias)
            y = self.feed(l, y + l["c"](l["nc"](y), memory, torch.zeros(1, 1, 1, 1)))
        return F.linear(self.d_norm(y) * (y.shape[-1] ** -0.5), self.shared.weight)


def rotate(x):
    a, b = x[..., :x.shape[-1] // 2], x[..., x.shape[-1] // 2:]
    return torch.cat((-b, a), dim=-1)


class Llama(nn.Module):
    """Grouped queries, rotary positions from a buffer of inverse frequencies, SwiGLU."""
    def __init__(self, w=48, heads=6, kv=2, layers=2, experts=0):
        super().__init__()
        d = w // heads
        self.heads, self.kv, self.d, self.experts = heads, kv, d, experts
        self.embed_tokens = nn.Embedding(110, w)
        self.layers = nn.ModuleList(nn.ModuleDict({
            "q_proj": nn.Linear(w, heads * d, bias=False), "k_proj": nn.Linear(w, kv * d, bias=False),
            "v_proj": nn.Linear(w, kv * d, bias=False), "o_proj": nn.Linear(heads * d, w, bias=False),
            "gate_proj": nn.Linear(w, 2 * w, bias=False), "up_proj": nn.Linear(w, 2 * w, bias=False),
            "down_proj": nn.Linear(2 * w, w, bias=False), "n1": T5Norm(w), "n2": T5Norm(w)}) for _ in range(layers))
        self.norm, self.lm_head = T5Norm(w), nn.Linear(w, 110, bias=False)
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, d, 2).float() / d)))

    def forward(self, ids):
        b, n = ids.shape
        x = self.embed_tokens(ids)
        positions = torch.arange(n, dtype=torch.long).unsqueeze(0)
        freqs = (self.inv_freq[None, :, None].float().expand(1, -1, 1) @ positions[:, None, :].float()).transpose(1, 2)
        e = torch.cat((freqs, freqs), dim=-1)
        cos, sin = e.cos().unsqueeze(1), e.sin().unsqueeze(1)
        mask = torch.full((n, n), float("-inf"))
        mask = torch.triu(mask, diagonal=1)[None, None]
        for l in self.layers:
            h = l["n1"](x)
            q = l["q_proj"](h).view(b, n, self.heads, self.d).transpose(1, 2)
            k = l["k_proj"](h).view(b, n, self.kv, self.d).transpose(1, 2)
            v = l["v_proj"](h).view(b, n, self.kv, self.d).transpose(1, 2)
            q, k = q * cos + rotate(q) * sin, k * cos + rotate(k) * sin
            k, v = (t[:, :, None].expand(b, self.kv, self.heads // self.kv, n, self.d).reshape(b, self.heads, n, self.d) for t in (k, v))
            s = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(self.d) + mask
            y = torch.matmul(F.softmax(s, dim=-1, dtype=torch.float32).to(q.dtype), v)
            x = x + l["o_proj"](y.transpose(1, 2).reshape(b, n, -1))
            h = l["n2"](x)
            x = x + l["down_proj"](F.silu(l["gate_proj"](h)) * l["up_proj"](h))
        return self.lm_head(self.norm(x))


class DenseMoe(nn.Module):
    """Top-2 of 4 experts; every expert sees every token, the weights choose (GShard's einsums)."""
    def __init__(self, w=24, experts=4):
        super().__init__()
        self.router = nn.Linear(w, experts, bias=False)
        self.up, self.down = nn.Parameter(torch.randn(experts, w, 2 * w)), nn.Parameter(torch.randn(experts, 2 * w, w))

    def forward(self, x):
        p = self.router(x).softmax(-1)
        top, at = torch.topk(p, 2, dim=-1)
        top = top / top.sum(-1, keepdim=True)
        weights = torch.zeros_like(p).scatter(-1, at, top)
        h = torch.relu(torch.einsum("bsd,edf->bsef", x, self.up))
        return torch.einsum("bsed,bse->bsd", torch.einsum("bsef,efd->bsed", h, self.down), weights)


class CapacityMoe(nn.Module):
    """Switch-style: tokens are dispatched to slots of a fixed capacity by one-hot products."""
    def __init__(self, w=24, experts=4, capacity=6):
        super().__init__()
        self.experts, self.capacity = experts, capacity
        self.router = nn.Linear(w, experts)
        self.up, self.down = nn.Parameter(torch.randn(experts, w, 2 * w)), nn.Parameter(torch.randn(experts, 2 * w, w))

    def forward(self, x):
        t = x.reshape(-1, x.shape[-1])
        p, e = torch.max(self.router(t).softmax(-1), -1)
        one = F.one_hot(e, self.experts)
        slot = (torch.cumsum(one, 0) * one).sum(-1) - 1
        where = F.one_hot(slot.clamp(max=self.capacity - 1), self.capacity).float()
        dispatch = one.float()[:, :, None] * where[:, None, :]
        inside = torch.einsum("tec,td->ecd", dispatch, t)
        out = torch.bmm(torch.relu(torch.bmm(inside, self.up)), self.down)
        return torch.einsum("tec,ecd->td", dispatch * p[:, None, None], out).view_as(x)


class LoopedMoe(nn.Module):
    """Mixtral's loop over experts, the tokens gathered by index; written so that each expert sees two tokens."""
    def __init__(self, w=24, experts=4):
        super().__init__()
        self.gate = nn.Linear(w, experts, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(w, 2 * w), nn.SiLU(), nn.Linear(2 * w, w)) for _ in range(experts))

    def forward(self, x):
        b, n, w = x.shape
        t = x.view(-1, w)
        scores = F.softmax(self.gate(t), dim=1)
        out = torch.zeros_like(t)
        for i, expert in enumerate(self.experts):
            p, at = scores[:, i].topk(2)  # expert choice
            out = out.index_add(0, at, expert(t[at]) * p[:, None])
        return out.view(b, n, w)


class Vit(nn.Module):
    """Written with unfold and a class token; positions interpolated to the image."""
    def __init__(self, w=32, heads=4, layers=2, patch=4):
        super().__init__()
        self.patch, self.embed = patch, nn.Linear(3 * patch * patch, w)
        self.cls, self.positions = nn.Parameter(torch.zeros(1, 1, w)), nn.Parameter(torch.zeros(1, w, 3, 3))
        self.layers = nn.ModuleList(nn.ModuleDict({"n": nn.LayerNorm(w), "a": nn.MultiheadAttention(w, heads, batch_first=True),
                                                   "m": nn.Sequential(nn.LayerNorm(w), nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))})
                                    for _ in range(layers))
        self.head = nn.Linear(w, 5)

    def forward(self, x):
        p, (b, c, h, w) = self.patch, x.shape
        x = x.reshape(b, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
        at = F.interpolate(self.positions, size=(h // p, w // p), mode="bicubic", align_corners=False)
        x = self.embed(x) + at.flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(b, -1, -1), x), 1)
        for l in self.layers:
            h = l["n"](x)
            x = x + l["a"](h, h, h, need_weights=False)[0]
            x = x + l["m"](x)
        return self.head(x[:, 0])


class Swin(nn.Module):
    """Windows by view and permute, shifted by roll, masked, with a table of relative positions; then patch merging."""
    def __init__(self, w=24, heads=3, window=4):
        super().__init__()
        self.m, self.heads = window, heads
        self.patch = nn.Conv2d(3, w, 4, 4)
        self.blocks = nn.ModuleList(nn.ModuleDict({"n1": nn.LayerNorm(w), "qkv": nn.Linear(w, 3 * w), "o": nn.Linear(w, w),
                                                   "n2": nn.LayerNorm(w), "m": nn.Sequential(nn.Linear(w, 4 * w), nn.GELU(), nn.Linear(4 * w, w))})
                                    for _ in range(2))
        self.table = nn.ParameterList(nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads)) for _ in range(2))
        c = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        r = (c[:, :, None] - c[:, None, :]).permute(1, 2, 0) + window - 1
        self.register_buffer("index", r[..., 0] * (2 * window - 1) + r[..., 1])
        self.merge_norm, self.merge = nn.LayerNorm(4 * w), nn.Linear(4 * w, 2 * w, bias=False)

    def attend(self, block, table, x, shift):
        b, h, w, c = x.shape
        m = self.m
        if shift:
            x = torch.roll(x, (-m // 2, -m // 2), (1, 2))
        x = x.view(b, h // m, m, w // m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m, c)
        q, k, v = block["qkv"](x).reshape(x.shape[0], m * m, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        s = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)
        s = s + table[self.index.view(-1)].view(m * m, m * m, -1).permute(2, 0, 1).unsqueeze(0)
        if shift:
            zones = torch.zeros((1, h, w, 1))
            n = 0
            for rows in (slice(0, -m), slice(-m, -m // 2), slice(-m // 2, None)):
                for columns in (slice(0, -m), slice(-m, -m // 2), slice(-m // 2, None)):
                    zones[:, rows, columns, :] = n
                    n += 1
            z = zones.view(1, h // m, m, w // m, m, 1).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m)
            mask = (z.unsqueeze(1) - z.unsqueeze(2)).ne(0).float() * -100.0
            s = (s.view(b, -1, self.heads, m * m, m * m) + mask[None, :, None]).view(-1, self.heads, m * m, m * m)
        x = block["o"]((s.softmax(-1) @ v).transpose(1, 2).reshape(-1, m * m, c))
        x = x.view(b, h // m, w // m, m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return torch.roll(x, (m // 2, m // 2), (1, 2)) if shift else x

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        for i, block in enumerate(self.blocks):
            x = x + self.attend(block, self.table[i], block["n1"](x), i == 1)
            x = x + block["m"](block["n2"](x))
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.merge(self.merge_norm(x)).mean((1, 2))


def dynamic(names, axes, let, opset=14, **more):
    return {"opset_version": opset, "input_names": names, "dynamic_axes": axes, "let": let, **more}


def models():
    import architectures_more as m
    t = torch.randn
    torch.manual_seed(0)
    ids, target = torch.randint(1, 60, (2, 12)), torch.randint(1, 60, (2, 9))
    bert = (ids, torch.zeros_like(ids), torch.ones_like(ids))
    axes = {"ids": {0: "batch", 1: "sequence"}}
    yield "gpt2", Gpt2(), (ids,), {"opset_version": 9}
    yield "gpt2_dynamic", Gpt2(), (ids,), dynamic(["ids"], axes, "batch=2 sequence=12", 13, do_constant_folding=True, folded=True)
    yield "gpt2_train", Gpt2(), (ids,), {"opset_version": 15, "train": True}
    yield "bert", Bert(), bert, {"opset_version": 10}
    yield "bert_dynamic_folded", Bert(), bert, dynamic(["ids", "segments", "mask"], {n: axes["ids"] for n in ("ids", "segments", "mask")},
                                                       "batch=2 sequence=12", 11, do_constant_folding=True, folded=True)
    yield "bert_train", Bert(), bert, {"opset_version": 12, "train": True}
    yield "t5", T5(), (ids, target), {"opset_version": 12}
    yield "t5_dynamic", T5(), (ids, target), dynamic(["a", "b"], {"a": {0: "batch", 1: "source"}, "b": {0: "batch", 1: "target"}}, "batch=2 source=12 target=9", 16)
    yield "llama", Llama(), (ids,), {"opset_version": 14}
    yield "llama_dynamic", Llama(), (ids,), dynamic(["ids"], axes, "batch=2 sequence=12", 17)
    yield "moe_dense", DenseMoe(), (t(2, 5, 24),), {"opset_version": 13}
    yield "moe_capacity", CapacityMoe(), (t(2, 6, 24),), {"opset_version": 14}
    yield "moe_expert_choice", LoopedMoe(), (t(2, 6, 24),), {"opset_version": 13}
    yield "vit_reshaped", Vit(), (t(2, 3, 16, 16),), {"opset_version": 13, "train": True}
    yield "swin_written_out", Swin(), (t(1, 3, 32, 32),), {"opset_version": 11}
    yield "swin_dynamic", Swin(), (t(2, 3, 32, 32),), dynamic(["x"], {"x": {0: "batch"}}, "batch=2", 15, do_constant_folding=True, folded=True)
    sd = (t(2, 4, 8, 8), torch.tensor([3, 4]), t(2, 5, 12))
    yield "diffusion_unet", m.DiffusionUNet(), sd, {"opset_version": 14}
    yield "diffusion_unet_dynamic", m.DiffusionUNet(), sd, dynamic(
        ["x", "t", "text"], {"x": {0: "batch", 2: "height", 3: "width"}, "t": {0: "batch"}, "text": {0: "batch", 1: "tokens"}}, "batch=2 height=8 width=8 tokens=5", 17, do_constant_folding=True)
    yield "conformer", m.Conformer(), (t(2, 40, 19),), {"opset_version": 13}
    yield "conformer_train", m.Conformer(), (t(2, 40, 19),), {"opset_version": 14, "train": True}
    yield "conformer_dynamic", m.Conformer(), (t(2, 40, 19),), dynamic(["x"], {"x": {0: "batch", 1: "frames"}}, "batch=2 frames=40", 15)
    yield "whisper", m.Whisper(), (t(2, 20, 32), ids), {"opset_version": 11}
    yield "mamba", m.Mamba(), (t(2, 7, 16),), {"opset_version": 13}
    yield "rwkv", m.Rwkv(), (t(2, 6, 16),), {"opset_version": 12}
    yield "transducer", m.Transducer(), (t(2, 9, 16), target % 30), {"opset_version": 13}
    yield "wav2vec2", m.Wav2Vec2(), (t(2, 400),), {"opset_version": 14}
    yield "detr", m.Detr(), (t(2, 3, 32, 40),), {"opset_version": 12}
    yield "detr_train", m.Detr(), (t(2, 3, 32, 40),), {"opset_version": 13, "train": True}
    yield "clip", m.Clip(), (t(2, 3, 16, 16), ids[:, :10]), {"opset_version": 14}
    yield "wavenet", m.Wavenet(), (t(1, 1, 64),), {"opset_version": 10}
    yield "stylegan2", m.StyleBlock(), (t(3, 16),), {"opset_version": 13}
    yield "pointnet", m.PointNet(), (t(2, 3, 20),), {"opset_version": 9, "train": True}
    yield "graph_convolution", m.GraphConvolution(), (t(6, 10), torch.ones(6, 6)), {"opset_version": 11}
    yield "dlrm", m.Dlrm(), (t(4, 13), torch.randint(0, 10, (4, 3))), {"opset_version": 12}
    yield "mixer", m.Mixer(), (t(2, 3, 16, 16),), {"opset_version": 13, "do_constant_folding": True}
    yield "linear_attention", m.LinearAttention(), (t(2, 8, 24),), {"opset_version": 13, "train": True}
    yield "cells_and_adapters", m.Adapted(), (t(3, 4, 16),), {"opset_version": 12}
    yield "vae_codes", m.Vae(), (t(2, 1, 16, 16),), {"opset_version": 14}
    yield "pyramid", m.Pyramid(), (t(1, 3, 32, 32),), {"opset_version": 14}
    yield "pyramid_train", m.Pyramid(), (t(2, 3, 32, 32),), {"opset_version": 11, "train": True}
