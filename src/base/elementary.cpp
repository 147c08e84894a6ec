#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/elementary.cpp"
#include "base/elementary.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cfloat>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace floptally {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
struct Elementary {
  using V = hn::Vec<D>;
  using U = hn::RebindToUnsigned<D>;

  D d;
  U u;

  V set(double value) const { return hn::Set(d, value); }
  // Multiplication and addition stay apart: a fused one would round differently from processor to processor.
  static V add_product(V a, V b, V c) { return hn::Add(hn::Mul(a, b), c); }

  // c[0] * r^n + ... + c[n], by Horner's rule.
  template <std::size_t N>
  V polynomial(V r, const double (&c)[N]) const {
    V sum = set(c[0]);
    for (std::size_t i = 1; i < N; ++i) sum = add_product(sum, r, set(c[i]));
    return sum;
  }

  // ln 2 in two parts; the first has 32 trailing zero bits, so that n * ln2_high is exact.
  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;

  V exp(V x) const {
    // Taylor's series: |r| <= ln(2)/2, the first term left out is below 5e-18.
    static constexpr double kInverseFactorials[] = {
        1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
        1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      0.5};
    // Adding and subtracting 1.5 * 2^52 rounds to an integer whose bits stand at the bottom of the sum.
    const V round = set(6755399441055744.0);
    const V clamped = hn::Min(hn::Max(x, set(-708.0)), set(709.0));
    const V shifted = add_product(clamped, set(1.4426950408889634074), round);
    const V n = hn::Sub(shifted, round);
    const V r = hn::Sub(hn::Sub(clamped, hn::Mul(n, set(kLn2High))), hn::Mul(n, set(kLn2Low)));
    const V p = polynomial(r, kInverseFactorials);
    const V value = hn::Add(set(1.0), add_product(hn::Mul(r, r), p, r));
    // n, wherever it stands, ends up in the exponent.
    const V scaled = hn::BitCast(d, hn::Add(hn::BitCast(u, value), hn::ShiftLeft<52>(hn::BitCast(u, shifted))));
    const V high = hn::IfThenElse(hn::Gt(x, set(709.0)), set(std::numeric_limits<double>::infinity()), scaled);
    return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenZeroElse(hn::Lt(x, set(-708.0)), high));
  }

  // Of a positive number that is neither subnormal nor infinite.
  V log_normal_range(V x) const {
    static constexpr double kOddInverses[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                              1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
    // x = m * 2^e with m from sqrt(1/2) to sqrt(2).
    const auto bits = hn::BitCast(u, x);
    const auto bias = hn::Set(u, std::uint64_t{1024} << 52);
    const auto half_root = hn::BitCast(u, set(0.70710678118654752440));
    const auto biased = hn::ShiftRight<52>(hn::Sub(hn::Add(bits, bias), half_root));
    const V m = hn::BitCast(d, hn::Sub(hn::Add(bits, bias), hn::ShiftLeft<52>(biased)));
    const V e = hn::Sub(hn::BitCast(d, hn::Or(biased, hn::BitCast(u, set(0x1p52)))), set(0x1p52 + 1024));
    // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716: the first term left out is below 1e-18.
    const V s = hn::Div(hn::Sub(m, set(1.0)), hn::Add(m, set(1.0)));
    const V z = hn::Mul(s, s);
    const V twice = hn::Mul(set(2.0), s);
    const V series = hn::Add(twice, hn::Mul(hn::Mul(twice, z), polynomial(z, kOddInverses)));
    return add_product(e, set(kLn2High), add_product(e, set(kLn2Low), series));
  }

  V log(V x) const {
    const V infinity = set(std::numeric_limits<double>::infinity());
    const auto plain = hn::And(hn::Ge(x, set(DBL_MIN)), hn::Lt(x, infinity));
    if (hn::AllTrue(d, plain)) return log_normal_range(x);
    const auto small = hn::And(hn::Gt(x, hn::Zero(d)), hn::Lt(x, set(DBL_MIN)));
    const V raised = hn::IfThenElse(small, hn::Mul(x, set(0x1p54)), hn::IfThenElse(plain, x, set(1.0)));
    const V shift = hn::IfThenElseZero(small, set(54 * 6.93147180559945309417e-01));
    const V finite = hn::Sub(log_normal_range(raised), shift);
    const V special = hn::IfThenElse(
        hn::Eq(x, infinity), infinity,
        hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), set(std::numeric_limits<double>::quiet_NaN())));
    return hn::IfThenElse(hn::Or(plain, small), finite, special);
  }

  // AS 241 away from the middle: of r = sqrt(-log of the tail's probability).
  V far(V r) const {
    static constexpr double kA[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                    1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                    4.63033784615654529590e+0, 1.42343711074968357734e+0};
    static constexpr double kB[] = {
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0};
    const V near = hn::Sub(r, set(1.6));
    const V value = hn::Div(polynomial(near, kA), polynomial(near, kB));
    const auto beyond = hn::Gt(r, set(5.0));
    if (HWY_LIKELY(hn::AllFalse(d, beyond))) return value;
    static constexpr double kC[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                    5.46378491116411436990e+0, 6.65790464350110377720e+0};
    static constexpr double kD[] = {
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0};
    const V over = hn::Sub(r, set(5.0));
    return hn::IfThenElse(beyond, hn::Div(polynomial(over, kC), polynomial(over, kD)), value);
  }

  // AS 241 within 0.425 of a half: of q = u - 0.5.
  V near(V q) const {
    static constexpr double kA[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                                    4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                    1.3314166789178437745e+2, 3.3871328727963666080e+0};
    static constexpr double kB[] = {
        5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
        5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
    const V r = hn::Sub(set(0.180625), hn::Mul(q, q));
    return hn::Div(hn::Mul(q, polynomial(r, kA)), polynomial(r, kB));
  }

  V normal_quantile(V x) const {
    const V q = hn::Sub(x, set(0.5));
    if (hn::AllFalse(d, hn::Gt(hn::Abs(q), set(0.425)))) return near(q);
    return outer_quantile(x);
  }

  // Of a number further than 0.425 from a half.
  V outer_quantile(V x) const {
    const V tail = hn::Min(x, hn::Sub(set(1.0), x));
    return hn::CopySign(far(hn::Sqrt(hn::Neg(log(tail)))), hn::Sub(x, set(0.5)));
  }
};

