#!/usr/bin/python3
"""Writes graphs as exporters other than torch.onnx write them (tf2onnx, Paddle, MXNet, ONNX Runtime's fusions and
quantizers, onnxscript functions, opsets 7 to 24), with counts summed from the layers' definitions, not from the nodes.

    exporters.py OUT

writes OUT/graphs/NAME.onnx.xz and OUT/truth.csv. Backward: a layer's products once for its weight and once for its input
where something before it is learned; quantized weights are not trained, then the column is empty.
"""
import csv, lzma, os, sys

import numpy as np
from onnx import TensorProto, helper

MS = "com.microsoft"
F, I8, U8, I32, I64 = TensorProto.FLOAT, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64


class Net:
    """A graph that grows node by node, and the counts of its layers."""
    def __init__(self, opset=13, ir=8, listed=False):
        self.opset, self.ir, self.listed = opset, ir, listed
        self.nodes, self.weights, self.inputs, self.functions, self.n = [], [], [], [], 0
        self.parameters = self.forward = self.backward = 0
        self.reached = False  # something learned comes before

    def __call__(self, op, *inputs, outputs=1, domain="", **attributes):
        self.n += 1
        out = [f"{op}__{self.n}:{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), out, name=f"{op}__{self.n}", domain=domain, **attributes))
        return out[0] if outputs == 1 else out

    def given(self, name, shape, elem=F):
        self.inputs.append(helper.make_tensor_value_info(name, elem, shape))
        return name

    def held(self, shape, elem=F, name=None):
        """An initializer that is not counted as learned, its numbers left out."""
        self.n += 1
        t = TensorProto(name=name or f"w__{self.n}", data_type=elem, dims=shape)
        t.data_location = TensorProto.EXTERNAL
        self.weights.append(t)
        return t.name

    def weight(self, shape, elem=F, name=None):
        self.parameters += int(np.prod(shape))
        return self.held(shape, elem, name)

    def const(self, values, elem=I64, shape=None):
        self.n += 1
        values = list(values) if hasattr(values, "__len__") else [values]
        self.weights.append(helper.make_tensor(f"const_fold_opt__{self.n}", elem, [len(values)] if shape is None else shape, values))
        return self.weights[-1].name

    def product(self, macs, weight=True, both=False):
        """Counts a layer: macs forward; backward once for the weight, once for its input if a gradient goes on."""
        self.forward += 2 * macs
        self.backward += 2 * macs * (2 if both else int(weight) + int(self.reached))
        self.reached = self.reached or weight

    def model(self, output):
        inputs = list(self.inputs)
        if self.listed:  # IR version 3: initializers are inputs with defaults
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in self.weights]
        graph = helper.make_graph(self.nodes, "g", inputs, [helper.make_tensor_value_info(o, F, None) for o in [output]], self.weights)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(MS, 1), helper.make_opsetid("local", 1)]
        model = helper.make_model(graph, opset_imports=opsets, functions=self.functions)
        model.ir_version = self.ir
        return model


