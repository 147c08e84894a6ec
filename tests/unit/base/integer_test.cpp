#include "base/integer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace floptally {
namespace {

TEST(Integer, PrintsPast64Bits) {
  const Integer total = *Integer::parse("5421133696079458546483200");
  EXPECT_EQ(total.to_string(), "5421133696079458546483200");
  EXPECT_EQ((Integer(0) - total).to_string(), "-5421133696079458546483200");
}

TEST(Integer, OverflowIsRememberedNotWrapped) {
  const Integer big = *Integer::parse("170141183460469231731687303715884105727");
  EXPECT_TRUE(big.valid());
  EXPECT_FALSE((big + 1).valid());
  EXPECT_FALSE((big * 2).valid());
  EXPECT_FALSE(((big + 1) - big).valid());
  EXPECT_FALSE((Integer(1) / Integer(0)).valid());
  EXPECT_FALSE(Integer::parse("170141183460469231731687303715884105728").has_value());
}

TEST(Integer, ParseRefusesWhatIsNoInteger) {
  for (const char* bad : {"", "-", "_1", "1_", "1__0", "1.5", "1e3", " 1"}) EXPECT_FALSE(Integer::parse(bad)) << bad;
  EXPECT_EQ(Integer::parse("50_000")->to_int64(), 50000);
}

TEST(Integer, FromDoubleOnlyForIntegers) {
  EXPECT_EQ(Integer::from_double(1e25)->to_string(), "10000000000000000905969664");
  EXPECT_FALSE(Integer::from_double(0.5));
  EXPECT_FALSE(Integer::from_double(1e300));
}

RC_GTEST_PROP(Integer, RoundTripsThroughText, (std::int64_t a, std::int64_t b)) {
  const Integer product = Integer(a) * Integer(b);
  RC_ASSERT(product.valid());
  RC_ASSERT(*Integer::parse(product.to_string()) == product);
}

}  // namespace
}  // namespace floptally
