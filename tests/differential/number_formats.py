#!/usr/bin/env python3
"""Oracle for fp16 and bf16: what PyTorch makes of every code and of a million fp32 patterns, as one hash per question.

Writes number_formats.csv beside itself; tests/unit/numerics/format_oracle_test.cpp asks floptally the same questions.
The hash is FNV-1a over 32-bit words (h = (h ^ word) * 1099511628211 mod 2^64); every NaN counts as the word 0x7fc00000.
"""
import pathlib
import numpy, torch

PRIME, START, MASK = 1099511628211, 14695981039346656037, (1 << 64) - 1


def fnv(words):
    h = START
    for w in words.tolist():
        h = ((h ^ w) * PRIME) & MASK
    return h


def words_of(values):  # fp32 tensor -> uint32 patterns, NaN canonical
    array = values.numpy()
    return numpy.where(numpy.isnan(array), numpy.uint32(0x7FC00000), array.view(numpy.uint32))


rows = []
for name, dtype in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
    codes = torch.arange(65536, dtype=torch.int32).to(torch.int16)
    decoded = codes.view(dtype).to(torch.float32)
    rows.append((name, "decode-all", 65536, fnv(words_of(decoded))))
    patterns = ((numpy.arange(1 << 20, dtype=numpy.uint64) * 2654435761) & 0xFFFFFFFF).astype(numpy.uint32)
    inputs = torch.from_numpy(patterns.view(numpy.float32))
    rows.append((name, "encode-weyl", 1 << 20, fnv(words_of(inputs.to(dtype).to(torch.float32)))))
    top = 0x7C00 if name == "fp16" else 0x7F80
    finite = torch.arange(top, dtype=torch.int32).to(torch.int16).view(dtype).to(torch.float64)
    halfway = ((finite[1:] + finite[:-1]) / 2).to(torch.float32)
    rows.append((name, "encode-halfway", len(halfway), fnv(words_of(halfway.to(dtype).to(torch.float32)))))
target = pathlib.Path(__file__).with_suffix(".csv")
with target.open("w") as out:
    out.write("format,question,values,hash,oracle\n")
    for row in rows:
        out.write(",".join(map(str, row)) + f",torch {torch.__version__}\n")
