"""More graphs of exporters.py: operators and attributes that its networks leave out, one or two a graph."""
from exporters import F, I8, U8, I64, Net
import numpy as np


def deform_conv(g):
    x = g.given("x", [1, 4, 10, 10])
    w = g.weight([6, 2, 3, 3])
    off = g.given("off", [1, 18, 8, 8])
    b = g.weight([6])
    y = g("DeformConv", x, w, off, b, kernel_shape=[3, 3], group=2)
    g.product(8*8*6*2*9)
    return y


def attention23(g):
    q = g.given("q", [2, 5, 24])
    k = g.given("k", [2, 7, 12])
    v = g.given("v", [2, 7, 12])
    wq = g.weight([24, 24])
    qq = g("MatMul", q, wq)
    g.product(2*5*24*24)
    y = g("Attention", qq, k, v, q_num_heads=4, kv_num_heads=2)
    g.forward += 2 * (2*4*5*7*6) * 2
    g.backward += 2 * (2 * (2*4*5*7*6))  # keys and values are given: gradients of the probabilities and of the queries
    return y


def rms_rotary(g):
    x = g.given("x", [1, 6, 16])
    w = g.weight([16])
    y = g("RMSNormalization", x, w, axis=-1)
    g.reached = True
    m = g.weight([16, 8])
    z = g("MatMul", y, m)
    g.product(6*16*8)
    return z


def group_norm21(g):
    x = g.given("x", [2, 8, 5, 5])
    s, b = g.weight([8]), g.weight([8])
    y = g("GroupNormalization", x, s, b, num_groups=4)
    g.reached = True
    w = g.weight([3, 8, 1, 1])
    y = g("Conv", y, w)
    g.product(2*25*3*8)
    return y


def conv_integer(g):
    x = g.given("x", [1, 3, 9, 9], U8)
    w = g.held([4, 3, 3, 3], I8)
    g.parameters += 4*27
    y = g("ConvInteger", x, w, pads=[1, 1, 1, 1], strides=[2, 2])
    g.forward += 2*25*4*27
    return g("Cast", y, to=F)


def matmul_integer_dyn(g):
    x = g.given("x", [3, 10])
    q, s, z = g("DynamicQuantizeLinear", x, outputs=3)
    w = g.held([10, 6], I8)
    g.parameters += 60
    zp = g.held([6], I8)
    y = g("MatMulInteger", q, w, z, zp)
    g.forward += 2*3*60
    return g("Mul", g("Cast", y, to=F), s)


def auto_pad(g):
    x = g.given("x", [1, 2, 15, 11])
    w = g.weight([5, 2, 4, 3])
    y = g("Conv", x, w, auto_pad="SAME_LOWER", strides=[3, 2])
    g.product(5*6*5*2*12)
    w2 = g.weight([5, 3, 2, 2])
    z = g("ConvTranspose", y, w2, auto_pad="SAME_UPPER", strides=[2, 2])
    g.product(5*6*5*3*4)
    w3 = g.weight([1, 3, 3, 3])
    u = g("Conv", z, w3, auto_pad="VALID", dilations=[2, 2])
    g.product((10-4)*(12-4)*27)
    return u


def conv_transpose_output_shape(g):
    x = g.given("x", [1, 3, 5, 5])
    w = g.weight([3, 4, 3, 3])
    y = g("ConvTranspose", x, w, strides=[2, 2], output_shape=[10, 10])
    g.product(25*3*4*9)
    w2 = g.weight([2, 4, 1, 1])
    y = g("Conv", y, w2)
    g.product(100*8)
    return y


def gemm_alpha_no_c(g):
    x = g.given("x", [7, 4])
    w = g.weight([7, 5])
    y = g("Gemm", x, w, transA=1, alpha=0.5)
    g.product(4*7*5)
    return y


def matmul_broadcast(g):
    x = g.given("x", [5, 1, 4, 6])
    w = g.weight([3, 6, 2])
    y = g("MatMul", x, w)
    g.product(5*3*4*6*2)
    v = g.weight([2])
    z = g("MatMul", y, v)
    g.product(5*3*4*2)
    return z


def vector_left(g):
    x = g.given("x", [6])
    w = g.weight([4, 6, 3])
    y = g("MatMul", x, w)
    g.product(4*6*3)
    return y


