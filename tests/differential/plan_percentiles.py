#!/usr/bin/env python3
"""An independent simulation of plans/gdm-scaling-exponents.yaml in NumPy: 10^6 draws of its three uncertain inputs.

Prints a table of the 5th, 50th and 95th percentile of FLOP, dollars and node-hours of every subset and of the total. It shares
nothing with the program: the FLOP formulas are those of the tally this plan restates (FLOP per token 6 d (L (12 d + s) + V)), the
draws NumPy's. `make oracles` writes the table; check_plan_percentiles.py holds the program against it. It is written for speed, float64
throughout and one percentile call a column: bench/run compares `floptally tally --worlds 1000000` with it.
"""
import numpy as np

DRAWS = 10**6
rng = np.random.default_rng(20240730)


def two_piece(best, low, high):
    """Log-normal pieces below and above the best guess, which is the median; low and high are the 5% and 95% points."""
    z = rng.standard_normal(DRAWS) / 1.6448536269514722
    return best * np.exp(np.where(z < 0, z * np.log(best / low), z * np.log(high / best)))


LAYERS, SEQUENCE, VOCAB = 8, 512, 32101
TOKENS = 50_000 * 256 * SEQUENCE
WIDTHS = [128 * h for h in (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128)]


def per_token(d):
    return 6 * d * (LAYERS * (12 * d + SEQUENCE) + VOCAB)


def parameters(d):
    return 2 * d * (6 * LAYERS * d + VOCAB)


def total(widths):
    return float(TOKENS * sum(per_token(d) for d in widths))


rates = two_piece(15.0, 10.0, 22.0)
speed = two_piece(350e12, 300e12, 400e12)
price = two_piece(3.0, 2.0, 3.5)
subsets = {
    "Alignment": np.full(DRAWS, float(4 * total([1024, 2048, 4096]))),
    "Table E1": np.full(DRAWS, float(4 * 19 * total(WIDTHS[-6:]))),
    "Epsilon, full sweeps": 4 * 6 * rates * total(WIDTHS),
    "Epsilon, heatmaps": np.full(DRAWS, float(4 * 2 * 6 * 13 * total(WIDTHS[-6:]))),
    "LR variants, default": 3 * 4 * 2 * rates * total(WIDTHS),
    "LR variants, optimal": 36 * (rates * total(WIDTHS) + 800 * total([1024])),
    "Weight decay": 4 * rates * total(WIDTHS),
    "Adafactor vs Adam+PS": 16 * rates * total(WIDTHS[:11]),
    "Compute-optimal": 4 * rates * (2 * total(WIDTHS) + total(WIDTHS[:12])
                                    + 60.0 * float(sum(parameters(d) * per_token(d) for d in WIDTHS[:11]))),
}
subsets["total"] = sum(subsets.values())

print(f"# NumPy {np.__version__}, default_rng(20240730), {DRAWS} draws")
print("subset,key,p5,p50,p95")
for name, flop in subsets.items():
    hours = flop / speed / 3600
    for key, values in (("flop", flop), ("node_hours", hours / 8), ("usd", hours * price)):
        p = np.percentile(values, [5, 50, 95])
        print(f'"{name}",{key},{p[0]:.9g},{p[1]:.9g},{p[2]:.9g}')
