#include "plan/whole_numbers.h"

#include <gtest/gtest.h>

namespace floptally {
namespace {

TEST(WholeNumbers, KeepsAllWhenOneNeedsMoreRoom) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 40;
  WholeNumbers numbers;
  EXPECT_TRUE(numbers.empty());
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{UINT32_MAX}, kLarge, std::int64_t{7}})
    numbers.push_back(value);
  ASSERT_EQ(numbers.size(), 4U);
  EXPECT_EQ(numbers[0], 0);
  EXPECT_EQ(numbers[1], std::int64_t{UINT32_MAX});
  EXPECT_EQ(numbers[2], kLarge);
  EXPECT_EQ(numbers[3], 7);
}

}  // namespace
}  // namespace floptally
