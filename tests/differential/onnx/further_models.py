"""Models beyond image classification, each with its inputs and how it is exported: name -> (module, inputs, options).

Options: those of torch.onnx.export; `script` exports the compiled module (loops stay loops); `backward: False` where the
result has no gradient; `let` binds what the graph leaves open.
"""
import torch, torchvision
from torch import nn


class RecurrentStack(nn.Module):
    def __init__(self, kind, layers=2, bidirectional=False, batch_first=False):
        super().__init__()
        self.rnn = kind(24, 32, layers, bidirectional=bidirectional, batch_first=batch_first)
        self.head = nn.Linear(64 if bidirectional else 32, 10)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Embedded(nn.Module):
    """Tokens through an embedding whose matrix is also the output layer."""
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 32)
        self.rnn = nn.GRU(32, 32, batch_first=True)

    def forward(self, ids):
        return self.rnn(self.embed(ids))[0] @ self.embed.weight.t()


class Block(nn.Module):
    def __init__(self, width=48, heads=4, mask=True):
        super().__init__()
        self.heads, self.mask = heads, mask
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, s, w = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(b, s, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / (w // self.heads) ** 0.5
        if self.mask:
            at = torch.arange(s)
            scores = scores.masked_fill(at[:, None] < at[None, :], float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, s, w)
        x = x + self.proj(y)
        return x + self.down(nn.functional.gelu(self.up(self.ln2(x))))


class Decoder(nn.Module):
    def __init__(self, layers=3, tie=True):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(200, 48), nn.Embedding(64, 48)
        self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
        self.norm = nn.LayerNorm(48)
        self.head = nn.Linear(48, 200, bias=False)
        if tie:
            self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        return self.head(self.norm(self.blocks(x)))


class LoopedCell(nn.Module):
    """A loop whose shapes settle: the same cell at every step."""
    def __init__(self):
        super().__init__()
        self.w, self.u = nn.Linear(16, 16), nn.Linear(16, 16, bias=False)

    def forward(self, x):
        h = torch.zeros(x.shape[1], 16)
        for i in range(x.shape[0]):
            h = torch.tanh(self.w(x[i]) + self.u(h))
        return h


class GrowingCache(nn.Module):
    """A loop whose shapes grow: attention over everything seen so far."""
    def __init__(self):
        super().__init__()
        self.k, self.q = nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x):
        cache = self.k(x[0:1])
        out = self.q(x[0:1])
        for i in range(1, x.shape[0]):
            cache = torch.cat([cache, self.k(x[i:i + 1])], 0)
            out = torch.mm(torch.softmax(torch.mm(self.q(x[i:i + 1]), cache.t()), -1), cache)
        return out


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        if x.shape[0] > 2:
            y = self.a(x)
        else:
            y = self.b(self.b(x))
        return y


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=4)
        self.up = nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)
        self.norm, self.out = nn.GroupNorm(2, 8), nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = torch.relu(self.down1(x))
        b = torch.relu(self.middle(self.down2(a)))
        return self.out(torch.cat([a, self.norm(self.up(b))], 1))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(20, 32 * 4 * 4)
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.InstanceNorm2d(16, affine=True), nn.ReLU(),
                                nn.ConvTranspose2d(16, 8, 5, 3, groups=2), nn.Conv2d(8, 12, 3), nn.PixelShuffle(2))

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 4, 4))


class Audio(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 16, 10, 5), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 32, 3, 2),
                                  nn.AvgPool1d(3, 2, ceil_mode=True))
        self.rnn = nn.LSTM(32, 16, batch_first=True)

    def forward(self, x):
        return self.rnn(self.conv(x).transpose(1, 2))[0][:, -1]


class Einsums(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 16, 8))
        self.v = nn.Parameter(torch.randn(4, 8, 16))

    def forward(self, x):
        h = torch.einsum("bsd,hde->bhse", x, self.w)
        s = torch.einsum("bhse,bhte->bhst", h, h)
        return torch.einsum("bhse,hed->bsd", torch.einsum("bhst,bhte->bhse", s, h), self.v)


class Resizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3, bias=False)

    def forward(self, x):
        y = nn.functional.interpolate(self.a(x), scale_factor=1.5, mode="bilinear", align_corners=False)
        y = nn.functional.pad(self.b(y), (1, 2, 0, 1), mode="reflect")
        y = nn.functional.interpolate(y, size=x.shape[-2:], mode="nearest")
        return nn.functional.avg_pool2d(y, 3, 2, ceil_mode=True)


