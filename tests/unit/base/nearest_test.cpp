#include "base/nearest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace floptally {
namespace {

constexpr std::string_view kWords[] = {"pipeline", "tensor", "data", "price", "precision"};

TEST(Nearest, FindsTheKnownWord) {
  EXPECT_EQ(nearest("pipelin", kWords), "pipeline");
  EXPECT_EQ(nearest("Tensro", kWords), "tensor");
  EXPECT_EQ(nearest("prcie", kWords), "price");
  EXPECT_EQ(nearest("pipe", kWords), "pipeline");
  EXPECT_EQ(nearest("zzz", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(suggestion("dtaa", kWords), "did you mean 'data'?");
  EXPECT_EQ(suggestion("zzzzz", kWords), "known here: pipeline, tensor, data, price, precision");
}

TEST(Nearest, ForgivesCaseAndPunctuation) {
  EXPECT_EQ(edit_distance("H100-SXM", "h100 sxm"), 0u);
  EXPECT_EQ(edit_distance("abcd", "abdc"), 1u);
}

TEST(Nearest, AnEndingThatIsMissingCountsLess) {
  const std::string_view devices[] = {"A10", "H20", "H100-SXM", "H100-PCIe"};
  const std::vector<std::string_view> expected = {"H100-SXM", "H100-PCIe"};
  EXPECT_EQ(nearest_few("H101", devices, 2), expected);
  EXPECT_EQ(nearest_few("A11", devices, 1).front(), "A10");
}

TEST(Nearest, Few) {
  const auto few = nearest_few("prec", kWords, 2);
  ASSERT_EQ(few.size(), 2u);
  EXPECT_EQ(few[0], "precision");
}

RC_GTEST_PROP(Nearest, DistanceIsSymmetricAndZeroOnlyForEquals, (const std::string& a, const std::string& b)) {
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT(edit_distance(a, a) == 0u);
}

}  // namespace
}  // namespace floptally
