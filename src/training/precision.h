// Precision: in which format each state of a training run is stored. The recipes are rows of
// data/training/precision.csv.
//
// Always holds: every format has a size (Dtype::unspecified means "this state does not exist"); the master copy is
// counted once, never as weights and as optimizer state both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/dtype.h"

namespace floptally {

struct Precision {
  std::string name = "bf16-mixed";
  Dtype weights = Dtype::bfloat16;
  Dtype gradients = Dtype::bfloat16;
  Dtype master = Dtype::float32;       // unspecified: the optimizer updates the weights themselves
  Dtype compute = Dtype::bfloat16;     // activations
  Dtype kept = Dtype::bfloat16;        // inputs that matrix products keep for their weight gradient
  std::vector<Dtype> copies;           // further copies of matrix weights (fp8 and its transpose, autocast's cast)
  bool states_follow_weights = false;  // the optimizer's moments are stored like the weights
  Dtype stream = Dtype::unspecified;   // what passes from layer to layer; unspecified: as `compute`
  std::string arithmetic = "bf16";     // as Device::peak names it
  std::string source;
};

// Bytes of one element, scales included; 0 for `unspecified`.
double bytes_of(Dtype dtype);

// By name or alias. Error: unknown-precision with the nearest names.
Result<Precision> find_precision(std::string_view name, Span at = {});
const std::vector<Precision>& precisions();

}  // namespace floptally