class Sampler(nn.Module):
    def __init__(self):
        super().__init__()
        self.locate, self.look = nn.Linear(48, 6), nn.Conv2d(3, 4, 3)

    def forward(self, x):
        theta = self.locate(x.flatten(1)[:, :48]).view(-1, 2, 3)
        ys, xs = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 12), indexing="ij")
        grid = torch.stack([xs, ys, torch.ones_like(xs)], -1).view(1, -1, 3)
        return self.look(nn.functional.grid_sample(x, (grid @ theta.transpose(1, 2)).view(-1, 12, 12, 2), align_corners=False))


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(60, 32), nn.Embedding(70, 32)
        self.t = nn.Transformer(32, 4, 2, 2, 64, batch_first=True)
        self.out = nn.Linear(32, 70)

    def forward(self, a, b):
        self.t.train()  # the fused inference kernel has no export
        for m in self.t.modules():
            if isinstance(m, nn.Dropout):
                m.p = 0.0
            if isinstance(m, nn.MultiheadAttention):
                m.dropout = 0.0
        return self.out(self.t(self.source(a), self.target(b)))


class MixedPrecision(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32)).bfloat16()
        self.norm = nn.LayerNorm(32)

    def forward(self, x):
        return self.norm(self.body(x.bfloat16()).float() + x)


class Segmented(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def models():
    t = torch.randn
    ids = torch.randint(0, 60, (2, 12))
    seg = torchvision.models.segmentation
    video = torchvision.models.video
    none = {"weights": None, "weights_backbone": None}
    yield "lstm", RecurrentStack(nn.LSTM), (t(7, 3, 24),), {"opset_version": 9}
    yield "lstm_bidirectional", RecurrentStack(nn.LSTM, 3, True), (t(7, 3, 24),), {"opset_version": 11}
    yield "lstm_dynamic_batch", RecurrentStack(nn.LSTM, 2, False, True), (t(3, 7, 24),), {
        "opset_version": 14, "input_names": ["x"], "dynamic_axes": {"x": {0: "batch", 1: "time"}}, "let": "batch=3 time=7"}
    yield "gru_bidirectional", RecurrentStack(nn.GRU, 2, True), (t(5, 2, 24),), {"opset_version": 10}
    yield "rnn", RecurrentStack(nn.RNN), (t(5, 2, 24),), {"opset_version": 13}
    yield "gru_tied_embedding", Embedded(), (ids,), {"opset_version": 12}
    yield "decoder_opset9", Decoder(), (ids,), {"opset_version": 9}
    yield "decoder_opset17", Decoder(2, False), (ids,), {"opset_version": 17}
    yield "decoder_dynamic", Decoder(), (ids,), {"opset_version": 15, "input_names": ["ids"], "let": "batch=2 sequence=12",
                                                 "dynamic_axes": {"ids": {0: "batch", 1: "sequence"}}}
    yield "blocks_folded", nn.Sequential(Block(), Block(mask=False)), (t(2, 10, 48),), {"opset_version": 14, "do_constant_folding": True}
    yield "seq2seq", Seq2Seq(), (ids, ids[:, :9]), {"opset_version": 13}
    yield "loop_cell", LoopedCell(), (t(9, 2, 16),), {"opset_version": 13, "script": True, "let": ""}
    yield "loop_growing_cache", GrowingCache(), (t(6, 16),), {"opset_version": 14, "script": True}
    yield "branch", Branch(), (t(3, 8),), {"opset_version": 11, "script": True}
    yield "unet", UNet(), (t(2, 3, 16, 16),), {"opset_version": 9}
    yield "generator", Generator(), (t(2, 20),), {"opset_version": 11}
    yield "audio", Audio(), (t(1, 1, 400),), {"opset_version": 12}
    yield "einsum", Einsums(), (t(2, 5, 16),), {"opset_version": 12}
    yield "resize", Resizer(), (t(1, 3, 20, 24),), {"opset_version": 11}
    yield "grid_sample", Sampler(), (t(2, 3, 12, 12),), {"opset_version": 16}
    yield "mixed_precision", MixedPrecision(), (t(4, 32),), {"opset_version": 14}
    yield "fcn_resnet50", Segmented(seg.fcn_resnet50(**none)), (t(1, 3, 128, 128),), {"opset_version": 11}
    yield "deeplabv3_mobilenet_v3_large", Segmented(seg.deeplabv3_mobilenet_v3_large(**none)), (t(1, 3, 128, 160),), {"opset_version": 12}
    yield "lraspp_mobilenet_v3_large", Segmented(seg.lraspp_mobilenet_v3_large(**none)), (t(1, 3, 128, 128),), {"opset_version": 14}
    stage = video.mvit.MSBlockConfig
    mvit = video.mvit.MViT((64, 64), 8, [stage(1, 16, 32, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 8, 8]), stage(2, 32, 32, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 4, 4])],
                           residual_pool=True, residual_with_cls_embed=False, rel_pos_embed=True, proj_after_attn=True, num_classes=7)
    yield "mvit_v2", mvit, (t(1, 3, 8, 64, 64),), {"opset_version": 13}
    yield "fcn_resnet101", Segmented(seg.fcn_resnet101(**none)), (t(1, 3, 64, 64),), {"opset_version": 15}
    yield "deeplabv3_resnet50", Segmented(seg.deeplabv3_resnet50(**none)), (t(1, 3, 64, 96),), {"opset_version": 17}
    yield "deeplabv3_resnet101", Segmented(seg.deeplabv3_resnet101(**none)), (t(1, 3, 64, 64),), {"opset_version": 16}
    yield "r3d_18", video.r3d_18(), (t(1, 3, 8, 56, 56),), {"opset_version": 11}
    yield "r2plus1d_18", video.r2plus1d_18(), (t(1, 3, 8, 56, 56),), {"opset_version": 13}
    yield "mc3_18", video.mc3_18(), (t(1, 3, 8, 56, 56),), {"opset_version": 9}
    yield "s3d", video.s3d(), (t(1, 3, 16, 224, 224),), {"opset_version": 15}
    flow = torchvision.models.optical_flow
    yield "raft_small", flow.raft_small(), (t(1, 3, 128, 128), t(1, 3, 128, 128)), {"opset_version": 16, "attach": True}
    yield "raft_large", flow.raft_large(), (t(1, 3, 128, 128), t(1, 3, 128, 128)), {"opset_version": 17, "attach": True}
    yield from detectors()


