// A linear or logarithmic axis: positions, round tick values, tick labels with units.
#pragma once

#include <string>
#include <vector>

#include "floptally/quantity.h"

namespace floptally {

struct ChartAxis {
  double low = 0, high = 1;
  double from = 0, to = 1;  // pixels
  bool log = false;
  bool bytes = false;  // ticks at round numbers of KiB, MiB, GiB ...

  [[nodiscard]] double at(double value) const;
  [[nodiscard]] std::vector<double> ticks(int about) const;
};

// An axis that holds all of [low, high] with some air.
ChartAxis make_axis(double low, double high, double from, double to, bool log, Dim dim = {});
// What stands at the ticks: with as few digits as tell them apart.
std::vector<std::string> tick_texts(const std::vector<double>& ticks, Dim dim);

}  // namespace floptally
