// What one element costs in the operations that are not matrix products. These are conventions, not measurements: a
// division, an exponential and an addition each count as one FLOP here, as in ELECTRA's flops_computation.py and the
// layer table of Epoch's "Estimating Training Compute". They enter only "all" counts and stay below 1% of a large
// model.
#pragma once

#include <cstdint>

namespace floptally::flop_per_element {

inline constexpr std::int64_t layer_norm = 5;        // ELECTRA: mean, variance (2), normalize, scale
inline constexpr std::int64_t rms_norm = 4;          // square, mean, normalize, scale
inline constexpr std::int64_t norm_backward = 8;     // two reductions and the correction, for input gradients
inline constexpr std::int64_t softmax = 5;           // ELECTRA: maximum, subtract, exponential, sum, divide
inline constexpr std::int64_t softmax_backward = 4;  // p * (g - sum(g * p))
inline constexpr std::int64_t dropout = 2;           // compare, multiply (the random number is not counted)
inline constexpr std::int64_t rotary = 3;            // per rotated element: two multiplications, one addition
inline constexpr std::int64_t cross_entropy = 6;     // softmax, logarithm
inline constexpr std::int64_t scan_step = 7;         // Megatron-LM's count per state element of a Mamba scan

}  // namespace floptally::flop_per_element
