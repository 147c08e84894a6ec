// Optimizer: what it holds per trained number. Rows of data/training/optimizers.csv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/dtype.h"

namespace floptally {

struct Optimizer {
  std::string name = "adamw";
  std::vector<Dtype> states;   // full-size states
  bool factored = false;       // Adafactor: a row and a column vector instead of a full second moment
  double preconditioner = 0;   // full in x in and out x out fp32 matrices per weight matrix
  double block = 0;            // sides of the blocks that a matrix is cut into for those; 0: whole
  double longest = 0;          // sides longer than this get none of them; 0: all do
  bool matrices_only = false;  // Muon: matrices hold `states`, all else AdamW's two
  double flop_per_parameter = 0;
  std::string source;
};

// By name or alias. Error: unknown-optimizer with the nearest names.
Result<Optimizer> find_optimizer(std::string_view name, Span at = {});
const std::vector<Optimizer>& optimizers();

// Bytes that `optimizer` holds for a weight matrix of rows x columns (columns = 1: a vector). `like` replaces
// fp32 as the format of full-size states (pure bf16 recipes); unspecified keeps the optimizer's own.
double state_bytes(const Optimizer& optimizer, double rows, double columns, Dtype like = Dtype::unspecified);
// Bytes per parameter of the full-size states alone: what closed formulas call K minus the master copy.
double state_bytes_per_parameter(const Optimizer& optimizer, Dtype like = Dtype::unspecified);

}  // namespace floptally
