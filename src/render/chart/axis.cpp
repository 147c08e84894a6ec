#include "render/chart/axis.h"

#include <algorithm>
#include <cmath>

#include "quantity/print.h"

namespace floptally {

double ChartAxis::at(double value) const {
  const double f = log ? (std::log(std::max(value, 1e-300)) - std::log(low)) / (std::log(high) - std::log(low))
                       : (value - low) / (high - low);
  return from + std::clamp(f, -0.02, 1.02) * (to - from);
}

std::vector<double> ChartAxis::ticks(int about) const {
  std::vector<double> out;
  if (log && bytes) {  // powers of two
    const int first = static_cast<int>(std::ceil(std::log2(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log2(high) + 1e-9));
    const int step = std::max(1, (last - first + about) / std::max(about, 1));
    for (int e = (first + step - 1) / step * step; e <= last; e += step) out.push_back(std::exp2(e));
    return out;
  }
  if (log) {
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    const int step = std::max(1, (last - first + about) / std::max(about, 1));
    for (int e = first; e <= last; e += step) out.push_back(std::pow(10, e));
    if (out.size() < 2) {
      out.clear();
      for (int e = first - 1; e <= last + 1; ++e)
        for (const double m : {1.0, 2.0, 5.0})
          if (m * std::pow(10, e) >= low * 0.999 && m * std::pow(10, e) <= high * 1.001)
            out.push_back(m * std::pow(10, e));
    }
    return out;
  }
  const double largest = std::max(std::abs(low), std::abs(high));
  const double unit = bytes && largest >= 1024 ? std::pow(1024, std::floor(std::log(largest) / std::log(1024.0))) : 1;
  const double raw = (high - low) / unit / std::max(about, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = power * unit;
  for (const double m : {1.0, 2.0, 5.0, 10.0})
    if (m * power >= raw * 0.999) {
      step = m * power * unit;
      break;
    }
  for (double v = std::ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step)
    out.push_back(std::abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks, Dim dim) {
  std::vector<std::string> texts;
  constexpr int kFewest = 2, kMost = 6;
  const bool plain = dim == Dim{} && std::all_of(ticks.begin(), ticks.end(), [](double tick) {
                       return tick == std::round(tick) && std::abs(tick) < 1e4;  // a year has no comma
                     });
  for (int digits = kFewest; digits <= kMost; ++digits) {
    texts.clear();
    for (const double tick : ticks) {
      texts.push_back(plain ? std::to_string(std::lround(tick)) : quantity_text(tick, dim, digits));
    }
    if (std::adjacent_find(texts.begin(), texts.end()) == texts.end()) break;
  }
  return texts;
}

ChartAxis make_axis(double low, double high, double from, double to, bool log, Dim dim) {
  ChartAxis axis;
  axis.bytes = dim == dim::kByte;
  axis.from = from;
  axis.to = to;
  axis.log = log && low > 0;
  if (!(high > low)) {
    high = low + (low == 0 ? 1 : std::abs(low) * 0.1);
    if (!axis.log)
      low = low == 0 ? 0 : low - std::abs(low) * 0.1;
    else
      low /= 1.1;
  }
  if (axis.log) {
    const double air = std::pow(high / low, 0.04);
    axis.low = low / air;
    axis.high = high * air;
  } else {
    const double air = (high - low) * 0.04;
    axis.low = low == 0 ? 0 : low - air;
    axis.high = high + air;
  }
  return axis;
}

}  // namespace floptally