template <class Function>
void each(const double* x, double* out, std::size_t count, Function&& function) {
  const hn::ScalableTag<double> wide;
  const hn::CappedTag<double, 1> one;
  const std::size_t lanes = hn::Lanes(wide);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(function(wide, hn::LoadU(wide, x + i)), wide, out + i);
  for (; i < count; ++i) hn::StoreU(function(one, hn::LoadU(one, x + i)), one, out + i);
}

void exp_of(const double* x, double* out, std::size_t count) {
  each(x, out, count, [](auto d, auto v) { return Elementary<decltype(d)>{}.exp(v); });
}
void log_of(const double* x, double* out, std::size_t count) {
  each(x, out, count, [](auto d, auto v) { return Elementary<decltype(d)>{}.log(v); });
}
// The numbers of the tails, a sixth of all, are put side by side before their longer formula is worked out.
void normal_quantile_of(const double* u, double* out, std::size_t count) {
  constexpr std::size_t kBatch = 1024;
  const hn::ScalableTag<double> d;
  const Elementary<decltype(d)> elementary{};
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN std::int64_t place[kBatch + 64];
  const hn::RebindToSigned<decltype(d)> di;
  std::size_t begin = 0;
  for (; begin + lanes <= count; begin += std::min(kBatch, (count - begin) / lanes * lanes)) {
    const std::size_t size = std::min(kBatch, (count - begin) / lanes * lanes);
    std::size_t found = 0;
    for (std::size_t i = 0; i < size; i += lanes) {
      const auto q = hn::Sub(hn::LoadU(d, u + begin + i), hn::Set(d, 0.5));
      const auto away = hn::Gt(hn::Abs(q), hn::Set(d, 0.425));
      hn::StoreU(elementary.near(q), d, out + begin + i);
      found +=
          hn::CompressStore(hn::Iota(di, static_cast<std::int64_t>(i)), hn::RebindMask(di, away), di, place + found);
    }
    if (found == 0) continue;
    for (std::size_t i = 0; i < lanes; ++i) place[found + i] = place[0];  // fills the last vector
    for (std::size_t i = 0; i < found; i += lanes) {
      const auto index = hn::LoadU(di, place + i);
      hn::ScatterIndex(elementary.outer_quantile(hn::GatherIndex(d, u + begin, index)), d, out + begin, index);
    }
  }
  each(u + begin, out + begin, count - begin,
       [](auto tag, auto v) { return Elementary<decltype(tag)>{}.normal_quantile(v); });
}

}  // namespace HWY_NAMESPACE
}  // namespace floptally
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally {

HWY_EXPORT(exp_of);
HWY_EXPORT(log_of);
HWY_EXPORT(normal_quantile_of);

void portable_exp(const double* x, double* out, std::size_t count) { HWY_DYNAMIC_DISPATCH(exp_of)(x, out, count); }
void portable_log(const double* x, double* out, std::size_t count) { HWY_DYNAMIC_DISPATCH(log_of)(x, out, count); }
void normal_quantile(const double* u, double* out, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(normal_quantile_of)(u, out, count);
}

double portable_exp(double x) {
  portable_exp(&x, &x, 1);
  return x;
}
double portable_log(double x) {
  portable_log(&x, &x, 1);
  return x;
}
double normal_quantile(double u) {
  double result = 0;
  normal_quantile(&u, &result, 1);
  return result;
}

}  // namespace floptally
#endif
