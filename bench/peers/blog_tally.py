#!/usr/bin/env python3
"""The tally that plans/gdm-scaling-exponents.yaml restates, as the small script people write: standard library only.

Counts the runs of Everett et al., "Scaling Exponents Across Parameterizations and Optimizers" (arXiv:2407.05872), by
subset, and prices them at one rate and one price. No ranges, no sources, no reasons: what `floptally tally` is compared with.
"""
HEADS = (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128)
WIDTHS = [128 * h for h in HEADS]
LAYERS, SEQUENCE, VOCABULARY = 8, 512, 32101
TOKENS = 50_000 * 256 * SEQUENCE
RATES = 15  # learning rates per line of a plot
RATE = 3.5e14  # FLOP/s of one device
USD_PER_HOUR = 3
DEVICES_PER_NODE = 8


def flop_per_token(width):
    """Training FLOP of the matrix products; causal attention counted at half the square."""
    return 6 * width * (LAYERS * (12 * width + SEQUENCE) + VOCABULARY)


def parameters(width):
    return 2 * width * (6 * LAYERS * width + VOCABULARY)


def fixed(widths, runs):
    """`runs` of 50,000 steps at each width."""
    return runs * TOKENS * sum(flop_per_token(w) for w in widths)


def optimal(widths, runs):
    """`runs` at each width, on 20 tokens per parameter."""
    return runs * 20 * sum(parameters(w) * flop_per_token(w) for w in widths)


def subsets():
    wide = WIDTHS[-6:]
    yield "alignment", fixed((1024, 2048, 4096), 4)
    yield "table E1", fixed(wide, 4 * (5 + 7 + 7))
    yield "epsilon, full sweeps", fixed(WIDTHS, 4 * 6 * RATES)
    yield "epsilon, heatmaps", fixed(wide, 2 * 6 * 4 * 13)
    yield "LR variants, default", fixed(WIDTHS, 3 * 4 * 2 * RATES)
    yield "LR variants, optimal", fixed(WIDTHS, 3 * 4 * 3 * RATES) + fixed((1024,), 3 * 4 * 3 * 800)
    yield "weight decay", fixed(WIDTHS, 4 * RATES)
    yield "adafactor", fixed(WIDTHS[:11], 2 * 2 * 4 * RATES)
    yield "compute-optimal", fixed(WIDTHS, 2 * 4 * RATES) + fixed(WIDTHS[:12], 4 * RATES) + optimal(WIDTHS[:11], 3 * 4 * RATES)


def cost(flop):
    hours = flop / 3600 / RATE
    return hours * USD_PER_HOUR, hours / DEVICES_PER_NODE


def main():
    for width in WIDTHS:
        count, flop = parameters(width), flop_per_token(width)
        print(f"{width:6} {count / 1e9:8.3g}B {flop:16} {flop / (6 * count):7.1%}")
    total = dollars = hours = 0
    for name, flop in subsets():
        usd, node_hours = cost(flop)
        print(f"{name:24} {flop:.3E} {usd:14,.2f} USD {node_hours:12.2f} node-hours")
        total, dollars, hours = total + flop, dollars + usd, hours + node_hours
    print(f"{'total':24} {total:.3E} {dollars:14,.2f} USD {hours:12.2f} node-hours, {hours / 24 / 30:.1f} node-months")
    return total


if __name__ == "__main__":
    assert main() == 5421133696079458546483200
