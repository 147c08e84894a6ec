#include "audit/lint/lint.h"

#include <gtest/gtest.h>

#include <set>

#include "audit/lint/expression.h"

namespace floptally {
namespace {

TEST(Expression, ValuesAndUnits) {
  const auto value = [](std::string_view text) {
    const Result<Evaluated> r = evaluate(text, {});
    EXPECT_TRUE(r.ok()) << text;
    return r.ok() ? r->value : 0;
  };
  EXPECT_DOUBLE_EQ(value("4 * (2 + 4)"), 24);
  EXPECT_DOUBLE_EQ(value("6 * 1.54e9 * 18e12"), 1.6632e23);
  EXPECT_DOUBLE_EQ(value("2^10 - 24"), 1000);
  EXPECT_DOUBLE_EQ(value("1 PFLOP/s * 1 day"), 8.64e19);
  EXPECT_DOUBLE_EQ(value("-3 + 5"), 2);
  EXPECT_EQ(units_text(evaluate("FLOP / second * second", {})->units), "FLOP");
  EXPECT_EQ(units_text(evaluate("a * a / b", {})->units), "a^2 / b");
  EXPECT_EQ(evaluate("FLOP + byte", {}).problems().front().code, "mixed-dimensions");
  for (const char* bad : {"", "2 *", "(2", "2 )", "2 $ 3", "* 2"})
    EXPECT_EQ(evaluate(bad, {}).problems().front().code, "bad-formula") << bad;
  EXPECT_EQ(evaluate(std::string(100000, '('), {}).problems().front().code, "bad-formula");
}

TEST(Lints, EachHasCodeExplanationAndRealCase) {
  std::set<std::string> codes;
  for (const LintDef* lint : all_lints()) {
    EXPECT_TRUE(codes.insert(lint->code).second) << lint->code;
    EXPECT_GT(std::string(lint->explanation).size(), 20U) << lint->code;
    EXPECT_GT(std::string(lint->real_case).size(), 20U) << lint->code;
  }
  EXPECT_GE(codes.size(), 22U);
}

}  // namespace
}  // namespace floptally
