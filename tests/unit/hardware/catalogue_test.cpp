#include "hardware/catalogue.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/sources.h"

namespace floptally {
namespace {

const Device& device(std::string_view name) {
  Result<const Device*> found = Catalogue::embedded().find(name);
  EXPECT_TRUE(found.ok()) << name << ": " << (found.ok() ? "" : to_text(found.problems()));
  static const Device kNone;
  return found.ok() ? **found : kNone;
}

TEST(Catalogue, EmbeddedTablesAreReadableAndComplete) {
  const Result<Catalogue> read = Catalogue::read({});
  ASSERT_TRUE(read.ok()) << to_text(read.problems());
  EXPECT_GE(read->devices().size(), 80U);
  EXPECT_GE(read->prices().size(), 700U);
  EXPECT_TRUE(read->date().known());
  for (const Device& d : read->devices()) {
    EXPECT_FALSE(d.source.empty()) << d.name;
    EXPECT_TRUE(d.source_date.known()) << d.name;
    EXPECT_TRUE(d.release.known()) << d.name;
    EXPECT_LE(d.source_date.days(), read->date().days()) << d.name;
    EXPECT_TRUE(d.training_arithmetic() || !d.note.empty()) << d.name;
    for (std::size_t i = 0; i < kArithmetics; ++i) {
      if (d.ceiling[i] && d.peak[i]) {
        EXPECT_LT(*d.ceiling[i], *d.peak[i]) << d.name << " " << kArithmeticNames[i];
      }
    }
  }
  for (const Price& p : read->prices()) EXPECT_LE(p.date.days(), read->date().days() + 60) << p.row;
}

TEST(Catalogue, NamesAreForgiving) {
  EXPECT_EQ(device("H100-SXM").name, "H100-SXM");
  EXPECT_EQ(device("h100 sxm").name, "H100-SXM");
  EXPECT_EQ(device("NVIDIA H100 SXM5 80GB").name, "H100-SXM");
  EXPECT_EQ(device("NVIDIA H100 80GB HBM3").name, "H100-SXM");
  EXPECT_EQ(device("tpuv5p").name, "TPU-v5p");
  EXPECT_EQ(device("Google TPU v4").name, "TPU-v4");
  EXPECT_EQ(device("A100-SXM4-80GB").name, "A100-SXM-80GB");
  EXPECT_EQ(device("AMD Instinct MI300X").name, "MI300X");
  EXPECT_EQ(device("H20").name, "H20");  // although H200 begins with it
  EXPECT_EQ(device("Ascend 910B4").name, "Ascend-910B4");
}

TEST(Catalogue, AmbiguousAndUnknownNames) {
  const Result<const Device*> a100 = Catalogue::embedded().find("A100");
  ASSERT_FALSE(a100.ok());
  EXPECT_EQ(a100.problems().front().code, "ambiguous-device");
  EXPECT_EQ(a100.problems().front().help, "write one of A100-SXM-40GB, A100-SXM-80GB, A100-PCIe-40GB, A100-PCIe-80GB");
  EXPECT_EQ(Catalogue::embedded().matches("H100").size(), 3U);
  const Result<const Device*> unknown = Catalogue::embedded().find("H100-SMX");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.problems().front().code, "unknown-device");
  EXPECT_NE(unknown.problems().front().help.find("H100-SXM"), std::string::npos);
  EXPECT_FALSE(Catalogue::embedded().find("").ok());
  EXPECT_FALSE(Catalogue::embedded().find("---").ok());
}

// Facts that every estimate leans on; peaks are dense and per device.
TEST(Catalogue, PeaksAreDenseAndPerDevice) {
  EXPECT_DOUBLE_EQ(*device("H100-SXM").peak_of(Arithmetic::bf16), 989.4e12);
  EXPECT_NEAR(*device("H100-SXM").peak_of(Arithmetic::bf16), 1.83e9 * 512 * 528 * 2, 1e12);  // clock x FMA x cores x 2
  EXPECT_NEAR(*device("A100-SXM-80GB").peak_of(Arithmetic::bf16), 1.41e9 * 256 * 432 * 2, 1e12);
  EXPECT_DOUBLE_EQ(*device("TPU-v3").peak_of(Arithmetic::bf16), 123e12);  // not the board's 420
  EXPECT_DOUBLE_EQ(*device("V100-SXM2-16GB").peak_of(Arithmetic::fp16), 125e12);
  EXPECT_FALSE(device("V100-SXM2-16GB").peak_of(Arithmetic::bf16).has_value());
  EXPECT_DOUBLE_EQ(*device("RTX-4090").peak_of(Arithmetic::bf16), 165.2e12);  // fp32 accumulation
  EXPECT_LT(*device("P40").peak_of(Arithmetic::fp16), 1e12);
}

// Three providers' latest prices, 1, 2 and 4 USD, of one device and a pair, 2 and 8, of another; a stale one is left
// out.
TEST(Catalogue, UsualPriceIsTheMedianOverProvidersWithTheirPooledSpread) {
  Sources sources;
  const Source& table = sources.add("hardware/prices.csv",
                                    "device,kind,usd,date,provider,region,covers,source,note\n"
                                    "H100-SXM,on-demand,9,2024-06,Alpha,,,s,\n"
                                    "H100-SXM,on-demand,1,2026-01,Alpha,,,s,\n"
                                    "H100-SXM,on-demand,2,2025-06,Beta,,,s,\n"
                                    "H100-SXM,on-demand,4,2026-02,Gamma,,,s,\n"
                                    "H100-SXM,on-demand,50,2020-02,Delta,,,s,\n"
                                    "H100-SXM,spot,0.5,2026-02,Gamma,,,s,\n"
                                    "A40,on-demand,2,2026-02,Alpha,,,s,\n"
                                    "A40,on-demand,8,2026-02,Beta,,,s,\n");
  Result<Catalogue> c = Catalogue::read({&table});
  ASSERT_TRUE(c.ok());
  const std::optional<UsualPrice> usual = c->usual_price(**c->find("H100-SXM"), PriceKind::on_demand);
  ASSERT_TRUE(usual.has_value());
  EXPECT_DOUBLE_EQ(usual->usd, 2);
  EXPECT_EQ(usual->providers, 3u);
  EXPECT_EQ(usual->first.to_string(), "2025-06");
  EXPECT_EQ(usual->last.to_string(), "2026-02");
  // Squares of the logarithms' deviations: 2 ln(2)^2 on 2 degrees of freedom, 2 ln(2)^2 on 1.
  const double sigma = std::sqrt(4.0 / 3) * std::log(2);
  EXPECT_NEAR(usual->high / usual->usd, std::exp(1.6448536269514722 * sigma * std::sqrt(4.0 / 3)), 1e-9);
  EXPECT_NEAR(usual->low * usual->high, 4, 1e-9);
  EXPECT_FALSE(c->usual_price(**c->find("H100-PCIe"), PriceKind::on_demand).has_value());
}

TEST(Catalogue, PricesOverheadsAndCarbon) {
  const Catalogue& c = Catalogue::embedded();
  const Device& h100 = device("H100-SXM");
  const std::vector<const Price*> prices = c.prices_of(h100);
  ASSERT_FALSE(prices.empty());
  for (const Price* price : prices) {
    if (price->kind != PriceKind::on_demand) continue;
    EXPECT_GT(price->usd, 0.5);
    EXPECT_LT(price->usd, 15);
  }
  EXPECT_NEAR(c.overhead("server-power-ratio", h100)->value, 1.8214, 1e-4);
  EXPECT_DOUBLE_EQ(c.overhead("load-fraction", device("TPU-v4"))->value, 0.43);
  EXPECT_DOUBLE_EQ(c.overhead("load-fraction", h100)->value, 0.75);
  Result<const CarbonRow*> france = c.carbon("france");
  ASSERT_TRUE(france.ok());
  EXPECT_LT(*(*france)->grams_per_kwh, 120);
  EXPECT_EQ((*c.carbon("us-central1"))->key, "gcp/us-central1");
  EXPECT_EQ(c.carbon("Georgia").problems().front().code, "ambiguous-region");
  EXPECT_EQ(c.carbon("Frnace").problems().front().code, "unknown-region");
}

TEST(Catalogue, MistakesInTablesAreReportedTogether) {
  const Source devices{"my/hardware/devices.csv",
                       "name,vendor,kind,release,bf16,memory_bytes,aliases,source,source_date\n"
                       "X1,Acme,npu,2025-13,1e15,8e10,,Acme,2025-01-01\n"
                       "X-1,Acme,npu,2025-01,-3,lots,,,2025-01-01\n",
                       false};
  const Source empty_prices{"my/hardware/prices.csv",
                            "device,kind,usd,date,source\nX1,rental,1,2025-01-01,s\nX9,spot,1,2025-01-01,s\n", false};
  const Source ceilings{"hardware/ceilings.csv", "device,format,flop_per_s,source\n", false};
  const Result<Catalogue> read = Catalogue::read({&devices, &empty_prices, &ceilings});
  ASSERT_FALSE(read.ok());
  std::vector<std::string> codes;
  for (const Diagnostic& d : read.problems()) codes.push_back(d.code);
  EXPECT_EQ(codes, (std::vector<std::string>{"bad-date", "bad-number", "bad-number", "missing-source", "duplicate-name",
                                             "unknown-price-kind", "unknown-device"}));
}

TEST(Device, HasTheArticleItIsSpokenWith) {
  const auto spoken = [](const char* name) {
    Device d;
    d.name = name;
    return d.with_article();
  };
  for (const char* name : {"A100-SXM-80GB", "H100-SXM", "L40S", "MI300X", "RTX-4090", "Ascend-910B1"})
    EXPECT_EQ(spoken(name), std::string("an ") + name);
  for (const char* name : {"B200-SXM", "GH200", "K80", "P40", "T4", "TPU-v4", "V100S-PCIe", "Gaudi2", "Maia-100"})
    EXPECT_EQ(spoken(name), std::string("a ") + name);
}

TEST(Date, ReadsWhatExistsOnly) {
  EXPECT_EQ(Date::parse("2024-02-29")->to_string(), "2024-02-29");
  EXPECT_EQ(Date::parse("2024-07")->to_string(), "2024-07");
  EXPECT_EQ(Date::parse("1970-01-01")->days(), 0);
  EXPECT_EQ(Date::parse("2000-03-01")->days(), 11017);
  for (const char* bad : {"", "24-01-01", "2023-02-29", "2023-13-01", "2023-00-01", "2023-01-32", "2023/01/01",
                          "-2023-01-01", "2023-1-1", "2023-01-01x"}) {
    EXPECT_FALSE(Date::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace floptally
