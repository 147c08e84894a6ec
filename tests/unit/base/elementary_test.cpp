#include "base/elementary.h"

#include <gtest/gtest.h>

#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <vector>

namespace floptally {
namespace {

TEST(Elementary, ExpAndLogAgreeWithTheLibraryToTheLastBits) {
  for (double x = -700; x < 700; x += 0.37) EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 5e-16) << x;
  for (double x = 1e-300; x < 1e300; x *= 1.37)
    EXPECT_NEAR(portable_log(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x)))) << x;
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_exp(-1000), 0);
  EXPECT_TRUE(std::isinf(portable_exp(1000)));
  EXPECT_TRUE(std::isnan(portable_exp(NAN)));
  EXPECT_EQ(portable_log(0), -INFINITY);
  EXPECT_EQ(portable_log(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(portable_log(-1)));
  EXPECT_NEAR(portable_log(5e-324), std::log(5e-324), 1e-12);
}

TEST(Elementary, NormalQuantileAgreesWithBoost) {
  for (double u = 1e-12; u < 1; u += 1.37e-4) {
    const double expected = -std::sqrt(2.0) * boost::math::erfc_inv(2 * u);
    EXPECT_NEAR(normal_quantile(u), expected, 3e-15 * std::max(1.0, std::abs(expected))) << u;
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
}

TEST(Elementary, ArraysAgreeWithScalarsBitForBit) {
  std::vector<double> u, x;
  for (int i = 1; i < 5000; ++i) {
    u.push_back(i / 5000.0);
    x.push_back((i - 2500) * 0.31);
  }
  std::vector<double> z(u.size()), e(x.size()), l(u.size());
  normal_quantile(u.data(), z.data(), u.size());
  portable_exp(x.data(), e.data(), x.size());
  portable_log(u.data(), l.data(), u.size());
  for (std::size_t i = 0; i < u.size(); ++i) {
    EXPECT_EQ(l[i], portable_log(u[i]));
    EXPECT_EQ(z[i], normal_quantile(u[i]));
    EXPECT_EQ(e[i], portable_exp(x[i]));
  }
}

}  // namespace
}  // namespace floptally
