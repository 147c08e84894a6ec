// Units: reading "TFLOP/s", "USD/device-hour", "GiB", "%". Values are held in base units; this table is the only place
// where prefixes and spellings exist.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/integer.h"
#include "floptally/diagnostic.h"
#include "floptally/quantity.h"

namespace floptally {

struct Unit {
  Dim dim;
  double scale = 1;                           // base units in one of these
  std::optional<Integer> exact = Integer(1);  // the scale, where it is an integer
  bool percent = false;
};

// Reads a whole unit expression: factors joined by '/', '*' or '-', each a name with an optional SI or binary prefix
// ("TFLOP/s", "USD/GPU-hour", "kWh", "GiB"). "" is the dimensionless unit. GPU, TPU, NPU, chip, accelerator mean
// device. Errors: unknown-unit (with the nearest), flops-spelling ("FLOPS": FLOP is a count, FLOP/s a rate).
Result<Unit> parse_unit(std::string_view text, Span at = {});

// How a dimension is called in messages: "FLOP/s", "USD/(device*s)", "a plain number".
std::string name_of(Dim dim);

}  // namespace floptally
