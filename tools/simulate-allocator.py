#!/usr/bin/env python3
"""What PyTorch's caching allocator reserves over what a fine-tuning run allocates, with lengths alike and with lengths that vary.

usage: tools/simulate-allocator.py [--check]

Runs the allocator's rules (c10/cuda/CUDACachingAllocator.cpp: sizes rounded to 512 bytes; from 1 MiB on the smallest cached
block that is large enough, split where more than 1 MiB is left; else a segment of 20 MiB, or of the size in steps of 2 MiB
from 10 MiB on; neighbours merge when both are free; nothing is given back) over the tensors of a LoRA run with full
recomputation: what a layer makes, the logits, their loss and its gradients. Lengths are those of a text data set (log-normal,
mean 3,234, deviation 2,548 tokens: the Fudan news that ms-swift's benchmark trains on); longer samples than the limit are
dropped. Prints, for three shapes and five limits, reserved over allocated memory of what comes and goes within a step, and
writes data/training/allocator.csv: the median where lengths vary, and the least and most. Nothing is read off measured memory.
--check only compares, and exits 1 where the file would change.
"""
import bisect
import math
import pathlib
import random
import statistics
import sys

MIB = 1 << 20
SHAPES = {  # hidden, feed-forward, keys and values, vocabulary, layers
    "7B, vocabulary 36,600": (4096, 14336, 1024, 36600, 32),
    "7B, vocabulary 151,936": (4096, 11008, 4096, 151936, 32),
    "34B, vocabulary 64,000": (7168, 20480, 1024, 64000, 60),
}
MEAN, DEVIATION = 3234, 2548
LIMITS = (512, 1024, 2048, 4096, 8192)
STEPS = 100


class Block:
    __slots__ = ("address", "size", "free", "before", "after")

    def __init__(self, address, size):
        self.address, self.size, self.free, self.before, self.after = address, size, False, None, None


