"""More architectures of architectures.py: images, sound, states, graphs, tables."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class DiffusionUNet(nn.Module):
    """Time embedding, residual blocks with group norm, attention over pixels and over a text, skip connections."""
    def __init__(self, w=16, text=12):
        super().__init__()
        self.w = w
        self.time = nn.Sequential(nn.Linear(w, 4 * w), nn.SiLU(), nn.Linear(4 * w, 4 * w))
        self.first = nn.Conv2d(4, w, 3, padding=1)
        self.r1, self.r2, self.r3 = self.res(w, w), self.res(w, 2 * w), self.res(3 * w, w)
        self.down, self.up = nn.Conv2d(w, w, 3, stride=2, padding=1), nn.Conv2d(2 * w, 2 * w, 3, padding=1)
        self.norm, self.into, self.out = nn.GroupNorm(4, 2 * w, eps=1e-6), nn.Conv2d(2 * w, 2 * w, 1), nn.Conv2d(2 * w, 2 * w, 1)
        self.qs = nn.ModuleList(nn.Linear(2 * w, 2 * w, bias=False) for _ in range(2))
        self.ks = nn.ModuleList(nn.Linear(i, 2 * w, bias=False) for i in (2 * w, text))
        self.vs = nn.ModuleList(nn.Linear(i, 2 * w, bias=False) for i in (2 * w, text))
        self.os = nn.ModuleList(nn.Linear(2 * w, 2 * w) for _ in range(2))
        self.ns = nn.ModuleList(nn.LayerNorm(2 * w) for _ in range(3))
        self.geglu, self.last = nn.Linear(2 * w, 16 * w), nn.Linear(8 * w, 2 * w)
        self.end_norm, self.end = nn.GroupNorm(4, w), nn.Conv2d(w, 4, 3, padding=1)

    def res(self, i, o):
        return nn.ModuleDict({"n1": nn.GroupNorm(4, i), "c1": nn.Conv2d(i, o, 3, padding=1), "t": nn.Linear(4 * self.w, o),
                              "n2": nn.GroupNorm(4, o), "c2": nn.Conv2d(o, o, 3, padding=1), "s": nn.Conv2d(i, o, 1) if i != o else nn.Identity()})

    @staticmethod
    def run(r, x, t):
        h = r["c1"](F.silu(r["n1"](x))) + r["t"](F.silu(t))[:, :, None, None]
        return r["s"](x) + r["c2"](F.silu(r["n2"](h)))

    def attend(self, i, x, context):
        b, n, c = x.shape
        q, k, v = (t.reshape(b, -1, 4, c // 4).permute(0, 2, 1, 3).reshape(b * 4, -1, c // 4) for t in (self.qs[i](x), self.ks[i](context), self.vs[i](context)))
        p = torch.baddbmm(torch.empty(q.shape[0], q.shape[1], k.shape[1]), q, k.transpose(-1, -2), beta=0, alpha=(c // 4) ** -0.5).softmax(-1)
        y = torch.bmm(p, v).reshape(b, 4, n, c // 4).permute(0, 2, 1, 3).reshape(b, n, c)
        return self.os[i](y)

    def forward(self, x, t, text):
        f = torch.exp(-math.log(10000) * torch.arange(0, self.w // 2, dtype=torch.float32) / (self.w // 2))
        e = t[:, None].float() * f[None]
        t = self.time(torch.cat([e.cos(), e.sin()], -1))
        a = self.run(self.r1, self.first(x), t)
        h = self.run(self.r2, self.down(a), t)
        b, c, n, m = h.shape
        y = self.into(self.norm(h)).permute(0, 2, 3, 1).reshape(b, n * m, c)
        z = self.ns[0](y)
        y = y + self.attend(0, z, z)
        y = y + self.attend(1, self.ns[1](y), text)
        u, g = self.geglu(self.ns[2](y)).chunk(2, dim=-1)
        y = y + self.last(u * F.gelu(g))
        h = h + self.out(y.reshape(b, n, m, c).permute(0, 3, 1, 2).contiguous())
        h = self.up(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.end(F.silu(self.end_norm(self.run(self.r3, torch.cat([h, a], 1), t))))


class Conformer(nn.Module):
    """Half feed-forwards, attention with relative positions by shifting, a gated depthwise convolution."""
    def __init__(self, w=24, heads=2):
        super().__init__()
        self.heads = heads
        self.stem = nn.Sequential(nn.Conv2d(1, w, 3, 2), nn.ReLU(), nn.Conv2d(w, w, 3, 2), nn.ReLU())
        self.into = nn.Linear(w * 4, w)
        self.f1, self.f2 = (nn.Sequential(nn.LayerNorm(w), nn.Linear(w, 4 * w), nn.SiLU(), nn.Linear(4 * w, w)) for _ in range(2))
        self.n, self.q, self.k, self.v, self.o = nn.LayerNorm(w), *(nn.Linear(w, w) for _ in range(4))
        self.pos = nn.Linear(w, w, bias=False)
        self.u, self.t = nn.Parameter(torch.zeros(heads, w // heads)), nn.Parameter(torch.zeros(heads, w // heads))
        self.cn, self.p1, self.d, self.b, self.p2 = nn.LayerNorm(w), nn.Conv1d(w, 2 * w, 1), nn.Conv1d(w, w, 5, padding=2, groups=w), nn.BatchNorm1d(w), nn.Conv1d(w, w, 1)
        self.end = nn.LayerNorm(w)

    def forward(self, x):
        x = self.stem(x.unsqueeze(1))
        b, c, n, f = x.shape
        x = self.into(x.transpose(1, 2).reshape(b, n, c * f))
        w = x.shape[-1]
        x = x + 0.5 * self.f1(x)
        at = torch.arange(n - 1, -n, -1.0)[:, None] * torch.exp(torch.arange(0, w, 2) * (-math.log(10000.0) / w))
        p = self.pos(torch.stack((at.sin(), at.cos()), -1).flatten(1).unsqueeze(0)).view(1, -1, self.heads, w // self.heads).transpose(1, 2)
        h = self.n(x)
        q = self.q(h).view(b, n, self.heads, -1)
        k, v = (f(h).view(b, n, self.heads, -1).transpose(1, 2) for f in (self.k, self.v))
        ac = torch.matmul((q + self.u).transpose(1, 2), k.transpose(-2, -1))
        bd = torch.matmul((q + self.t).transpose(1, 2), p.transpose(-2, -1))
        bd = F.pad(bd, (1, 0)).view(b, self.heads, -1, n)[:, :, 1:].view(b, self.heads, n, 2 * n - 1)[..., :n]
        y = torch.matmul(((ac + bd) / math.sqrt(w // self.heads)).softmax(-1), v).transpose(1, 2).reshape(b, n, w)
        x = x + self.o(y)
        y = F.glu(self.p1(self.cn(x).transpose(1, 2)), dim=1)
        x = x + self.p2(F.silu(self.b(self.d(y)))).transpose(1, 2)
        return self.end(x + 0.5 * self.f2(x))


class Whisper(nn.Module):
    def __init__(self, w=32, heads=4):
        super().__init__()
        self.heads = heads
        self.c1, self.c2 = nn.Conv1d(20, w, 3, padding=1), nn.Conv1d(w, w, 3, stride=2, padding=1)
        self.register_buffer("pe", torch.randn(16, w))
        self.tokens, self.learned = nn.Embedding(80, w), nn.Parameter(torch.zeros(24, w))
        self.register_buffer("mask", torch.full((24, 24), float("-inf")).triu_(1))
        self.a = nn.ModuleList(nn.ModuleDict({"n": nn.LayerNorm(w), "q": nn.Linear(w, w), "k": nn.Linear(w, w, bias=False), "v": nn.Linear(w, w), "o": nn.Linear(w, w)}) for _ in range(3))
        self.m = nn.ModuleList(nn.Sequential(nn.LayerNorm(w), nn.Linear(w, 4 * w), nn.GELU(), nn.Linear(4 * w, w)) for _ in range(2))
        self.end = nn.ModuleList(nn.LayerNorm(w) for _ in range(2))

    def attend(self, l, x, memory=None, mask=None):
        h = l["n"](x)
        memory = h if memory is None else memory
        scale = (x.shape[-1] // self.heads) ** -0.25
        q = l["q"](h).view(*x.shape[:2], self.heads, -1).permute(0, 2, 1, 3) * scale
        k = l["k"](memory).view(*memory.shape[:2], self.heads, -1).permute(0, 2, 3, 1) * scale
        v = l["v"](memory).view(*memory.shape[:2], self.heads, -1).permute(0, 2, 1, 3)
        s = q @ k
        if mask is not None:
            s = s + mask[:x.shape[1], :x.shape[1]]
        return x + l["o"]((F.softmax(s.float(), -1).to(q.dtype) @ v).permute(0, 2, 1, 3).flatten(start_dim=2))

    def forward(self, mel, ids):
        x = F.gelu(self.c2(F.gelu(self.c1(mel)))).permute(0, 2, 1)
        x = x + self.pe[:x.shape[1]]
        memory = self.end[0](self.m[0](self.attend(self.a[0], x)) + x)
        y = self.tokens(ids) + self.learned[:ids.shape[-1]]
        y = self.attend(self.a[1], y, mask=self.mask)
        y = self.attend(self.a[2], y, memory)
        return (self.end[1](y + self.m[1](y)) @ torch.transpose(self.tokens.weight, 0, 1)).float()


class Mamba(nn.Module):
    """Selective scan, one step after another."""
    def __init__(self, w=16, state=4, rank=2):
        super().__init__()
        i = 2 * w
        self.state, self.rank = state, rank
        self.in_proj, self.conv = nn.Linear(w, 2 * i, bias=False), nn.Conv1d(i, i, 4, groups=i, padding=3)
        self.x_proj, self.dt_proj = nn.Linear(i, rank + 2 * state, bias=False), nn.Linear(rank, i)
        self.A_log, self.D = nn.Parameter(torch.zeros(i, state)), nn.Parameter(torch.ones(i))
        self.out_proj = nn.Linear(i, w, bias=False)

    def forward(self, x):
        b, n, _ = x.shape
        u, z = self.in_proj(x).chunk(2, -1)
        u = F.silu(self.conv(u.transpose(1, 2))[..., :n]).transpose(1, 2)
        dt, B, C = self.x_proj(u).split([self.rank, self.state, self.state], -1)
        dt = F.softplus(self.dt_proj(dt))
        a = torch.exp(dt.unsqueeze(-1) * -torch.exp(self.A_log))
        bu = dt.unsqueeze(-1) * B.unsqueeze(2) * u.unsqueeze(-1)
        h, ys = torch.zeros(b, u.shape[-1], self.state), []
        for t in range(n):
            h = a[:, t] * h + bu[:, t]
            ys.append(torch.matmul(h, C[:, t].unsqueeze(-1)).squeeze(-1))
        y = torch.stack(ys, 1) + u * self.D
        return self.out_proj(y * F.silu(z))


class Rwkv(nn.Module):
    """Time mixing with a running numerator and denominator, channel mixing with squared ReLU."""
    def __init__(self, w=16):
        super().__init__()
        self.mix = nn.Parameter(torch.rand(4, w))
        self.decay, self.first = nn.Parameter(torch.zeros(w)), nn.Parameter(torch.zeros(w))
        self.k, self.v, self.r, self.o = (nn.Linear(w, w, bias=False) for _ in range(4))
        self.fk, self.fr, self.fv = nn.Linear(w, 4 * w, bias=False), nn.Linear(w, w, bias=False), nn.Linear(4 * w, w, bias=False)
        self.shift = nn.ZeroPad2d((0, 0, 1, -1))

    def forward(self, x):
        s = self.shift(x)
        m = [x * a + s * (1 - a) for a in self.mix]
        k, v, r = self.k(m[0]), self.v(m[1]), torch.sigmoid(self.r(m[2]))
        num = den = torch.zeros_like(k[:, 0])
        out = []
        for t in range(x.shape[1]):
            e = torch.exp(self.first + k[:, t])
            out.append((num + e * v[:, t]) / (den + e + 1e-6))
            d = torch.exp(-torch.exp(self.decay))
            num, den = d * num + torch.exp(k[:, t]) * v[:, t], d * den + torch.exp(k[:, t])
        x = x + self.o(r * torch.stack(out, 1))
        return x + torch.sigmoid(self.fr(x)) * self.fv(torch.square(torch.relu(self.fk(m[3]))))


class Transducer(nn.Module):
    """RNN-T: an encoder, a predictor and a joint network over all pairs."""
    def __init__(self, w=20):
        super().__init__()
        self.encoder, self.embed, self.predictor = nn.LSTM(16, w, 2, batch_first=True), nn.Embedding(30, w), nn.GRU(w, w, batch_first=True)
        self.a, self.b, self.out = nn.Linear(w, w), nn.Linear(w, w, bias=False), nn.Linear(w, 30)

    def forward(self, x, ids):
        e, p = self.a(self.encoder(x)[0]), self.b(self.predictor(self.embed(ids))[0])
        return self.out(torch.tanh(e.unsqueeze(2) + p.unsqueeze(1))).log_softmax(-1)


class Wav2Vec2(nn.Module):
    """Group norm in the first convolution only; positions by a weight-normed grouped convolution."""
    def __init__(self, w=32):
        super().__init__()
        self.c0, self.g0, self.c1, self.c2 = nn.Conv1d(1, w, 10, 5, bias=False), nn.GroupNorm(w, w), nn.Conv1d(w, w, 3, 2, bias=False), nn.Conv1d(w, w, 2, 2, bias=False)
        self.n, self.p = nn.LayerNorm(w), nn.Linear(w, 24)
        self.pos = nn.utils.weight_norm(nn.Conv1d(24, 24, 8, padding=4, groups=4), name="weight", dim=2)
        self.layer = nn.TransformerEncoderLayer(24, 4, 48, 0.0, activation="gelu", batch_first=True, norm_first=False)

    def forward(self, x):
        x = F.gelu(self.g0(self.c0(x[:, None])))
        x = F.gelu(self.c2(F.gelu(self.c1(x)))).transpose(1, 2)
        x = self.p(self.n(x))
        x = x + F.gelu(self.pos(x.transpose(1, 2))[:, :, :-1]).transpose(1, 2)
        return self.layer.train()(x)


class Detr(nn.Module):
    """A convolutional backbone with frozen statistics, sine positions from a mask, object queries, two heads."""
    def __init__(self, w=32):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1))
        self.into, self.queries = nn.Conv2d(16, w, 1), nn.Embedding(7, w)
        self.sa, self.ca = (nn.ModuleList(nn.MultiheadAttention(w, 4) for _ in range(2)) for _ in range(2))
        self.ff = nn.ModuleList(nn.Sequential(nn.Linear(w, 2 * w), nn.ReLU(), nn.Linear(2 * w, w)) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(w) for _ in range(6))
        self.classes = nn.Linear(w, 6)
        self.boxes = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, 4))

    def forward(self, x):
        f = self.into(self.body(x))
        b, c, h, w = f.shape
        ones = torch.ones(b, h, w)
        ys, xs = ones.cumsum(1) / h * 2 * math.pi, ones.cumsum(2) / w * 2 * math.pi
        t = 10000 ** (2 * torch.div(torch.arange(c // 2, dtype=torch.float32), 2, rounding_mode="floor") / (c // 2))
        pos = []
        for v in (ys, xs):
            v = v[..., None] / t
            pos.append(torch.stack((v[..., 0::2].sin(), v[..., 1::2].cos()), dim=4).flatten(3))
        pos = torch.cat(pos, 3).permute(0, 3, 1, 2).flatten(2).permute(2, 0, 1)
        m = f.flatten(2).permute(2, 0, 1)
        m = self.norms[0](m + self.sa[0](m + pos, m + pos, m)[0])
        m = self.norms[1](m + self.ff[0](m))
        q = self.queries.weight.unsqueeze(1).repeat(1, b, 1)
        y = torch.zeros_like(q)
        y = self.norms[2](y + self.sa[1](y + q, y + q, y)[0])
        y = self.norms[3](y + self.ca[1](y + q, m + pos, m)[0])
        y = self.norms[4](y + self.ff[1](y)).transpose(0, 1)
        return self.classes(y), self.boxes(y).sigmoid()


class Clip(nn.Module):
    def __init__(self, w=32, o=16):
        super().__init__()
        self.patch, self.cls, self.vpos = nn.Conv2d(3, w, 4, 4, bias=False), nn.Parameter(torch.randn(w)), nn.Parameter(torch.randn(17, w))
        self.tokens, self.tpos = nn.Embedding(60, w), nn.Parameter(torch.randn(10, w))
        self.v, self.t = (nn.TransformerEncoderLayer(w, 4, 64, 0.0, activation="gelu", batch_first=True, norm_first=True) for _ in range(2))
        self.pre, self.post, self.final = nn.LayerNorm(w), nn.LayerNorm(w), nn.LayerNorm(w)
        self.vp, self.tp = nn.Parameter(torch.randn(w, o)), nn.Parameter(torch.randn(w, o))
        self.scale = nn.Parameter(torch.ones([]) * 2.66)

    def forward(self, image, ids):
        x = self.patch(image)
        x = x.reshape(x.shape[0], x.shape[1], -1).permute(0, 2, 1)
        x = torch.cat([self.cls + torch.zeros(x.shape[0], 1, x.shape[-1]), x], dim=1) + self.vpos
        x = self.post(self.v.train()(self.pre(x))[:, 0, :]) @ self.vp
        y = self.tokens(ids) + self.tpos
        y = self.final(self.t.train()(y, src_mask=torch.full((10, 10), float("-inf")).triu(1)))
        y = y[torch.arange(y.shape[0]), ids.argmax(dim=-1)] @ self.tp
        x, y = x / x.norm(dim=1, keepdim=True), y / y.norm(dim=1, keepdim=True)
        logits = self.scale.exp() * x @ y.t()
        return logits, logits.t()


class Wavenet(nn.Module):
    def __init__(self, w=12):
        super().__init__()
        self.first = nn.Conv1d(1, w, 1)
        self.d = nn.ModuleList(nn.utils.weight_norm(nn.Conv1d(w, 2 * w, 2, dilation=2 ** i)) for i in range(4))
        self.s, self.r = nn.ModuleList(nn.Conv1d(w, w, 1) for _ in range(4)), nn.ModuleList(nn.Conv1d(w, w, 1) for _ in range(3))
        self.end = nn.Sequential(nn.ReLU(), nn.Conv1d(w, w, 1), nn.ReLU(), nn.Conv1d(w, 8, 1))

    def forward(self, x):
        x, skip = self.first(x), 0
        for i in range(4):
            a, b = self.d[i](F.pad(x, (2 ** i, 0))).chunk(2, 1)
            h = torch.tanh(a) * torch.sigmoid(b)
            skip = skip + self.s[i](h)
            x = x + self.r[i](h) if i < 3 else x
        return self.end(skip)


class StyleBlock(nn.Module):
    """StyleGAN2: the kernel is computed from the style, one convolution a sample as one grouped convolution."""
    def __init__(self, w=8):
        super().__init__()
        self.map, self.affine = nn.Linear(16, 16), nn.Linear(16, w)
        self.const, self.weight = nn.Parameter(torch.randn(1, w, 4, 4)), nn.Parameter(torch.randn(1, 2 * w, w, 3, 3))
        self.rgb = nn.Conv2d(2 * w, 3, 1)

    def forward(self, z):
        b = z.shape[0]
        s = self.affine(F.leaky_relu(self.map(z), 0.2)).view(b, 1, -1, 1, 1)
        w = self.weight * s
        w = w * torch.rsqrt(w.pow(2).sum([2, 3, 4], keepdim=True) + 1e-8)
        x = self.const.repeat(b, 1, 1, 1)
        x = F.conv2d(x.reshape(1, -1, 4, 4), w.view(-1, *w.shape[2:]), padding=1, groups=b).view(b, -1, 4, 4)
        return self.rgb(x)


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Sequential(nn.Conv1d(3, 16, 1), nn.BatchNorm1d(16), nn.ReLU())
        self.f = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 9))
        self.c1, self.c2, self.head = nn.Conv1d(3, 16, 1), nn.Conv1d(16, 32, 1), nn.Linear(32, 4)

    def forward(self, x):
        m = self.f(torch.max(self.t(x), 2, keepdim=True)[0].view(-1, 16)).view(-1, 3, 3) + torch.eye(3).view(1, 3, 3)
        x = torch.bmm(x.transpose(2, 1), m).transpose(2, 1)
        return self.head(torch.max(self.c2(F.relu(self.c1(x))), 2)[0])


class GraphConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.w2, self.att = nn.Parameter(torch.randn(10, 16)), nn.Parameter(torch.randn(16, 4)), nn.Linear(8, 1, bias=False)

    def forward(self, x, adjacency):
        d = adjacency.sum(-1).pow(-0.5)
        a = d[:, None] * adjacency * d[None, :]
        h = torch.mm(a, torch.mm(torch.relu(torch.mm(a, torch.mm(x, self.w1))), self.w2))
        n = h.shape[0]
        pairs = torch.cat([h.repeat(1, n).view(n * n, -1), h.repeat(n, 1)], dim=1).view(n, n, 8)
        return torch.matmul(F.softmax(F.leaky_relu(self.att(pairs).squeeze(2)), dim=1), h)


class Dlrm(nn.Module):
    """Dense features through an MLP, tables of sparse ones, all dot products of pairs."""
    def __init__(self, w=8):
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, w), nn.ReLU())
        self.tables = nn.ModuleList(nn.Embedding(n, w) for n in (40, 10, 100))
        self.top = nn.Sequential(nn.Linear(w + 6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, x, ids):
        x = self.bottom(x)
        t = torch.stack([x] + [table(ids[:, i]) for i, table in enumerate(self.tables)], 1)
        z = torch.bmm(t, t.transpose(1, 2))
        i, j = torch.tensor([1, 2, 2, 3, 3, 3]), torch.tensor([0, 0, 1, 0, 1, 2])
        return self.top(torch.cat([x, z[:, i, j]], 1))


class Mixer(nn.Module):
    def __init__(self, w=16, n=16):
        super().__init__()
        self.patch = nn.Conv2d(3, w, 4, 4)
        self.t = nn.Sequential(nn.Linear(n, 2 * n), nn.GELU(), nn.Linear(2 * n, n))
        self.c = nn.Sequential(nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))
        self.n1, self.n2 = nn.LayerNorm(w), nn.LayerNorm(w)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.t(self.n1(x).transpose(1, 2)).transpose(1, 2)
        return (x + self.c(self.n2(x))).mean(1)


class LinearAttention(nn.Module):
    """Performer-like: keys and values are multiplied first; a latent array reads them as in Perceiver."""
    def __init__(self, w=24, heads=3):
        super().__init__()
        self.heads, self.latent, self.qkv, self.cross = heads, nn.Parameter(torch.randn(5, w)), nn.Linear(w, 3 * w), nn.MultiheadAttention(w, heads, batch_first=True, kdim=w, vdim=w)

    def forward(self, x):
        b, n, w = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        kv = torch.einsum("bhnd,bhne->bhde", k, v)
        y = torch.einsum("bhnd,bhde,bhn->bhne", q, kv, 1 / torch.einsum("bhnd,bhd->bhn", q, k.sum(2)))
        y = y.transpose(1, 2).reshape(b, n, w)
        return self.cross(self.latent.expand(b, -1, -1), y, y)[0]


class Adapted(nn.Module):
    """LoRA beside a linear layer, a bilinear form, cells stepped by hand, one layer used twice."""
    def __init__(self):
        super().__init__()
        self.base, self.a, self.b = nn.Linear(16, 16), nn.Parameter(torch.randn(4, 16)), nn.Parameter(torch.randn(16, 4))
        self.lstm, self.gru, self.rnn = nn.LSTMCell(16, 12), nn.GRUCell(12, 12), nn.RNNCell(12, 12)
        self.pair = nn.Parameter(torch.randn(5, 12, 12))

    def forward(self, x):
        h, c = torch.zeros(x.shape[0], 12), torch.zeros(x.shape[0], 12)
        g = r = torch.zeros(x.shape[0], 12)
        for t in range(x.shape[1]):
            y = self.base(x[:, t]) + (x[:, t] @ self.a.t()) @ self.b.t() * 2.0
            y = self.base(y)
            h, c = self.lstm(y, (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
        return torch.einsum("bi,oij,bj->bo", h, self.pair, r)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.ReLU())
        self.m, self.v, self.d = nn.Linear(256, 6), nn.Linear(256, 6), nn.Linear(6, 256)
        self.u = nn.Sequential(nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1))
        self.codes = nn.Parameter(torch.randn(20, 6))

    def forward(self, x):
        h = self.e(x).flatten(1)
        m, v = self.m(h), self.v(h)
        z = m + torch.exp(0.5 * v) * torch.randn_like(v)
        far = z.pow(2).sum(1, keepdim=True) + self.codes.pow(2).sum(1) - 2 * z @ self.codes.t()
        q = F.embedding(far.argmin(1), self.codes)
        return self.u(self.d(z + (q - z).detach()).view(-1, 16, 4, 4)), m, v, q


class Pyramid(nn.Module):
    """A feature pyramid with weighted fusion, spatial pyramid pooling, squeeze and excitation, channel shuffle, focus slices."""
    def __init__(self, w=12):
        super().__init__()
        self.stem = nn.Conv2d(12, w, 3, padding=1)
        self.dw, self.pw = nn.Conv2d(w, w, 3, 2, 1, groups=w, bias=False), nn.Conv2d(w, w, 1, groups=3)
        self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(w, 4, 1), nn.Hardswish(), nn.Conv2d(4, w, 1), nn.Hardsigmoid())
        self.fuse, self.mix, self.spp = nn.Parameter(torch.ones(2)), nn.Conv2d(w, w, 3, padding=1), nn.Conv2d(4 * w, w, 1)
        self.head, self.scale = nn.Conv2d(w, 9, 1), nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
        a = self.stem(x)
        b = self.pw(self.dw(a))
        n, c, h, w = b.shape
        b = b.view(n, 3, c // 3, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        b = b * self.se(b)
        b = self.spp(torch.cat([b] + [F.max_pool2d(b, k, 1, k // 2) for k in (5, 9, 13)], 1))
        f = F.relu(self.fuse)
        f = f / (f.sum() + 1e-4)
        a = self.mix(f[0] * a + f[1] * F.interpolate(b, size=a.shape[-2:], mode="nearest"))
        out = [self.head(t).permute(0, 2, 3, 1).reshape(n, -1, 3) for t in (a, b)]
        return torch.cat([out[0] * self.scale, out[1]], 1)
