#!/usr/bin/env python3
"""10^7 samples through a product of six uncertain factors in NumPy, as one would write it for speed: float64 throughout, products in
place, one percentile call. What `floptally tally six.yaml --worlds 10000000` is compared with (bench/run)."""
import numpy as np

DRAWS = 10**7
rng = np.random.default_rng(1)
FACTORS = {"parameters": (7e9, 6e9, 8e9), "tokens": (2e12, 1.5e12, 2.5e12), "trials": (10, 7, 14), "seeds": (3, 2, 5),
           "rate": (400e12, 300e12, 450e12), "price": (2.5, 2, 3.5)}


def draw(best, low, high):
    z = rng.standard_normal(DRAWS)
    z *= np.where(z < 0, np.log(best / low), np.log(high / best)) / 1.6448536269514722
    np.exp(z, out=z)
    z *= best
    return z


product = np.full(DRAWS, 6 / 3600)
for name, (best, low, high) in FACTORS.items():
    if name == "rate":
        product /= draw(best, low, high)
    else:
        product *= draw(best, low, high)
print(f"# NumPy {np.__version__}, {DRAWS} draws")
print(np.percentile(product, [5, 50, 95]))