class Allocator:
    """Blocks of 1 MiB and more; smaller tensors are left out."""

    def __init__(self):
        self.reserved = self.held = self.peak = self.end = 0
        self.cache, self.blocks = [], {}  # (size, address) of free blocks, in order; blocks by address

    def take(self, size):
        size = max(512, -(-size // 512) * 512)
        if size <= MIB:
            return None
        at = bisect.bisect_left(self.cache, (size, -1))
        if at < len(self.cache):
            block = self.blocks[self.cache.pop(at)[1]]
        else:
            whole = 20 * MIB if size < 10 * MIB else -(-size // (2 * MIB)) * 2 * MIB
            block = self.blocks[self.end] = Block(self.end, whole)
            self.end += whole + MIB  # segments are no neighbours
            self.reserved += whole
        block.free = False
        if block.size - size > MIB:
            rest = self.blocks[block.address + size] = Block(block.address + size, block.size - size)
            rest.free, rest.before, rest.after = True, block, block.after
            if block.after:
                block.after.before = rest
            block.after, block.size = rest, size
            bisect.insort(self.cache, (rest.size, rest.address))
        self.held += block.size
        self.peak = max(self.peak, self.held)
        return block

    def uncache(self, block):
        self.cache.pop(bisect.bisect_left(self.cache, (block.size, block.address)))

    def join(self, left, right):
        left.size += right.size
        left.after = right.after
        if right.after:
            right.after.before = left
        del self.blocks[right.address]

    def give(self, *blocks):
        for block in filter(None, blocks):
            self.held -= block.size
            block.free = True
            if block.after and block.after.free:
                self.uncache(block.after)
                self.join(block, block.after)
            if block.before and block.before.free:
                self.uncache(block.before)
                block = block.before
                self.join(block, block.after)
            bisect.insort(self.cache, (block.size, block.address))


def layer(memory, tokens, shape, keep):
    """One gated layer in 16 bits with norms in fp32: its output, and what its backward pass needs."""
    hidden, ffn, keys, _, _ = shape
    take, give, kept = memory.take, memory.give, []

    def done(*blocks):
        kept.extend(blocks) if keep else give(*blocks)

    def norm():
        wide = take(tokens * hidden * 4)
        give(take(tokens * hidden * 4))
        scaled, out = take(tokens * hidden * 4), take(tokens * hidden * 2)
        return wide, scaled, out

    first = norm()
    query, key, value = take(tokens * hidden * 2), take(tokens * keys * 2), take(tokens * keys * 2)
    turned_query, turned_key = take(tokens * hidden * 2), take(tokens * keys * 2)
    give(query, key)
    repeated = [take(tokens * hidden * 2) for _ in range(2 if keys < hidden else 0)]
    attended = take(tokens * hidden * 2)
    projected, stream = take(tokens * hidden * 2), take(tokens * hidden * 2)
    give(projected)
    done(*first, turned_query, turned_key, value, *repeated, attended)
    second = norm()
    inner = [take(tokens * ffn * 2) for _ in range(4)]  # gate, up, activated gate, product
    down, out = take(tokens * hidden * 2), take(tokens * hidden * 2)
    give(down)
    done(*second, *inner, stream)
    return out, kept


def step(memory, tokens, shape):
    """Forward with every layer's input kept, loss, backward with every layer made again. Gives the logits still held."""
    hidden, ffn, _, vocabulary, layers = shape
    take, give = memory.take, memory.give
    inputs = [take(tokens * hidden * 2)]
    for _ in range(layers):
        inputs.append(layer(memory, tokens, shape, keep=False)[0])
    last = take(tokens * hidden * 2)
    narrow, logits = take(tokens * vocabulary * 2), take(tokens * vocabulary * 4)
    give(narrow)
    shifted, softmax = take(tokens * vocabulary * 4), take(tokens * vocabulary * 4)
    of_loss, of_softmax = take(tokens * vocabulary * 4), take(tokens * vocabulary * 4)
    give(of_loss, softmax, shifted)
    padded = take(tokens * vocabulary * 4)
    give(of_softmax)
    narrow = take(tokens * vocabulary * 2)
    give(padded)
    gradient = take(tokens * hidden * 2)
    give(narrow, last)
    for _ in range(layers):
        give(inputs.pop())
        out, kept = layer(memory, tokens, shape, keep=True)
        give(out)
        inner = [take(tokens * ffn * 2) for _ in range(3)]
        outer = take(tokens * hidden * 2)
        give(*inner)
        give(take(tokens * hidden * 4))
        give(*[take(tokens * hidden * 2) for _ in range(3)])
        give(*kept)
        below = take(tokens * hidden * 2)
        give(gradient, outer)
        gradient = below
    give(inputs.pop(), gradient)
    return logits


def times(shape, limit, steps, vary):
    """Reserved over allocated memory after so many steps."""
    draw, memory, held = random.Random(1), Allocator(), None
    sigma = math.sqrt(math.log(1 + (DEVIATION / MEAN) ** 2))
    for _ in range(steps):
        tokens = limit if not vary else limit + 1
        while tokens > limit:
            tokens = max(40, int(draw.lognormvariate(math.log(MEAN) - sigma**2 / 2, sigma)))
        logits = step(memory, tokens, shape)
        memory.give(held)
        held = logits
    return memory.reserved / memory.peak


def table_of(varied):
    """The facts that the program reads."""
    value, low, high = statistics.median(varied), min(varied), max(varied)
    return ("# What PyTorch's caching allocator reserves, by its rules; written by tools/simulate-allocator.py, which says how, never by hand.\n"
            "# scattered: reserved over allocated bytes of what comes and goes within a step, where micro-batches differ in length;\n"
            "# low, high: the least and the most of fifteen runs.\n"
            "# source: PyTorch c10/cuda/CUDACachingAllocator.cpp\n# date: 2026-11-23 (when it was run)\n"
            f"name,value,low,high\nscattered,{value:.1f},{low:.1f},{high:.1f}\n")


def main():
    print(f"{'reserved over allocated':32}" + "".join(f"{limit:>8,}" for limit in LIMITS))
    varied = []
    for name, shape in SHAPES.items():
        for kind, vary in (("alike", False), ("vary", True)):
            row = [times(shape, limit, STEPS if vary else 3, vary) for limit in LIMITS]
            varied += row if vary else []
            print(f"{name + ', ' + kind:32}" + "".join(f"{value:8.2f}" for value in row), flush=True)
    path, text = pathlib.Path(__file__).parent.parent / "data/training/allocator.csv", table_of(varied)
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{path}: not what the simulation gives")


if __name__ == "__main__":
    main()