def einsum_ellipsis(g):
    x = g.given("x", [2, 3, 4, 5])
    w = g.weight([5, 3, 7])
    y = g("Einsum", x, w, equation="bhnd,dhe->bnhe")
    g.product(2*3*4*5*7)
    return y


def einsum_trace_sum(g):
    x = g.given("x", [4, 4, 6])
    w = g.weight([6, 3])
    y = g("Einsum", x, w, equation="iij,jk->k")
    g.product(6*3)
    return y


def col2im_reduce18(g):
    x = g.given("x", [1, 4*4, 9])
    w = g.weight([16, 16])
    y = g("MatMul", w, x)
    g.product(16*16*9)
    z = g("Col2Im", y, g.const([6, 6]), g.const([2, 2]), strides=[2, 2])
    r = g("ReduceMean", z, g.const([2, 3]), keepdims=0)
    w2 = g.weight([4, 3])
    u = g("MatMul", r, w2)
    g.product(12)
    return u


def scatter_gather_moe(g):
    x = g.given("x", [6, 4])
    i = g.const([0, 2, 5])
    y = g("Gather", x, i)
    w = g.weight([4, 4])
    z = g("MatMul", y, w)
    g.product(3*16)
    u = g("ScatterND", x, g.const([0, 2, 5], I64, [3, 1]), z)
    w2 = g.weight([4, 2])
    v = g("MatMul", u, w2)
    g.product(6*8)
    return v


def resize_crop(g):
    x = g.given("x", [1, 3, 7, 9])
    y = g("Resize", x, "", g.const([1., 1., 2.5, 1.5], F))
    w = g.weight([2, 3, 1, 1])
    z = g("Conv", y, w)
    g.product(17*13*6)
    return z


def upsample9(g):
    x = g.given("x", [1, 3, 7, 9])
    y = g("Upsample", x, g.const([1., 1., 2., 3.], F))
    w = g.weight([2, 3, 1, 1])
    z = g("Conv", y, w)
    g.product(14*27*6)
    return z


def maxpool_ceil(g):
    x = g.given("x", [1, 3, 14, 11])
    y = g("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    w = g.weight([2, 3, 1, 1])
    z = g("Conv", y, w)
    g.product(7*5*6)
    return z


def bn_training(g):
    x = g.given("x", [4, 3, 6, 6])
    w = g.weight([5, 3, 3, 3])
    y = g("Conv", x, w)
    g.product(4*16*5*27)
    s, b = g.weight([5]), g.weight([5])
    m, v = g.held([5]), g.held([5])
    y, _, _ = g("BatchNormalization", y, s, b, m, v, outputs=3, training_mode=1)
    w2 = g.weight([2, 5, 1, 1])
    z = g("Conv", y, w2)
    g.product(4*16*10)
    return z


def networks():
    yield "deform_conv", deform_conv, Net(19), "", {}
    yield "attention23", attention23, Net(23), "", {}
    yield "rms_rotary", rms_rotary, Net(22), "", {}
    yield "group_norm21", group_norm21, Net(21), "", {}
    yield "conv_integer", conv_integer, Net(13), "", {}
    yield "matmul_integer_dyn", matmul_integer_dyn, Net(13), "", {}
    yield "auto_pad", auto_pad, Net(13), "", {}
    yield "conv_transpose_output_shape", conv_transpose_output_shape, Net(13), "", {}
    yield "gemm_alpha_no_c", gemm_alpha_no_c, Net(13), "", {}
    yield "matmul_broadcast", matmul_broadcast, Net(13), "", {}
    yield "vector_left", vector_left, Net(13), "", {}
    yield "einsum_ellipsis", einsum_ellipsis, Net(12), "", {}
    yield "einsum_trace_sum", einsum_trace_sum, Net(12), "", {}
    yield "col2im_reduce18", col2im_reduce18, Net(18), "", {}
    yield "scatter_gather_moe", scatter_gather_moe, Net(13), "", {}
    yield "resize_crop", resize_crop, Net(11), "", {}
    yield "upsample9", upsample9, Net(9), "", {}
    yield "maxpool_ceil", maxpool_ceil, Net(13), "", {}
    yield "bn_training", bn_training, Net(14), "", {}