def tf2onnx_image(g):
    """Keras: NHWC, "same" padding that is not symmetric, depthwise and dilated kernels, batch norms, dense layers."""
    x = g("Transpose", g.given("input_1", ["unk__1", 30, 30, 3]), perm=[0, 3, 1, 2])
    side, c = 30, 3
    for filters, kernel, stride, groups in ((8, 3, 2, 1), (8, 3, 1, 8), (16, 1, 1, 1), (16, 5, 2, 16), (24, 1, 1, 1)):
        out = -(-side // stride)
        pad = max((out - 1) * stride + kernel - side, 0)
        w = g.weight([filters, c // groups, kernel, kernel], name=f"model/conv_{g.n}/Conv2D/ReadVariableOp:0")
        x = g("Conv", x, w, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad // 2] * 2 + [pad - pad // 2] * 2, group=groups)
        g.product(filters * c // groups * kernel * kernel * out * out)
        x = g("BatchNormalization", x, g.weight([filters]), g.weight([filters]), g.held([filters]), g.held([filters]), epsilon=1e-3)
        x = g("Clip", x, g.const(0.0, F, []), g.const(6.0, F, []))
        side, c = out, filters
    x = g("Transpose", g("GlobalAveragePool", x), perm=[0, 2, 3, 1])
    x = g("Reshape", x, g.const([-1, 24]))
    x = g("Add", g("MatMul", x, g.weight([24, 10])), g.weight([10]))
    g.product(240)
    return g("Softmax", x, axis=-1)


def tf2onnx_lstm(g):
    """Keras: time-major by transposition, both directions, the last step by a slice."""
    x = g("Transpose", g.given("x", [2, 7, 5]), perm=[1, 0, 2])
    zeros = g("Expand", g.const([0.0], F, [1, 1, 1]), g.const([2, 2, 6]))
    y = g("LSTM", x, g.weight([2, 24, 5]), g.weight([2, 24, 6]), g.weight([2, 48]), "", zeros, zeros, hidden_size=6, direction="bidirectional")
    steps = 2 * 24 * 6 * 2  # a product with the state a step, batch 2, both directions
    g.forward += 2 * (2 * 24 * 5 * 7 * 2 + 7 * steps)
    g.backward += 2 * (2 * 24 * 5 * 7 * 2 + 7 * steps + 6 * steps)  # the first state is not learned
    g.reached = True
    y = g("Reshape", g("Transpose", y, perm=[2, 0, 1, 3]), g.const([0, 0, -1]))
    y = g("Squeeze", g("Slice", y, g.const([-1]), g.const([2**31 - 1]), g.const([1])), g.const([1]))
    g.product(2 * 12 * 3)
    return g("Gemm", y, g.weight([12, 3]), g.weight([3]))


def gemm_transposed(g):
    x = g.given("x", [6, 4])
    y = g("Gemm", x, g.weight([5, 6]), g.weight([5]), transA=1, transB=1)
    g.product(4 * 6 * 5)
    y = g("Gemm", g.weight([5, 7]), y, transA=1, transB=1)  # the weight on the left
    g.product(7 * 5 * 4)
    return y


def paddle(g):
    """Weights are Constant nodes."""
    def constant(shape):
        g.parameters += int(np.prod(shape))
        return g("Constant", value=helper.make_tensor("", F, shape, np.full(shape, 0.5, np.float32).flatten()))
    x = g("Conv", g.given("x", [1, 3, 8, 8]), constant([6, 3, 3, 3]), kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    g.product(6 * 27 * 16)
    x = g("Add", x, g("Reshape", constant([6]), g("Constant", value=helper.make_tensor("", I64, [4], [1, 6, 1, 1]))))
    x = g("MatMul", g("Flatten", g("Relu", x), axis=1), constant([96, 4]))
    g.product(96 * 4)
    return g("Add", x, constant([4]))


def mxnet_opset7(g):
    """IR 3: weights listed as inputs; sizes by attributes; scales of Upsample by attribute; Dropout with a mask."""
    x = g.given("data", [2, 4, 9, 9])
    x = g("BatchNormalization", x, g.weight([4], name="bn_gamma"), g.weight([4], name="bn_beta"), g.held([4], name="bn_moving_mean"), g.held([4], name="bn_moving_var"))
    g.reached = True
    x = g("Conv", g("Pad", x, pads=[0, 0, 1, 1, 0, 0, 1, 1]), g.weight([8, 4, 3, 3], name="conv0_weight"), g.weight([8], name="conv0_bias"), kernel_shape=[3, 3])
    g.product(2 * 8 * 36 * 81)
    x = g("Upsample", g("MaxPool", x, kernel_shape=[3, 3], strides=[3, 3]), mode="nearest", scales=[1.0, 1.0, 2.0, 2.0])
    x = g("Slice", x, axes=[2, 3], starts=[0, 1], ends=[5, -1])
    x = g("Dropout", g("Clip", x, min=0.0, max=1.0), ratio=0.5, outputs=2)[0]
    x = g("Gemm", g("Flatten", x), g.weight([3, 8 * 5 * 4], name="fc_weight"), g.weight([3], name="fc_bias"), transB=1)
    g.product(2 * 3 * 160)
    return g("Squeeze", g("Unsqueeze", x, axes=[0]), axes=[0])


def quantized_operators(g):
    """QLinearConv, QLinearAdd, QLinearGlobalAveragePool, QLinearMatMul; and ConvInteger and MatMulInteger after a dynamic step."""
    s, z, zi = g.const(0.1, F, []), g.const(0, U8, []), g.const(0, I8, [])
    x = g("QuantizeLinear", g.given("x", [2, 3, 8, 8]), s, z)
    a = g("QLinearConv", x, s, z, g.weight([6, 3, 3, 3], I8), s, zi, s, z, g.weight([6], I32), pads=[1] * 4)
    b = g("QLinearConv", a, s, z, g.weight([6, 6, 1, 1], I8), s, zi, s, z)
    g.forward += 2 * (2 * 6 * 27 * 64 + 2 * 36 * 64)
    c = g("QLinearAdd", a, s, z, b, s, z, s, z, domain=MS)
    p = g("QLinearGlobalAveragePool", c, s, z, s, z, domain=MS)
    p = g("Flatten", p)
    y = g("DequantizeLinear", g("QLinearMatMul", p, s, z, g.weight([6, 5], I8), s, zi, s, z), s, z)
    q, scale, zero = g("DynamicQuantizeLinear", y, outputs=3)
    y = g("Cast", g("MatMulInteger", q, g.weight([5, 4], I8), zero, zi), to=F)
    d, _, zero = g("DynamicQuantizeLinear", g("Reshape", g("Mul", y, scale), g.const([2, 1, 2, 2])), outputs=3)
    g.forward += 2 * (2 * 30 + 2 * 20 + 2 * 3 * 4)
    g.backward = ""
    return g("Cast", g("ConvInteger", d, g.weight([3, 1, 1, 1], I8), zero, zi), to=F)


def quantize_dequantize(g):
    """Float kernels between pairs, weights stored in 8 and (opset 21) 4 bits, by channel and by block."""
    s, z = g.const(0.1, F, []), g.const(0, I8, [])
    def pair(x):
        return g("DequantizeLinear", g("QuantizeLinear", x, s, z), s, z)
    x = g("Conv", pair(g.given("x", [1, 4, 6, 6])), g("DequantizeLinear", g.weight([8, 4, 3, 3], I8), g.held([8]), g.held([8], I8), axis=0), g("DequantizeLinear", g.weight([8], I32), g.held([8])))
    x = g("Gemm", pair(g("Flatten", g("Relu", x))), g("DequantizeLinear", g.weight([6, 128], I8), g.held([6]), axis=0), transB=1)
    x = g("MatMul", x, g("DequantizeLinear", g.weight([6, 8], 22), g.held([3, 8]), g.held([3, 8], 22), axis=0, block_size=2))
    g.forward = 2 * (8 * 36 * 16 + 128 * 6 + 48)
    g.backward = ""
    return x


def runtime_bert(g, width=16, heads=4, b=2, s=6):
    ids = g.given("ids", [b, s], I32)
    x, _ = g("EmbedLayerNormalization", ids, g.given("segments", [b, s], I32), g.weight([50, width]), g.weight([12, width]), g.weight([2, width]), g.weight([width]), g.weight([width]),
             outputs=2, domain=MS)
    g.reached = True
    for last in (False, True):
        a = g("Attention", x, g.weight([width, 3 * width]), g.weight([3 * width]), g.given(f"mask{last}", [b, s], I32), num_heads=heads, domain=MS)
        g.product(b * s * width * 3 * width)
        g.product(2 * b * s * s * width, both=True)
        y = g("MatMul", a, g.weight([width, width]))
        g.product(b * s * width * width)
        x = g("SkipLayerNormalization", y, x, g.weight([width]), g.weight([width]), g.weight([width]), domain=MS)
        h = g("MatMul", x, g.weight([width, 4 * width]))
        h = g("BiasGelu" if last else "FastGelu", h, g.weight([4 * width]), domain=MS)
        y = g("MatMul", h, g.weight([4 * width, width]))
        g.product(2 * b * s * width * 4 * width)
        x = g("SkipLayerNormalization", x, y, g.weight([width]), g.weight([width]), g.weight([width]), domain=MS)
    y = g("FusedMatMul", x, g.weight([50, width]), transB=1, alpha=0.5, domain=MS)
    g.product(b * s * width * 50)
    return y


def runtime_gpt2_past(g, width=16, heads=4, b=2, s=3, past=5):
    x = g("Gather", g.weight([40, width]), g.given("ids", [b, s], I64))
    g.reached = True
    x = g("LayerNormalization", x, g.weight([width]), g.weight([width]))
    a, _ = g("Attention", x, g.weight([width, 3 * width]), g.weight([3 * width]), "", g.given("past_0", [2, b, heads, past, width // heads]), num_heads=heads, unidirectional=1, outputs=2, domain=MS)
    g.product(b * s * 3 * width * width)
    g.product(2 * b * s * (s + past) * width, both=True)
    y = g("FusedGemm", g("Reshape", a, g.const([-1, width])), g.weight([width, 12]), g.weight([12]), activation="Relu", domain=MS)
    g.product(b * s * width * 12)
    return y


def runtime_llama(g, width=24, heads=6, kv=2, b=2, s=5, past=4, packed=False, bits=0):
    d = width // heads

    def linear(x, i, o):
        if bits:
            blocks = i // 16 if i >= 16 else 1
            packed_weight = g.held([o, blocks, 16 * bits // 8], U8)
            g.parameters += i * o
            g.forward += 2 * b * s * i * o
            return g("MatMulNBits", x, packed_weight, g.held([o * blocks]), K=i, N=o, bits=bits, block_size=16, domain=MS)
        g.product(b * s * i * o)
        return g("MatMul", x, g.weight([i, o]))

    x = g("Gather", g.weight([64, width]), g.given("ids", [b, s], I64))
    g.reached = True
    h = g("SimplifiedLayerNormalization", x, g.weight([width]), axis=-1)
    cache = [g.given(f"past.{n}", [b, kv, past, d]) for n in ("key", "value")]
    tail = [g.given("seqlens_k", [b], I32), g.given("total", [], I32), g.held([64, d // 2], name="cos_cache"), g.held([64, d // 2], name="sin_cache")]
    if packed:
        qkv = [linear(h, width, (heads + 2 * kv) * d), "", ""]
    else:
        qkv = [linear(h, width, heads * d), linear(h, width, kv * d), linear(h, width, kv * d)]
    y, _, _ = g("GroupQueryAttention", *qkv, *cache, *tail, num_heads=heads, kv_num_heads=kv, do_rotary=1, outputs=3, domain=MS)
    g.product(2 * b * s * (s + past) * width, both=True)
    y = linear(y, width, width)
    y, _, _, x = g("SkipSimplifiedLayerNormalization", x, y, g.weight([width]), outputs=4, domain=MS)
    y = g("Mul", g("QuickGelu", linear(y, width, 32), domain=MS), linear(y, width, 32))
    y = linear(y, 32, width)
    if bits:
        g.backward = ""
    return g("Add", x, y)


def runtime_unet(g, c=16, heads=4, b=2, side=8, text=3):
    """Stable Diffusion's fused block: channels last, group norms with skips, packed attention, a gated GELU."""
    x = g("Transpose", g.given("sample", [b, 4, side, side]), perm=[0, 2, 3, 1])
    x = g("NhwcConv", x, g.weight([c, 4, 3, 3]), g.weight([c]), pads=[1] * 4, domain=MS)
    g.product(b * c * 36 * side * side)
    y = g("GroupNorm", x, g.weight([c]), g.weight([c]), activation=1, groups=4, domain=MS)
    y = g("NhwcConv", y, g.weight([c, c, 3, 3]), g.weight([c]), pads=[1] * 4, strides=[2, 2], domain=MS)
    n = side * side // 4
    g.product(b * c * c * 9 * n)
    y, s = g("SkipGroupNorm", y, g.weight([c]), g.weight([c]), g.given("skip", [b, side // 2, side // 2, c]), activation=0, groups=4, outputs=2, domain=MS)
    h = g("Reshape", y, g.const([0, -1, c]))
    qkv = g("Reshape", g("MatMul", h, g.weight([c, 3 * c])), g.const([0, 0, heads, 3, c // heads]))
    g.product(b * n * c * 3 * c)
    h = g("MultiHeadAttention", qkv, num_heads=heads, domain=MS)
    g.product(2 * b * n * n * c, both=True)
    kv = g("Reshape", g("MatMul", g.given("text", [b, text, 6]), g.weight([6, 2 * c])), g.const([0, 0, heads, 2, c // heads]))
    g.forward += 2 * b * text * 12 * c
    g.backward += 2 * b * text * 12 * c  # the text is given
    q = g("MatMul", h, g.weight([c, c]))
    g.product(b * n * c * c)
    h = g("MultiHeadAttention", q, kv, num_heads=heads, domain=MS)
    g.product(2 * b * n * text * c, both=True)
    h = g("BiasSplitGelu", g("MatMul", h, g.weight([c, 8 * c])), g.weight([8 * c]), domain=MS)
    g.product(b * n * c * 8 * c)
    h = g("BiasAdd", g("MatMul", h, g.weight([4 * c, c])), g.weight([c]), g("Reshape", s, g.const([0, -1, c])), domain=MS)
    g.product(b * n * c * 4 * c)
    return h


def runtime_experts(g, width=8, hidden=12, experts=4, k=2, tokens=10):
    x = g("Add", g.given("x", [tokens, width]), g.weight([width]))
    g.reached = True
    r = g("Gemm", x, g.weight([width, experts]))
    g.product(tokens * width * experts)
    y = g("MoE", x, r, g.weight([experts, hidden, width]), g.weight([experts, hidden]), g.weight([experts, width, hidden]), g.weight([experts, width]),
          g.weight([experts, hidden, width]), k=k, activation_type="silu", domain=MS)
    g.product(3 * tokens * k * width * hidden)
    return y


def standard_llama(g, width=24, heads=6, kv=2, b=2, s=5, past=4):
    """Opset 23 and later: RMSNormalization, RotaryEmbedding, Attention with a cache, Swish."""
    d = width // heads
    x = g("Gather", g.weight([64, width]), g.given("ids", [b, s], I64))
    g.reached = True
    h = g("RMSNormalization", x, g.weight([width]), axis=-1)
    q, k, v = (g("MatMul", h, g.weight([width, n * d])) for n in (heads, kv, kv))
    g.product(b * s * width * (heads + 2 * kv) * d)
    caches = [g.held([b, s, d // 2], name=n) for n in ("cos_cached", "sin_cached")]
    q, k = (g("RotaryEmbedding", t, *caches, num_heads=n) for t, n in ((q, heads), (k, kv)))
    y, _, _ = g("Attention", q, k, v, "", *(g.given(f"past.{n}", [b, kv, past, d]) for n in ("key", "value")), is_causal=1, q_num_heads=heads, kv_num_heads=kv, outputs=3)
    g.product(2 * b * s * (s + past) * width, both=True)
    x = g("Add", x, g("MatMul", y, g.weight([width, width])))
    g.product(b * s * width * width)
    a, c = g("Split", g("MatMul", x, g.weight([width, 64])), axis=-1, num_outputs=2, outputs=2)
    g.product(b * s * width * 64)
    y = g("MatMul", g("Mul", g("Swish", a), c), g.weight([32, width]))
    g.product(b * s * width * 32)
    return y


def axes_as_inputs(g):
    """Opset 18 and later: axes of reductions are inputs, Split by number with a smaller rest, GroupNormalization by channel (21)."""
    x = g("Conv", g.given("x", [2, 3, 9, 9]), g.weight([8, 3, 3, 3]), pads=[1] * 4)
    g.product(2 * 8 * 27 * 81)
    x = g("GroupNormalization", x, g.weight([8]), g.weight([8]), num_groups=2)
    parts = g("Split", x, axis=1, num_outputs=3, outputs=3)  # 3, 3, 2
    x = g("Concat", parts[2], parts[0], axis=1)
    mean = g("ReduceMean", x, g.const([2, 3]), keepdims=1)
    x = g("Sqrt", g("ReduceSum", g("Pow", g("Sub", x, mean), g.const(2.0, F, [])), g.const([-1]), keepdims=0))
    x = g("Reshape", g("ReduceMax", x, g.const([2]), keepdims=0), g.const([0, -1]), allowzero=0)
    y = g("Gelu", g("Gemm", x, g.weight([5, 4])), approximate="tanh")
    g.product(2 * 20)
    return g("Pad", y, g.const([1, 2]), "", g.const([-1]))


def script_functions(g):
    """onnxscript: operators wrapped in local functions that call one another; an attribute passed on by reference."""
    def function(name, inputs, nodes, attributes=()):
        g.functions.append(helper.make_function("local", name, inputs, ["out"], nodes, [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)], list(attributes)))
    flatten = helper.make_node("Flatten", ["x"], ["f"])
    attribute = flatten.attribute.add()
    attribute.name, attribute.ref_attr_name, attribute.type = "axis", "start", 2
    function("aten_flatten", ["x", "unused"], [flatten, helper.make_node("Identity", ["f"], ["out"])], ["start"])
    function("aten_t", ["x"], [helper.make_node("Transpose", ["x"], ["out"], perm=[1, 0])])
    function("aten_linear", ["x", "w", "b"], [helper.make_node("aten_t", ["w"], ["t"], domain="local"), helper.make_node("MatMul", ["x", "t"], ["y"]), helper.make_node("Add", ["y", "b"], ["out"])])
    x = g("aten_flatten", g.given("x", [2, 3, 4, 5]), "", start=2, domain="local")
    x = g("aten_linear", x, g.weight([7, 20], name="fc1.weight"), g.weight([7], name="fc1.bias"), domain="local")
    g.product(6 * 20 * 7)
    w, b = g.weight([7, 7], name="fc2.weight"), g.weight([7], name="fc2.bias")
    for _ in range(2):  # one layer, called twice
        x = g("aten_linear", x, w, b, domain="local")
        g.product(6 * 49)
    return x


def scanned(g, steps=5, width=4):
    """A recurrent cell as a Scan and again as a Loop with a constant trip count."""
    w, u, v = g.weight([3, width]), g.weight([width, width]), g.weight([width, width])
    info = helper.make_tensor_value_info
    cell = [helper.make_node("MatMul", ["x", w], ["a"]), helper.make_node("MatMul", ["h", u], ["b"]), helper.make_node("Add", ["a", "b"], ["c"]), helper.make_node("Tanh", ["c"], ["h2"]), helper.make_node("Identity", ["h2"], ["y"])]
    body = helper.make_graph(cell, "cell", [info("h", F, [2, width]), info("x", F, [2, 3])], [info("h2", F, [2, width]), info("y", F, [2, width])])
    zero = g("ConstantOfShape", g.const([2, width]))
    last, _ = g("Scan", zero, g.given("x", [steps, 2, 3]), body=body, num_scan_inputs=1, outputs=2)
    cell, state = 2 * 3 * width, 2 * width * width
    g.forward += 2 * steps * (cell + state)
    g.backward += 2 * (steps * cell + steps * state + (steps - 1) * state)
    inner = helper.make_graph([helper.make_node("MatMul", ["s", v], ["s2"]), helper.make_node("Identity", ["go"], ["go2"])], "loop",
                              [info("i", I64, []), info("go", TensorProto.BOOL, []), info("s", F, [2, width])], [info("go2", TensorProto.BOOL, []), info("s2", F, [2, width])])
    out = g("Loop", g.const(3, I64, []), g.const(1, TensorProto.BOOL, []), last, body=inner)
    g.forward += 2 * 3 * state
    g.backward += 2 * 3 * 2 * state
    return out


def states(g, b=2, t=6, heads=4, kv=2, d=4):
    """Opset 27: causal convolution and linear attention with a carried state, SwiGLU (28)."""
    c = (heads + 2 * kv) * d
    x = g("MatMul", g.given("x", [b, t, 8]), g.weight([8, c]))
    g.product(b * t * 8 * c)
    x, _ = g("CausalConvWithState", g("Transpose", x, perm=[0, 2, 1]), g.weight([c, 1, 4]), g.weight([c]), activation="silu", outputs=2)
    g.product(b * t * c * 4)
    q, k, v = g("Split", g("Transpose", x, perm=[0, 2, 1]), g.const([heads * d, kv * d, kv * d]), axis=2, outputs=3)
    y, _ = g("LinearAttention", q, k, v, "", "", g.given("beta", [b, t, kv]), q_num_heads=heads, kv_num_heads=kv, update_rule="delta", outputs=2)
    g.product(b * t * d * d * (kv + kv + heads), both=True)  # add to the state, read it with the key, with the query
    y = g("SwiGLU", *(g("MatMul", y, g.weight([heads * d, 6])) for _ in range(2)))
    g.product(2 * b * t * heads * d * 6)
    return y


def folded(g, tied=True):
    """torch.onnx with constants folded: the output matrix is written again, transposed, under a made name."""
    table = np.arange(160, dtype=np.float32).reshape(20, 8) / 7
    output = table.T if tied else table.T + 1
    for name, numbers in (("embed.weight", table), ("onnx::MatMul_31", output)):
        numbers = np.ascontiguousarray(numbers)
        g.weights.append(TensorProto(name=name, data_type=F, dims=numbers.shape, raw_data=numbers.tobytes()))
    g.parameters += 160 * (1 if tied else 2)
    g.reached = True
    x = g("Gather", "embed.weight", g.given("ids", [2, 5], I64))
    g.product(2 * 5 * 8 * 20)
    return g("MatMul", x, "onnx::MatMul_31")


def networks():
    yield "tf2onnx_image", tf2onnx_image, Net(13), "unk__1=1", {}
    yield "tf2onnx_lstm", tf2onnx_lstm, Net(14), "", {}
    yield "gemm_transposed", gemm_transposed, Net(11), "", {}
    yield "paddle_constants", paddle, Net(11), "", {}
    yield "mxnet_opset7", mxnet_opset7, Net(7, 3, listed=True), "", {}
    yield "quantized_operators", quantized_operators, Net(13), "", {}
    yield "quantize_dequantize", quantize_dequantize, Net(21, 10), "", {}
    yield "runtime_bert", runtime_bert, Net(14), "", {}
    yield "runtime_gpt2_past", runtime_gpt2_past, Net(17), "", {}
    yield "runtime_llama", runtime_llama, Net(16), "", {}
    yield "runtime_llama_packed", runtime_llama, Net(18), "", {"packed": True}
    yield "runtime_llama_4bit", runtime_llama, Net(18), "", {"bits": 4}
    yield "runtime_unet", runtime_unet, Net(17), "", {}
    yield "runtime_experts", runtime_experts, Net(18), "", {}
    yield "standard_llama", standard_llama, Net(24, 11), "", {}
    yield "axes_as_inputs", axes_as_inputs, Net(21, 10), "", {}
    yield "script_functions", script_functions, Net(18), "", {}
    yield "scan_and_loop", scanned, Net(16), "", {}
    yield "folded_tied", folded, Net(14), "", {}
    yield "folded_untied", folded, Net(14), "", {"tied": False}
    yield "states_opset28", states, Net(28, 13), "", {}
    import exporters_nodes
    yield from exporters_nodes.networks()


def main():
    out = sys.argv[1]
    os.makedirs(os.path.join(out, "graphs"), exist_ok=True)
    with open(os.path.join(out, "truth.csv"), "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["model", "input", "opset", "let", "parameters", "forward_flop", "backward_flop"])
        for name, build, g, let, options in sorted(networks(), key=lambda row: row[0]):
            model = g.model(build(g, **options))
            with lzma.open(os.path.join(out, "graphs", name + ".onnx.xz"), "wb", preset=9 | lzma.PRESET_EXTREME) as file:
                file.write(model.SerializeToString())
            dims = g.inputs[0].type.tensor_type.shape.dim
            writer.writerow([name, "x".join(str(d.dim_value or d.dim_param) for d in dims), g.opset, let, g.parameters, g.forward, g.backward])


if __name__ == "__main__":
    main()
