"""Networks written by someone who had not seen the program: odd shapes, groups, dilation, transposed and 3D convolutions, masks,
einsum, shared weights, scripts with control flow, heads of detectors, weights that are computed, opsets 7 to 17."""
import math

import torch
from torch import nn, Tensor
from torch.nn import functional as F

class GroupedTransposed(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv2d(5, 15, (3, 5), stride=(2, 3), padding=(1, 0), dilation=(2, 1), groups=5, bias=False)
        s.b = nn.ConvTranspose2d(15, 9, (4, 3), stride=(3, 2), padding=(2, 1), output_padding=(1, 1), groups=3, dilation=(1, 2))
        s.c = nn.ConvTranspose1d(9, 6, 5, stride=2, groups=3, bias=False)
        s.l = nn.Linear(6, 7)
    def forward(s, x):
        y = s.b(F.leaky_relu(s.a(x)))
        y = s.c(y.mean(2))
        return s.l(y.transpose(1, 2))

class Net3D(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv3d(2, 6, (3, 1, 3), stride=(1, 2, 2), padding=(1, 0, 1))
        s.n = nn.InstanceNorm3d(6, affine=True)
        s.b = nn.Conv3d(6, 6, 3, padding=2, dilation=2, groups=6)
        s.d = nn.ConvTranspose3d(6, 3, 2, stride=2)
        s.p = nn.MaxPool3d(2)
        s.ap = nn.AdaptiveAvgPool3d(1)
        s.l = nn.Linear(3, 4)
    def forward(s, x):
        y = F.elu(s.n(s.a(x)))
        y = s.p(s.b(y))
        y = s.d(y)
        return s.l(s.ap(y).flatten(1))

class MHA(nn.Module):
    def __init__(s, w=24, h=3, kdim=None, batch_first=False, mask=False, addb=False):
        super().__init__()
        s.m = nn.MultiheadAttention(w, h, kdim=kdim, vdim=kdim, batch_first=batch_first, add_bias_kv=addb, bias=not addb)
        s.mask = mask
    def forward(s, q, k):
        mask = None
        if s.mask:
            mask = torch.full((q.shape[0], k.shape[0]), float("-inf")).triu(1)
        return s.m(q, k, k, attn_mask=mask, need_weights=False)[0]

class Enc(nn.Module):
    def __init__(s, norm_first=False):
        super().__init__()
        layer = nn.TransformerEncoderLayer(20, 4, 37, batch_first=True, norm_first=norm_first, activation="gelu")
        s.e = nn.TransformerEncoder(layer, 3)
        s.emb = nn.Embedding(31, 20, padding_idx=0)
        s.pos = nn.Parameter(torch.randn(1, 13, 20))
        s.out = nn.Linear(20, 31)
    def forward(s, ids):
        m = ids == 0
        x = s.emb(ids) + s.pos[:, :ids.shape[1]]
        return s.out(s.e(x, src_key_padding_mask=m))

class FullTransformer(nn.Module):
    def __init__(s):
        super().__init__()
        s.t = nn.Transformer(16, 2, 2, 3, 24, batch_first=True, dropout=0.1)
        s.src, s.tgt = nn.Embedding(11, 16), nn.Embedding(13, 16)
        s.out = nn.Linear(16, 13)
    def forward(s, a, b):
        mask = torch.triu(torch.ones(b.shape[1], b.shape[1], dtype=torch.bool), 1)
        return s.out(s.t(s.src(a), s.tgt(b), tgt_mask=mask))

class BiLstmProj(nn.Module):
    def __init__(s):
        super().__init__()
        s.r = nn.LSTM(7, 12, num_layers=3, bidirectional=True, batch_first=True, dropout=0.2)
        s.g = nn.GRU(24, 5, num_layers=2, batch_first=True, bias=False)
        s.o = nn.Linear(5, 3)
    def forward(s, x):
        y, (h, c) = s.r(x)
        y, h2 = s.g(y)
        return s.o(y[:, -1]) , h.sum(0)

class RnnTanh(nn.Module):
    def __init__(s):
        super().__init__()
        s.r = nn.RNN(6, 9, num_layers=2, nonlinearity="relu", bidirectional=True)
        s.o = nn.Linear(18, 2)
    def forward(s, x, h):
        y, h = s.r(x, h)
        return s.o(y), h

class SharedWeights(nn.Module):
    def __init__(s):
        super().__init__()
        s.c = nn.Conv2d(8, 8, 3, padding=1)
        s.i = nn.Conv2d(3, 8, 1)
        s.l = nn.Linear(8, 8)
        s.n = nn.LayerNorm(8)
    def forward(s, x):
        y = s.i(x)
        for _ in range(4):
            y = y + F.relu(s.c(y))
        y = y.mean((2, 3))
        for _ in range(3):
            y = s.n(y + torch.tanh(s.l(y)))
        return y @ s.l.weight.t()

class EinsumZoo(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Parameter(torch.randn(4, 6, 5)); s.b = nn.Parameter(torch.randn(3, 5, 7)); s.w = nn.Parameter(torch.randn(7, 4)); s.t = nn.Parameter(torch.randn(2, 3, 4, 5))
    def forward(s, x):  # x: b n 6
        y = torch.einsum("bni,hij->bhnj", x, s.a)
        z = torch.einsum("bhnj,gjk->bhgnk", y, s.b)
        u = torch.einsum("bhgnk,kh->bgn", z, s.w)
        v = torch.einsum("...n,...m->...nm", u, u)
        return torch.einsum("bgnm,bmi->bni", v, x)

class BilinearMix(nn.Module):
    def __init__(s):
        super().__init__()
        s.w = nn.Parameter(torch.randn(9, 9)); s.q = nn.Parameter(torch.randn(1, 9)); s.f = nn.Linear(9, 1, bias=False)
    def forward(s, x):
        y = torch.matmul(x, s.w)                 # 3D x 2D
        z = torch.matmul(y, x.transpose(1, 2))
        return torch.matmul(s.q, z[:, :9, :9]), s.f(x).squeeze(-1)

class Gated(nn.Module):
    "scripted control flow: if on shape and loop over a list"
    def __init__(s):
        super().__init__()
        s.a, s.b = nn.Linear(6, 6), nn.Linear(6, 6)
    def forward(s, x):
        y = x
        for i in range(x.size(1)):
            y = torch.tanh(s.a(y))
        if x.size(0) > 2:
            y = s.b(y)
        else:
            y = s.a(y)
        return y


class AnchorHead(nn.Module):
    def __init__(s, k=3, c=5):
        super().__init__()
        s.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish())
        s.down = nn.Conv2d(16, 16, 3, 2, 1, groups=4)
        s.lat = nn.ModuleList([nn.Conv2d(16, 12, 1) for _ in range(2)])
        s.cls = nn.Conv2d(12, k * c, 3, padding=1); s.box = nn.Conv2d(12, k * 4, 3, padding=1); s.k, s.c = k, c
    def forward(s, x):
        a = s.body(x); b = s.down(a)
        p2 = s.lat[1](b); p1 = s.lat[0](a) + F.interpolate(p2, size=a.shape[-2:], mode="nearest")
        cl, bx = [], []
        for p in (p1, p2):
            n, _, h, w = p.shape
            cl.append(s.cls(p).view(n, s.k, s.c, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, s.c))
            bx.append(s.box(p).view(n, s.k, 4, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, 4))
        cl = torch.cat(cl, 1).sigmoid(); bx = torch.cat(bx, 1)
        sc, idx = cl.max(-1)[0].topk(10, dim=1)
        return torch.gather(bx, 1, idx.unsqueeze(-1).expand(-1, -1, 4)), sc

class Yolo(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv2d(3, 8, 6, 2, 2); s.b = nn.Conv2d(8, 16, 3, 2, 1)
        s.c1, s.c2 = nn.Conv2d(16, 8, 1), nn.Conv2d(16, 8, 1)
        s.m = nn.Sequential(nn.Conv2d(8, 8, 1), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1), nn.SiLU())
        s.c3 = nn.Conv2d(16, 16, 1); s.h = nn.Conv2d(64, 18, 1)
        s.register_buffer("anchor_grid", torch.randn(1, 3, 1, 1, 2))
    def forward(s, x):
        y = F.silu(s.b(F.silu(s.a(x))))
        z = torch.cat([s.m(s.c1(y)), s.c2(y)], 1)
        z = s.c3(z)
        p1 = F.max_pool2d(z, 5, 1, 2); p2 = F.max_pool2d(p1, 5, 1, 2); p3 = F.max_pool2d(p2, 5, 1, 2)
        o = s.h(torch.cat([z, p1, p2, p3], 1))
        b, _, h, w = o.shape
        o = o.view(b, 3, 6, h, w).permute(0, 1, 3, 4, 2).contiguous()
        yv, xv = torch.meshgrid(torch.arange(h), torch.arange(w))
        g = torch.stack((xv, yv), 2).view(1, 1, h, w, 2).float()
        xy = (o[..., 0:2].sigmoid() * 2 - 0.5 + g) * 8.0
        wh = (o[..., 2:4].sigmoid() * 2) ** 2 * s.anchor_grid
        return torch.cat([xy, wh, o[..., 4:].sigmoid()], -1).view(b, -1, 6)

class Rope(nn.Module):
    def __init__(s, w=24, h=4, kv=2):
        super().__init__()
        s.h, s.kv, s.d = h, kv, w // h
        s.q, s.k, s.v, s.o = nn.Linear(w, w, False), nn.Linear(w, kv * s.d, False), nn.Linear(w, kv * s.d, False), nn.Linear(w, w, False)
        s.register_buffer("inv_freq", 1 / 10000 ** (torch.arange(0, s.d, 2).float() / s.d))
    def forward(s, x):
        b, n, w = x.shape
        q, k, v = s.q(x).view(b, n, s.h, s.d).transpose(1, 2), s.k(x).view(b, n, s.kv, s.d).transpose(1, 2), s.v(x).view(b, n, s.kv, s.d).transpose(1, 2)
        f = torch.outer(torch.arange(n).float(), s.inv_freq); f = torch.cat([f, f], -1)
        c, si = f.cos(), f.sin()
        rot = lambda t: torch.cat([-t[..., s.d // 2:], t[..., :s.d // 2]], -1)
        q, k = q * c + rot(q) * si, k * c + rot(k) * si
        k = k[:, :, None].expand(b, s.kv, s.h // s.kv, n, s.d).reshape(b, s.h, n, s.d)
        v = v[:, :, None].expand(b, s.kv, s.h // s.kv, n, s.d).reshape(b, s.h, n, s.d)
        a = (q @ k.transpose(-1, -2)) / math.sqrt(s.d)
        i = torch.arange(n)
        m = (i[None] <= i[:, None]) & (i[None] > i[:, None] - 3)
        a = a.masked_fill(~m, float("-inf")).softmax(-1)
        return s.o((a @ v).transpose(1, 2).reshape(b, n, w))

class SDPA(nn.Module):
    def __init__(s):
        super().__init__(); s.qkv = nn.Linear(16, 48); s.o = nn.Linear(16, 16)
    def forward(s, x):
        b, n, _ = x.shape
        q, k, v = s.qkv(x).reshape(b, n, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        a = torch.softmax(torch.matmul(q * 8 ** -0.5, k.transpose(2, 3)), -1)
        return s.o(torch.matmul(a, v).transpose(1, 2).flatten(2))

class WindowUnfold(nn.Module):
    def __init__(s):
        super().__init__(); s.l = nn.Linear(27, 10); s.up = nn.PixelShuffle(2); s.c = nn.Conv2d(8, 8, 3, padding=1); s.dw = nn.Conv2d(3, 8, 3, padding="same", padding_mode="reflect")
    def forward(s, x):
        u = F.unfold(x, 3, stride=2, padding=1).transpose(1, 2)
        y = s.up(s.c(s.dw(x)))
        return s.l(u), y

class SpaceToDepth(nn.Module):
    def __init__(s):
        super().__init__(); s.c = nn.Conv2d(12, 5, 3); s.d = nn.Conv2d(5, 5, 1, groups=5)
    def forward(s, x):
        y = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
        return s.d(F.pad(s.c(y), (1, 2, 0, 3)))

class SE(nn.Module):
    def __init__(s):
        super().__init__(); s.c = nn.Conv2d(3, 16, 3, 2, 1); s.f1, s.f2 = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1); s.gn = nn.GroupNorm(4, 16); s.pr = nn.PReLU(16); s.cls = nn.Linear(16 * 4, 9)
    def forward(s, x):
        y = s.pr(s.gn(s.c(x)))
        y = y * s.f2(F.relu(s.f1(y.mean((2, 3), keepdim=True)))).sigmoid()
        return s.cls(F.adaptive_avg_pool2d(y, 2).flatten(1))

class WeightNormed(nn.Module):
    def __init__(s):
        super().__init__(); s.c = nn.utils.weight_norm(nn.Conv1d(4, 8, 3, dilation=2, padding=2)); s.d = nn.utils.weight_norm(nn.Linear(8, 5))
    def forward(s, x): return s.d(F.glu(torch.cat([s.c(x)] * 2, 1), 1).transpose(1, 2))

class Memory(nn.Module):
    "frozen embedding, gather/scatter, topk routing with one_hot"
    def __init__(s, e=4):
        super().__init__(); s.e = e
        s.emb = nn.Embedding(17, 12); s.r = nn.Linear(12, e, bias=False)
        s.w1 = nn.Parameter(torch.randn(e, 12, 20)); s.w2 = nn.Parameter(torch.randn(e, 20, 12)); s.n = nn.LayerNorm(12)
    def forward(s, ids):
        x = s.n(s.emb(ids)); b, n, w = x.shape; t = x.reshape(-1, w)
        p = s.r(t).softmax(-1); top, idx = p.topk(2, -1)
        g = torch.zeros_like(p).scatter(1, idx, top)
        h = F.gelu(torch.einsum("tw,ewf->etf", t, s.w1))
        y = torch.einsum("etf,efw->etw", h, s.w2)
        return torch.einsum("etw,te->tw", y, g).reshape(b, n, w) @ s.emb.weight.t()

class LocalAttn(nn.Module):
    "chunked attention by reshape and roll"
    def __init__(s):
        super().__init__(); s.qkv = nn.Linear(8, 24, bias=False); s.o = nn.Linear(8, 8)
    def forward(s, x):
        b, n, w = x.shape
        x = torch.roll(x, 2, 1)
        q, k, v = s.qkv(x).view(b, n // 4, 4, 3, w).unbind(3)
        kk = torch.cat([F.pad(k, (0, 0, 0, 0, 1, 0))[:, :-1], k], 2); vv = torch.cat([F.pad(v, (0, 0, 0, 0, 1, 0))[:, :-1], v], 2)
        a = torch.einsum("bcqd,bckd->bcqk", q, kk).softmax(-1)
        y = torch.einsum("bcqk,bckd->bcqd", a, vv).reshape(b, n, w)
        return s.o(torch.roll(y, -2, 1))


class HalfFrozen(nn.Module):
    def __init__(s):
        super().__init__(); s.a = nn.Linear(6, 8); s.bn = nn.BatchNorm1d(8, affine=False); s.c = nn.Linear(8, 8); s.d = nn.Linear(8, 3)
    def forward(s, x): return s.d(F.softplus(s.c(s.bn(s.a(x)))))

class Vec(nn.Module):
    "vectors: mv, dot, 1-D matmuls"
    def __init__(s):
        super().__init__(); s.w = nn.Parameter(torch.randn(6, 6)); s.l = nn.Linear(6, 4)
    def forward(s, x):
        y = s.l(x)             # x: n 6
        return (x @ s.w) * y.sum(-1, keepdim=True)

class MultiIn(nn.Module):
    def __init__(s):
        super().__init__(); s.img = nn.Conv2d(1, 4, 3, stride=2); s.txt = nn.Embedding(9, 4); s.num = nn.Linear(3, 4); s.out = nn.Linear(12, 2)
    def forward(s, i, t, n): return s.out(torch.cat([s.img(i).mean((2, 3)), s.txt(t).sum(1), s.num(n)], -1))

class Deconv1d(nn.Module):
    def __init__(s):
        super().__init__(); s.pre = nn.Conv1d(10, 32, 7, padding=3)
        s.ups = nn.ModuleList([nn.ConvTranspose1d(32, 16, 8, 4, padding=2), nn.ConvTranspose1d(16, 8, 4, 2, padding=1)])
        s.res = nn.ModuleList([nn.ModuleList([nn.Conv1d(c, c, k, dilation=d, padding=(k * d - d) // 2) for k, d in ((3, 1), (5, 3))]) for c in (16, 8)])
        s.post = nn.Conv1d(8, 1, 7, padding=3)
    def forward(s, x):
        y = s.pre(x)
        for u, rs in zip(s.ups, s.res):
            y = u(F.leaky_relu(y, .1)); y = sum(y + r(F.leaky_relu(y)) for r in rs) / 2
        return torch.tanh(s.post(y))

class Kan(nn.Module):
    def __init__(s):
        super().__init__(); s.w = nn.Parameter(torch.randn(8, 5, 7))
    def forward(s, x):
        b = torch.exp(-(x[..., None] - torch.linspace(-1, 1, 7)) ** 2)
        return torch.einsum("bik,oik->bo", b, s.w)

class HyperConv(nn.Module):
    "weights that are computed: conv weight is data"
    def __init__(s):
        super().__init__(); s.g = nn.Linear(5, 4 * 3 * 9); s.b = nn.Conv2d(4, 2, 1)
    def forward(s, x, z):
        w = s.g(z).view(4, 3, 3, 3)
        return s.b(F.conv2d(x, w, padding=1))

class DynConvT(nn.Module):
    def __init__(s):
        super().__init__(); s.base = nn.Parameter(torch.randn(6, 4, 3, 3)); s.sc = nn.Parameter(torch.randn(6, 1, 1, 1))
    def forward(s, x): return F.conv_transpose2d(F.conv2d(x, (s.base * s.sc)[:, :3]), s.base, stride=2)

class PerceiverIO(nn.Module):
    def __init__(s):
        super().__init__(); s.lat = nn.Parameter(torch.randn(7, 12)); s.q, s.kv, s.o = nn.Linear(12, 12), nn.Linear(10, 24), nn.Linear(12, 12); s.f = nn.Linear(12, 12)
        s.dq = nn.Parameter(torch.randn(3, 12))
    def att(s, q, k, v):
        h = lambda t: t.reshape(t.shape[0], t.shape[1], 3, 4).transpose(1, 2)
        return ((h(q) @ h(k).transpose(-1, -2) * .5).softmax(-1) @ h(v)).transpose(1, 2).flatten(2)
    def forward(s, x):
        l = s.lat.unsqueeze(0).expand(x.shape[0], -1, -1)
        k, v = s.kv(x).chunk(2, -1)
        l = l + s.o(s.att(s.q(l), k, v))
        for _ in range(2): l = l + s.f(s.att(l, l, l))
        q = s.dq[None].repeat(x.shape[0], 1, 1)
        return s.att(q, l, l)

class Split3(nn.Module):
    def __init__(s):
        super().__init__(); s.f = nn.Linear(8, 20); s.g = nn.Linear(5, 5, bias=False); s.h = nn.Linear(10, 3)
    def forward(s, x):
        a, b, c = s.f(x).split([5, 5, 10], -1)
        return s.h(c) + (s.g(a) * b).sum(-1, keepdim=True)

class CumState(nn.Module):
    def __init__(s):
        super().__init__(); s.p = nn.Linear(6, 6); s.a = nn.Parameter(torch.randn(6)); s.o = nn.Linear(6, 6)
    def forward(s, x):
        y = torch.cumsum(s.p(x) * torch.exp(s.a), 1)
        i = torch.tril(torch.ones(x.shape[1], x.shape[1]))
        return s.o(torch.matmul(i, y))

class LstmCells(nn.Module):
    def __init__(s):
        super().__init__(); s.c = nn.LSTMCell(4, 6); s.att = nn.Linear(6, 5); s.o = nn.Linear(6, 5)
    def forward(s, x, mem):
        h = x.new_zeros(x.shape[0], 6); c = h; out = []
        for t in range(x.shape[1]):
            h, c = s.c(x[:, t], (h, c))
            a = torch.bmm(s.att(h).unsqueeze(1), mem.transpose(1, 2)).softmax(-1)
            out.append(s.o(h) + torch.bmm(a, mem).squeeze(1))
        return torch.stack(out, 1)

class Hourglass(nn.Module):
    def __init__(s):
        super().__init__(); s.c = nn.ModuleList([nn.Conv2d(i, o, 3, padding=1) for i, o in ((3, 6), (6, 12), (12, 12), (18, 6))]); s.h = nn.Conv2d(6, 2, 1)
    def forward(s, x):
        a = F.relu(s.c[0](x)); b = F.relu(s.c[1](F.avg_pool2d(a, 2, ceil_mode=True))); b = F.relu(s.c[2](b))
        b = F.interpolate(b, size=a.shape[2:], mode="bilinear", align_corners=False)
        return s.h(F.relu(s.c[3](torch.cat([a, b], 1))))

class Mobile(nn.Module):
    def __init__(s):
        super().__init__(); s.a = nn.Conv2d(3, 8, 3, 2, 1, bias=False); s.n1 = nn.BatchNorm2d(8); s.d = nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False); s.n2 = nn.BatchNorm2d(8); s.p = nn.Conv2d(8, 11, 1, bias=False); s.n3 = nn.BatchNorm2d(11); s.f = nn.Linear(11, 5)
    def forward(s, x): return s.f(F.dropout(s.n3(s.p(F.hardtanh(s.n2(s.d(F.relu(s.n1(s.a(x)))))))).mean((-1, -2)), .2, s.training))

class AdaLN(nn.Module):
    def __init__(s):
        super().__init__(); s.t = nn.Linear(8, 48); s.n = nn.LayerNorm(8, elementwise_affine=False); s.qkv = nn.Linear(8, 24); s.o = nn.Linear(8, 8); s.m1, s.m2 = nn.Linear(8, 32), nn.Linear(32, 8); s.patch = nn.Conv2d(4, 8, 2, 2); s.pos = nn.Parameter(torch.randn(1, 16, 8), requires_grad=True); s.fin = nn.Linear(8, 16)
    def forward(s, x, t):
        y = s.patch(x).flatten(2).transpose(1, 2) + s.pos
        sh, sc, g, sh2, sc2, g2 = s.t(F.silu(t)).chunk(6, -1)
        mod = lambda z, a, b: z * (1 + a[:, None]) + b[:, None]
        q, k, v = s.qkv(mod(s.n(y), sc, sh)).reshape(y.shape[0], 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
        y = y + g[:, None] * s.o(((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).reshape(y.shape))
        y = y + g2[:, None] * s.m2(F.gelu(s.m1(mod(s.n(y), sc2, sh2)), approximate="tanh"))
        z = s.fin(s.n(y)).reshape(-1, 4, 4, 2, 2, 4)
        return torch.einsum("nhwpqc->nchpwq", z).reshape(-1, 4, 8, 8)

def dyn(**axes):
    return {"dynamic_axes": {k: v for k, v in axes.items() if not k.startswith("_")}, "input_names": [k for k in axes if not k.startswith("_")]}

def models():
    r = torch.randn
    I = lambda hi, *s: torch.randint(0, hi, s)
    yield "grouped_transposed", GroupedTransposed(), (r(2, 5, 17, 23),), {}
    yield "grouped_transposed_9", GroupedTransposed(), (r(1, 5, 31, 19),), {"opset_version": 9, "train": True}
    yield "net3d", Net3D(), (r(1, 2, 8, 12, 12),), {}
    yield "net3d_train", Net3D(), (r(2, 2, 8, 12, 12),), {"train": True, "opset_version": 11}
    yield "mha_self_mask", MHA(mask=True), (r(5, 2, 24), r(5, 2, 24)), {}
    yield "mha_cross_kdim", MHA(kdim=10), (r(5, 2, 24), r(9, 2, 10)), {}
    yield "mha_bias_kv", MHA(addb=True), (r(5, 2, 24), r(5, 2, 24)), {"train": True}
    yield "mha_bf", MHA(batch_first=True), (r(3, 6, 24), r(3, 4, 24)), {"opset_version": 12, "train": True}
    yield "enc_post", Enc(), (I(30, 2, 11) + 1,), {"train": True, "opset_version": 14}
    yield "enc_pre", Enc(True), (I(30, 2, 13) + 1,), {"train": True, "opset_version": 13, **dyn(ids={0: "b", 1: "n"}), "let": "b=2 n=13"}
    yield "full_transformer", FullTransformer(), (I(11, 2, 6), I(13, 2, 5)), {"train": True}
    yield "bilstm_gru", BiLstmProj(), (r(3, 8, 7),), {}
    yield "bilstm_gru_dyn", BiLstmProj(), (r(3, 8, 7),), {**dyn(x={0: "b", 1: "t"}), "let": "b=3 t=8", "opset_version": 11}
    yield "rnn_relu", RnnTanh(), (r(7, 2, 6), r(4, 2, 9)), {"opset_version": 9}
    yield "shared", SharedWeights(), (r(1, 3, 9, 7),), {}
    yield "einsums", EinsumZoo(), (r(2, 5, 6),), {"opset_version": 13}
    yield "einsums_12", EinsumZoo(), (r(2, 5, 6),), {"opset_version": 12, **dyn(x={0: "b"}), "let": "b=2"}
    yield "bilinear_mix", BilinearMix(), (r(2, 10, 9),), {}
    yield "gated_script", Gated(), (r(3, 4, 6),), {"script": True}
    yield "gated_script2", Gated(), (r(2, 5, 6),), {"script": True, "opset_version": 11}
    yield "gated_script_dyn", Gated(), (r(4, 5, 6),), {"script": True, **dyn(x={0: "b", 1: "n"}), "let": "b=4 n=5"}
    yield "anchor_head", AnchorHead(), (r(2, 3, 37, 45),), {}
    yield "anchor_head_dyn", AnchorHead(), (r(1, 3, 64, 48),), {**dyn(x={0: "b", 2: "h", 3: "w"}), "let": "b=1 h=64 w=48", "opset_version": 11}
    yield "yolo", Yolo(), (r(1, 3, 64, 96),), {"opset_version": 12}
    yield "yolo_dyn", Yolo(), (r(2, 3, 64, 64),), {"opset_version": 17, **dyn(x={0: "batch", 2: "height", 3: "width"}), "let": "batch=2 height=64 width=64"}
    yield "rope", Rope(), (r(2, 9, 24),), {}
    yield "rope_dyn_fold", Rope(), (r(2, 9, 24),), {**dyn(x={0: "b", 1: "n"}), "let": "b=2 n=9", "do_constant_folding": True}
    yield "sdpa", SDPA(), (r(2, 6, 16),), {"opset_version": 15}
    yield "unfold", WindowUnfold(), (r(1, 3, 11, 10),), {"opset_version": 13}
    yield "space2depth", SpaceToDepth(), (r(1, 3, 16, 20),), {"opset_version": 10}
    yield "space2depth_dyn", SpaceToDepth(), (r(1, 3, 16, 20),), {"opset_version": 11, **dyn(x={2: "h", 3: "w"}), "let": "h=16 w=20"}
    yield "se", SE(), (r(3, 3, 20, 20),), {"opset_version": 11}
    yield "weight_normed", WeightNormed(), (r(2, 4, 14),), {}
    yield "memory", Memory(), (I(17, 2, 6),), {}
    yield "local", LocalAttn(), (r(2, 12, 8),), {"opset_version": 12}
    yield "half_frozen_bn", HalfFrozen(), (r(5, 6),), {"train": True}
    yield "vec", Vec(), (r(5, 6),), {"opset_version": 7}
    yield "multi_in", MultiIn(), (r(2, 1, 14, 14), I(9, 2, 5), r(2, 3)), {"opset_version": 8}
    yield "hifigan", Deconv1d(), (r(1, 10, 12),), {}
    yield "hifigan_dyn", Deconv1d(), (r(1, 10, 12),), {**dyn(x={2: "frames"}), "let": "frames=12", "opset_version": 9}
    yield "kan", Kan(), (r(4, 5),), {"opset_version": 12}
    yield "hyper_conv", HyperConv(), (r(1, 3, 8, 8), r(1, 5)), {}
    yield "dyn_conv_t", DynConvT(), (r(1, 3, 9, 9),), {}
    yield "perceiver", PerceiverIO(), (r(2, 20, 10),), {}
    yield "perceiver_dyn", PerceiverIO(), (r(2, 20, 10),), {**dyn(x={0: "b", 1: "n"}), "let": "b=2 n=20", "opset_version": 12}
    yield "split3", Split3(), (r(2, 4, 8),), {"opset_version": 13}
    yield "split3_8", Split3(), (r(2, 4, 8),), {"opset_version": 8}
    yield "cum", CumState(), (r(2, 5, 6),), {}
    yield "lstm_cells", LstmCells(), (r(2, 4, 4), r(2, 7, 5)), {}
    yield "hourglass", Hourglass(), (r(1, 3, 15, 17),), {"opset_version": 11}
    yield "mobile_7", Mobile(), (r(1, 3, 32, 28),), {"opset_version": 9}
    yield "mobile_train", Mobile(), (r(2, 3, 32, 28),), {"train": True}
    yield "adaln", AdaLN(), (r(2, 4, 8, 8), r(2, 8)), {}
    yield "adaln_dyn", AdaLN(), (r(2, 4, 8, 8), r(2, 8)), {**dyn(x={0: "batch"}, t={0: "batch"}), "let": "batch=2", "opset_version": 14}
