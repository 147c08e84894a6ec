// Elementary functions that give the same digits on every machine: plain IEEE additions, multiplications, divisions and
// square roots in a fixed order (no fused multiply-add, no library whose last bit depends on the processor), so that a
// command prints the same percentiles everywhere. One formula for all vector widths (Google Highway); a single number
// is an array of one.
#pragma once

#include <cstddef>

namespace floptally {

// e^x; relative error below 4e-16 for |x| < 700, 0 and infinity beyond.
double portable_exp(double x);
// Natural logarithm; relative error below 4e-16 away from 1, absolute near it. -infinity at 0, NaN below.
double portable_log(double x);
// Inverse of the standard normal distribution function for u in (0, 1), relative error about 1e-15.
// Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37(3), 1988.
double normal_quantile(double u);

// `out` may be `x` itself; it must not overlap `u`.
void portable_exp(const double* x, double* out, std::size_t count);
void portable_log(const double* x, double* out, std::size_t count);
void normal_quantile(const double* u, double* out, std::size_t count);

}  // namespace floptally
