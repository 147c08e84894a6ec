#include "render/chart/axis.h"

#include <algorithm>
#include <cmath>

namespace floptally {

double ChartAxis::at(double value) const {
  const double f = log ? (std::log(std::max(value, 1e-300)) - std::log(low)) / (std::log(high) - std::log(low))
                       : (value - low) / (high - low);
  return from + std::clamp(f, -0.02, 1.02) * (to - from);
}

std::vector<double> ChartAxis::ticks(int about) const {
  std::vector<double> out;
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
  const double raw = (high - low) / std::max(about, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = power;
  for (const double m : {1.0, 2.0, 5.0, 10.0})
    if (m * power >= raw * 0.999) {
      step = m * power;
      break;
    }
  for (double v = std::ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step)
    out.push_back(std::abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

ChartAxis make_axis(double low, double high, double from, double to, bool log) {
  ChartAxis axis;
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
