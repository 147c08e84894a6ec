#include "quantity/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "quantity/unit.h"

namespace floptally {
namespace {

// `digits` significant digits in plain notation, without an exponent.
std::string significant(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return fmt::format("{}", value);
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  int decimals = digits - 1 - magnitude;
  // Rounding may carry into the next power of ten (9.996 -> 10.0), which needs one decimal less.
  const double rounded = std::round(value * std::pow(10, decimals)) / std::pow(10, decimals);
  if (rounded != 0 && static_cast<int>(std::floor(std::log10(std::abs(rounded)) + 1e-12)) > magnitude) --decimals;
  if (decimals >= 0) return fmt::format("{:.{}f}", value, decimals);
  return grouped(fmt::format("{:.0f}", rounded));
}

std::string scientific(double value, int digits) {
  std::string text = fmt::format("{:.{}e}", value, digits - 1);
  const std::size_t e = text.find('e');
  std::string exponent = text.substr(e + 1);
  const bool negative = exponent.front() == '-';
  exponent.erase(0, 1);
  while (exponent.size() > 1 && exponent.front() == '0') exponent.erase(0, 1);
  return text.substr(0, e) + "e" + (negative ? "-" : "") + exponent;
}

// From this share of a step on its name is taken: 0.9995 KiB would print as 1.00 KiB with three digits.
constexpr double kRoundsUp = 0.9995;

// Past what a row of names reaches, a number is written with an exponent.
bool beyond(double shown) { return shown != 0 && (std::abs(shown) >= 1e6 || std::abs(shown) < 1e-4); }

struct Step {
  double scale;
  const char* name;
};

std::string with_steps(double value, int digits, const Step* begin, const Step* end) {
  const Step* chosen = begin;
  for (const Step* each = begin; each != end; ++each)
    if (std::abs(value) >= each->scale * kRoundsUp) chosen = each;
  const double shown = value / chosen->scale;
  return (beyond(shown) ? scientific(shown, digits) : significant(shown, digits)) + " " + chosen->name;
}

template <std::size_t N>
std::string with_steps(double value, int digits, const std::array<Step, N>& steps) {
  return with_steps(value, digits, steps.data(), steps.data() + N);
}

constexpr std::array<Step, 6> kBytes{{{1, "B"},
                                      {1024, "KiB"},
                                      {1048576, "MiB"},
                                      {1073741824, "GiB"},
                                      {1099511627776, "TiB"},
                                      {1125899906842624, "PiB"}}};
constexpr std::array<Step, 5> kByteRates{{{1, "B/s"}, {1e3, "KB/s"}, {1e6, "MB/s"}, {1e9, "GB/s"}, {1e12, "TB/s"}}};
constexpr std::array<Step, 7> kTimes{
    {{1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "min"}, {3600, "h"}, {86400, "days"}, {31557600, "years"}}};
constexpr std::array<Step, 6> kRates{
    {{1, "FLOP/s"}, {1e9, "GFLOP/s"}, {1e12, "TFLOP/s"}, {1e15, "PFLOP/s"}, {1e18, "EFLOP/s"}, {1e21, "ZFLOP/s"}}};
constexpr std::array<Step, 5> kEnergy{{{3600, "Wh"}, {3.6e6, "kWh"}, {3.6e9, "MWh"}, {3.6e12, "GWh"}, {3.6e15, "TWh"}}};
constexpr std::array<Step, 4> kPower{{{1, "W"}, {1e3, "kW"}, {1e6, "MW"}, {1e9, "GW"}}};
constexpr std::array<Step, 4> kMass{{{1, "gCO2e"}, {1e3, "kgCO2e"}, {1e6, "tCO2e"}, {1e9, "ktCO2e"}}};

std::string money(double value, int digits) {
  const double size = std::abs(value);
  const char* sign = value < 0 ? "-$" : "$";
  if (size >= 1e18) return sign + scientific(size, digits);
  if (size >= 999.5e9) return sign + significant(size / 1e12, digits) + "T";
  if (size >= 999.5e6) return sign + significant(size / 1e9, digits) + "B";
  if (size >= 999.5e3) return sign + significant(size / 1e6, digits) + "M";
  if (size >= 9999.5) return sign + significant(size / 1e3, digits) + "K";
  if (digits < 3 && size >= 0.995) return sign + significant(size, digits);
  if (size >= 999.5) return sign + grouped(fmt::format("{:.0f}", size));
  if (digits > 4 && size > 1e-4 && size < 0.995) return sign + significant(size, 3);  // where a number is explained
  if (size > 0 && size < 0.005) return sign + (size < 1e-4 ? scientific(size, digits) : significant(size, 2));
  return sign + (size >= 99.995 ? fmt::format("{:.0f}", size) : fmt::format("{:.2f}", size));
}

std::string tokens(double value, int digits) {
  constexpr std::array<Step, 5> steps{{{1, ""}, {1e3, "K"}, {1e6, "M"}, {1e9, "B"}, {1e12, "T"}}};
  if (std::abs(value) < 1e5) return count_text(value, digits);
  const Step* chosen = steps.data();
  for (const Step& each : steps)
    if (std::abs(value) >= each.scale * kRoundsUp) chosen = &each;
  const double shown = value / chosen->scale;
  return beyond(shown) ? scientific(value, digits) : significant(shown, digits) + chosen->name;
}

}  // namespace

std::string percent_text(double share, int places) { return fmt::format("{:.{}f}%", 100 * share, places); }

std::string grouped(const std::string& digits) {
  std::string out;
  const std::size_t start = !digits.empty() && digits.front() == '-' ? 1 : 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > start && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string shortest(double value) { return fmt::format("{}", value); }

std::string count_text(double value, int digits) {
  if (std::isfinite(value) && std::abs(value) < 1e7) {
    if (digits < 3 && std::abs(value) >= 100) return significant(value, digits);
    if (value == std::round(value)) return grouped(fmt::format("{:.0f}", value));
    if (std::abs(value) >= 1000) return grouped(fmt::format("{:.0f}", value));
    if (std::abs(value) >= 1e-3 || value == 0) return significant(value, digits);
  }
  return scientific(value, digits);
}

std::string quantity_text(double value, Dim d, int digits) {
  if (!std::isfinite(value)) return std::isnan(value) ? "undefined" : (value > 0 ? "infinite" : "-infinite");
  Dim plain = d;
  plain.kind = Kind::any;
  if (plain == dim::kFlop) return count_text(value, digits) + " FLOP";
  if (plain == dim::kFlopPerToken) return count_text(value, digits) + " FLOP/token";
  if (plain == dim::kFlopPerSecond) return with_steps(value, digits, kRates);
  if (plain == dim::kFlopPerSecond / dim::kDevice) return with_steps(value, digits, kRates) + "/device";
  if (plain == dim::kWatt / dim::kDevice) return with_steps(value, digits, kPower) + "/device";
  if (plain == dim::kByte)
    return std::abs(value) < 1024 ? count_text(value, digits) + " B" : with_steps(value, digits, kBytes);
  if (plain == dim::kBytePerSecond) return with_steps(value, digits, kByteRates);
  if (plain == dim::kSecond) return value == 0 ? "0 s" : with_steps(value, digits, kTimes);
  if (plain == dim::kUsd) return money(value, digits);
  if (plain == dim::kUsdPerDeviceSecond)
    return (value != 0 && std::abs(value) * 3600 < 0.005 ? money(value * 3600, digits)
                                                         : "$" + fmt::format("{:.2f}", value * 3600)) +
           "/device-hour";
  if (plain == dim::kUsd / dim::kJoule) return "$" + fmt::format("{:.4f}", value * 3.6e6) + "/kWh";
  if (plain == dim::kDeviceSecond) return count_text(value / 3600, digits) + " device-hours";
  if (plain == dim::kNodeSecond) return count_text(value / 3600, digits) + " node-hours";
  if (plain == dim::kToken) return tokens(value, digits) + " tokens";
  if (plain == dim::kParameter) return tokens(value, digits);
  if (plain == dim::kByte / dim::kParameter) return count_text(value, digits) + " bytes/parameter";
  if (plain == dim::kSample) return count_text(value, digits) + " samples";
  if (plain == dim::kDevice) return count_text(value, digits) + " devices";
  if (plain == dim::kNode) return count_text(value, digits) + " nodes";
  if (plain == dim::kJoule) return with_steps(value, digits, kEnergy);
  if (plain == dim::kWatt) return with_steps(value, digits, kPower);
  if (plain == dim::kGram) return with_steps(value, digits, kMass);
  if (plain == dim::kGramPerJoule) return significant(value * 3.6e6, digits) + " gCO2e/kWh";
  if (plain.dimensionless()) return count_text(value, digits);
  return count_text(value, digits) + " " + name_of(plain);
}

std::string figure_text(const Figure& figure, int digits) {
  if (figure.unknown) return figure.at_least ? ">= " + quantity_text(figure.value, figure.dim, digits) : "unknown";
  const char* bound = figure.at_least ? ">= " : (figure.at_most ? "<= " : "");
  return bound + quantity_text(figure.value, figure.dim, digits);
}

int range_digits(double low, double high, int least) {
  const double width = std::abs(high - low) / std::max(std::abs(low), std::abs(high));
  if (!(width > 0)) return least;
  return std::clamp(1 + static_cast<int>(std::ceil(-std::log10(width))), least, std::max(least, 6));
}

std::string without_unit(std::string text) {
  for (const std::string_view unit : {" FLOP", " device-hours", " node-hours", " tokens"})
    if (text.ends_with(unit)) text.resize(text.size() - unit.size());
  return text;
}

std::string range_text(const Figure& figure, int digits) {
  if (!figure.p5 || !figure.p95) return {};
  digits = range_digits(*figure.p5, *figure.p95, digits);
  return quantity_text(*figure.p5, figure.dim, digits) + " to " + quantity_text(*figure.p95, figure.dim, digits);
}

}  // namespace floptally
