// What the memory rules ask of an op.
#pragma once

#include "network/ops.h"

namespace floptally {

inline bool is_grouped(const Op& op) { return op.def == &operators::k_grouped_linear; }
inline bool is_linear(const Op& op) { return op.def == &operators::k_linear || is_grouped(op); }
inline bool is_norm(const Op& op) { return op.def == &operators::k_rms_norm || op.def == &operators::k_layer_norm; }
inline bool splits(const Op& op, int attribute) { return (op.tensor_split >> attribute & 1) != 0; }
inline bool column_parallel(const Op& op) { return is_linear(op) && splits(op, 2) && !splits(op, 1); }

}  // namespace floptally