def detectors():
    """Detection: the boxes that survive are many as the data says, so the count of regions is given by name."""
    detection = torchvision.models.detection
    none = {"weights": None, "weights_backbone": None}
    small = {**none, "min_size": 160, "max_size": 200}
    image = ([torch.rand(3, 160, 160)],)
    plain = {"distinct": "noise", "held": True, "attach": True}
    torch.manual_seed(0)
    yield "ssd300_vgg16", detection.ssd300_vgg16(**none), ([torch.rand(3, 300, 300)],), {"opset_version": 11, **plain}
    yield "ssdlite320", detection.ssdlite320_mobilenet_v3_large(**none), ([torch.rand(3, 320, 320)],), {"opset_version": 12, **plain}
    yield "retinanet_resnet50_fpn", detection.retinanet_resnet50_fpn(**small), image, {"opset_version": 13, **plain}
    yield "retinanet_resnet50_fpn_v2", detection.retinanet_resnet50_fpn_v2(**small), image, {"opset_version": 16, **plain}
    yield "fcos_resnet50_fpn", detection.fcos_resnet50_fpn(**small), image, {"opset_version": 13, **plain}
    def two(proposals, **heads):  # what is left of the proposals, and of the detections
        rows = {f"/rpn/{proposals}_output_0.0": "roi_heads.box_head"}
        return {**plain, "rows": {**rows, **{"/roi_heads/Slice_11_output_0.0": f"roi_heads.{h}_head" for h in heads.values()}}}
    yield "fasterrcnn_mobilenet", detection.fasterrcnn_mobilenet_v3_large_320_fpn(**small), image, {"opset_version": 12, **two("Slice_9")}
    yield "fasterrcnn_resnet50", detection.fasterrcnn_resnet50_fpn(**small), image, {"opset_version": 14, **two("Slice_11")}
    yield "fasterrcnn_resnet50_v2", detection.fasterrcnn_resnet50_fpn_v2(**small), image, {"opset_version": 11, **two("Slice_11")}
    yield "maskrcnn_resnet50", detection.maskrcnn_resnet50_fpn(**small, box_detections_per_img=5), image, {"opset_version": 13, **two("Slice_11", head="mask")}
    yield "keypointrcnn_resnet50", detection.keypointrcnn_resnet50_fpn(**small, box_detections_per_img=5), image, {"opset_version": 12, **two("Slice_11", head="keypoint")}
