#include "base/elementary.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/vector_clones.h"

namespace floptally {
namespace {

constexpr double kLog2e = 1.4426950408889634074;
// ln 2 in two parts; the first has 32 trailing zero bits, so that n * kLn2High is exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
// Adding and subtracting 1.5 * 2^52 rounds to an integer whose bits stand at the bottom of the sum.
constexpr double kRound = 6755399441055744.0;

inline double exp_core(double x) {
  const double clamped = x < -708.0 ? -708.0 : (x > 709.0 ? 709.0 : x);
  const double shifted = clamped * kLog2e + kRound;
  const double n = shifted - kRound;
  const double r = (clamped - n * kLn2High) - n * kLn2Low;
  // Taylor's series: |r| <= ln(2)/2, the first term left out is below 5e-18.
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  const double value = 1.0 + (r + r * r * p);
  const auto exponent = std::bit_cast<std::uint64_t>(shifted) << 52;  // n, wherever it stands, ends up in the exponent
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) + exponent);
}

// AS 241, |u - 0.5| <= 0.425.
inline double central(double q) {
  const double r = 0.180625 - q * q;
  const double a = (((((((2.5090809287301226727e+3 * r + 3.3430575583588128105e+4) * r + 6.7265770927008700853e+4) * r +
                        4.5921953931549871457e+4) *
                           r +
                       1.3731693765509461125e+4) *
                          r +
                      1.9715909503065514427e+3) *
                         r +
                     1.3314166789178437745e+2) *
                        r +
                    3.3871328727963666080e+0);
  const double b = (((((((5.2264952788528545610e+3 * r + 2.8729085735721942674e+4) * r + 3.9307895800092710610e+4) * r +
                        2.1213794301586595867e+4) *
                           r +
                       5.3941960214247511077e+3) *
                          r +
                      6.8718700749205790830e+2) *
                         r +
                     4.2313330701600911252e+1) *
                        r +
                    1.0);
  return q * a / b;
}

double tail(double u, double q) {
  double r = std::sqrt(-portable_log(q < 0 ? u : 1.0 - u));
  double value = 0;
  if (r <= 5.0) {
    r -= 1.6;
    value = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r +
                 1.27045825245236838258e+0) *
                    r +
                3.64784832476320460504e+0) *
                   r +
               5.76949722146069140550e+0) *
                  r +
              4.63033784615654529590e+0) *
                 r +
             1.42343711074968357734e+0) /
            (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r +
                 1.48103976427480074590e-1) *
                    r +
                6.89767334985100004550e-1) *
                   r +
               1.67638483018380384940e+0) *
                  r +
              2.05319162663775882187e+0) *
                 r +
             1.0);
  } else {
    r -= 5.0;
    value = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r +
                 2.65321895265761230930e-2) *
                    r +
                2.96560571828504891230e-1) *
                   r +
               1.78482653991729133580e+0) *
                  r +
              5.46378491116411436990e+0) *
                 r +
             6.65790464350110377720e+0) /
            (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r +
                 7.86869131145613259100e-4) *
                    r +
                1.48753612908506148525e-2) *
                   r +
               1.36929880922735805310e-1) *
                  r +
              5.99832206555887937690e-1) *
                 r +
             1.0);
  }
  return q < 0 ? -value : value;
}

}  // namespace

double portable_exp(double x) {
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  if (x < -708.0) return 0;
  return exp_core(x);
}

double portable_log(double x) {
  if (!(x > 0)) return x == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716: the first term left out is below 1e-18.
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double p = 1.0 / 23.0;
  for (int k = 21; k >= 3; k -= 2) p = p * z + 1.0 / k;
  return exponent * kLn2High + (exponent * kLn2Low + (2 * s + 2 * s * z * p));
}

double normal_quantile(double u) {
  const double q = u - 0.5;
  return std::abs(q) <= 0.425 ? central(q) : tail(u, q);
}

FLOPTALLY_CLONES void portable_exp(const double* x, double* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = exp_core(x[i]);
  for (std::size_t i = 0; i < count; ++i)
    if (x[i] > 709.0 || x[i] < -708.0) out[i] = x[i] > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

FLOPTALLY_CLONES void normal_quantile(const double* u, double* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = central(u[i] - 0.5);
  for (std::size_t i = 0; i < count; ++i)
    if (std::abs(u[i] - 0.5) > 0.425) out[i] = tail(u[i], u[i] - 0.5);
}

}  // namespace floptally
