#include "quantity/quantity_text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantity/print.h"
#include "quantity/unit.h"

namespace floptally {
namespace {

Amount amount(const char* text) {
  auto result = parse_amount(text);
  EXPECT_TRUE(result.ok()) << text << "\n" << (result ? "" : to_text(result.problems()));
  return result ? *result : Amount{};
}

TEST(QuantityText, NumbersAsPeopleWriteThem) {
  EXPECT_EQ(amount("50_000").exact->to_string(), "50000");
  EXPECT_EQ(amount("3.8e9").exact->to_string(), "3800000000");
  EXPECT_EQ(amount("1e25").exact->to_string(), "10000000000000000000000000");
  EXPECT_EQ(amount("250K").best, 250e3);
  EXPECT_EQ(amount("4M tokens").dim, dim::kToken);
  EXPECT_EQ(amount("4M tokens").exact->to_int64(), 4000000);
  EXPECT_EQ(amount("$12.9M").best, 12.9e6);
  EXPECT_EQ(amount("$12.9M").dim, dim::kUsd);
  EXPECT_FALSE(amount("0.5").exact);
}

TEST(QuantityText, EveryFormOfTheContract) {
  const Amount best = amount("15 (10 to 22)");
  EXPECT_EQ(best.form, Amount::Form::best_with_range);
  EXPECT_EQ(best.low, 10);
  EXPECT_EQ(best.high, 22);
  EXPECT_EQ(best.exact->to_int64(), 15);
  const Amount range = amount("2 to 3.5");
  EXPECT_EQ(range.form, Amount::Form::range);
  EXPECT_DOUBLE_EQ(range.best, std::sqrt(7.0));
  EXPECT_EQ(amount("800+").form, Amount::Form::floor);
  EXPECT_EQ(amount("7 or 8").values, (std::vector<double>{7, 8}));
  const Amount spread = amount("5 +- 10%");
  EXPECT_DOUBLE_EQ(spread.low, 4.5);
  EXPECT_DOUBLE_EQ(spread.high, 5.5);
  EXPECT_DOUBLE_EQ(amount("5.421e24 +- 0.1%").high, 5.421e24 * 1.001);
}

TEST(QuantityText, UnitsScaleToBaseUnits) {
  const Amount rate = amount("350 (300 to 400) TFLOP/s");
  EXPECT_EQ(rate.dim, dim::kFlopPerSecond);
  EXPECT_EQ(rate.exact->to_string(), "350000000000000");
  EXPECT_EQ(rate.low, 300e12);
  const Amount price = amount("3 (2 to 3.5) USD/device-hour");
  EXPECT_EQ(price.dim, dim::kUsdPerDeviceSecond);
  EXPECT_DOUBLE_EQ(price.best * 3600, 3);
  EXPECT_EQ(amount("$2.10/GPU-h").dim, dim::kUsdPerDeviceSecond);
  EXPECT_EQ(amount("80 GiB").exact->to_string(), "85899345920");
  EXPECT_EQ(amount("80 GB").exact->to_string(), "80000000000");
  EXPECT_EQ(amount("700 W").dim, dim::kWatt);
  EXPECT_EQ(amount("1 kWh").exact->to_int64(), 3600000);
  EXPECT_EQ(amount("2 TMAC").exact->to_string(), "4000000000000");
  EXPECT_EQ(amount("3640 PF-days").dim, dim::kFlop);
  const Amount mfu = amount("38% (30% to 45%)");
  EXPECT_DOUBLE_EQ(mfu.best, 0.38);
  EXPECT_DOUBLE_EQ(mfu.high, 0.45);
  EXPECT_TRUE(mfu.percent);
}

TEST(QuantityText, MistakesAreNamed) {
  const auto code = [](const char* text) {
    const auto result = parse_amount(text);
    return result.ok() ? std::string("ok") : result.problems().front().code;
  };
  EXPECT_EQ(code("350 TFLOPS"), "flops-spelling");
  EXPECT_EQ(code("350 TFLOPs"), "unknown-unit");
  EXPECT_EQ(code("80 gib"), "unknown-unit");
  EXPECT_EQ(code("3 (5 to 4)"), "bad-range");
  EXPECT_EQ(code("3 (4 to 5)"), "bad-range");
  EXPECT_EQ(code("4 to 2"), "bad-range");
  EXPECT_EQ(code(""), "not-a-quantity");
  EXPECT_EQ(code("fast"), "not-a-quantity");
  EXPECT_EQ(code("12:30"), "not-a-quantity");
  const auto wrong = parse_amount("3 USD", dim::kUsdPerDeviceSecond, "a price per device and hour");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.problems().front().code, "wrong-unit");
}

TEST(Print, ChoosesReadableUnits) {
  EXPECT_EQ(quantity_text(5.421133696079459e24, dim::kFlop), "5.42e24 FLOP");
  EXPECT_EQ(quantity_text(12907461.18, dim::kUsd), "$12.9M");
  EXPECT_EQ(quantity_text(888.81, dim::kUsd), "$889");
  EXPECT_EQ(quantity_text(0.58, dim::kUsd), "$0.58");
  EXPECT_EQ(quantity_text(3.5e14, dim::kFlopPerSecond), "350 TFLOP/s");
  EXPECT_EQ(quantity_text(85899345920.0, dim::kByte), "80.0 GiB");
  EXPECT_EQ(quantity_text(58512, {}), "58,512");
  EXPECT_EQ(quantity_text(3.0 / 3600, dim::kUsdPerDeviceSecond), "$3.00/device-hour");
  EXPECT_EQ(quantity_text(9.996, dim::kSecond), "10.0 s");
  EXPECT_EQ(quantity_text(671026419200.0, dim::kParameter), "671B");
}

TEST(Suffix, OfALengthIsAPowerOfTwo) {
  EXPECT_EQ(*parse_amount("8k", {}, Suffix::length)->exact, Integer(8192));
  EXPECT_EQ(*parse_amount("8K tokens", {}, Suffix::length)->exact, Integer(8192));
  EXPECT_EQ(*parse_amount("1M", {}, Suffix::length)->exact, Integer(1048576));
  EXPECT_EQ(*parse_amount("12.5k", {}, Suffix::length)->exact, Integer(12800));
  EXPECT_FALSE(parse_amount("16.4k", {}, Suffix::length)->exact.has_value());
  EXPECT_TRUE(parse_amount("8k", {}, Suffix::length)->binary);
  EXPECT_FALSE(parse_amount("8192", {}, Suffix::length)->binary);
  const Result<Amount> range = parse_amount("8k (4k to 16k)", {}, Suffix::length);
  EXPECT_EQ(range->low, 4096);
  EXPECT_EQ(range->high, 16384);
  EXPECT_EQ(*parse_amount("8k")->exact, Integer(8000));
}

TEST(Suffix, OfABatchIsAPowerOfTwoButForTokens) {
  EXPECT_EQ(*parse_amount("1k", {}, Suffix::batch)->exact, Integer(1024));
  EXPECT_EQ(*parse_amount("2k sequences", {}, Suffix::batch)->exact, Integer(2048));
  EXPECT_EQ(*parse_amount("4M tokens", {}, Suffix::batch)->exact, Integer(4000000));
  EXPECT_FALSE(parse_amount("4M tokens", {}, Suffix::batch)->binary);
  EXPECT_EQ(suffix_of("sequence"), Suffix::length);
  EXPECT_EQ(suffix_of("batch"), Suffix::batch);
  EXPECT_EQ(suffix_of("tokens"), Suffix::decimal);
}

TEST(Unit, DimensionsOfCompounds) {
  EXPECT_EQ(parse_unit("TFLOP/s")->dim, dim::kFlopPerSecond);
  EXPECT_EQ(parse_unit("USD/device-hour")->dim, dim::kUsdPerDeviceSecond);
  EXPECT_EQ(parse_unit("gCO2e/kWh")->dim, dim::kGramPerJoule);
  EXPECT_EQ(parse_unit("device-hours")->dim, dim::kDeviceSecond);
  EXPECT_FALSE(parse_unit("TFLOP/").ok());
  EXPECT_EQ(name_of(dim::kUsdPerDeviceSecond), "USD/(device*s)");
}

TEST(Print, NumbersPastTheirNamesHaveAnExponent) {
  EXPECT_EQ(quantity_text(1e99, dim::kByte), "8.88e83 PiB");
  EXPECT_EQ(quantity_text(1e30, dim::kToken), "1.00e30 tokens");
  EXPECT_EQ(quantity_text(9.99e17, dim::kToken), "999,000T tokens");
  EXPECT_EQ(quantity_text(1e-12, dim::kSecond), "1.00e-6 us");
}

TEST(Print, LittleMoneyIsNotNothing) {
  EXPECT_EQ(quantity_text(0.0, dim::kUsd), "$0.00");
  EXPECT_EQ(quantity_text(0.0072, dim::kUsd), "$0.01");
  EXPECT_EQ(quantity_text(0.0031, dim::kUsd), "$0.0031");
  EXPECT_EQ(quantity_text(8.42e-18, dim::kUsd), "$8.42e-18");
}

}  // namespace
}  // namespace floptally
