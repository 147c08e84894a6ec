#!/usr/bin/python3
"""Infers the shapes of an ONNX graph with libonnx's C++ (python3-onnx) and prints what that alone took: imports, reading the
file and turning it into bytes again are not counted.

    onnx_shapes.py FILE"""
import sys, time

import onnx
import onnx.shape_inference

with open(sys.argv[1], "rb") as f:
    model = f.read()
begin = time.perf_counter()
onnx.shape_inference.C.infer_shapes(model)
print(f"alone {1e3 * (time.perf_counter() - begin):.1f} ms")
