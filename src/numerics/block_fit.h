// The searches behind block formats, compiled for whatever processor runs them: the scale (and minimum) of a sub-block
// that loses least, among several tries each refitted by least squares. Eight fixed lanes, one rounded operation after
// another: the same codes on every processor. `n` is 16 or 32.
#pragma once

#include <cstdint>

namespace floptally::numerics {

// x ~ scale * q - minimum with q in 0..top, scale >= 0 and minimum >= 0.
struct AffineFit {
  float scale = 0;
  float minimum = 0;
};
AffineFit fit_affine(const float* x, int n, int top);

// x ~ scale * q with q in -half..half-1; the sign of scale puts the extreme weight on the longer side.
float fit_symmetric(const float* x, int n, int half);

// IQ4_NL: for 32 weights times `factor`, the codes of the nearest levels (the lower of two equally near); sums of
// level * x and level^2.
struct LevelSums {
  double weighted = 0, squares = 0;
};
LevelSums nearest_levels(const float* x, float factor, std::uint8_t* codes);
// Sum of (x - d * level)^2 over 32 weights.
double level_error(const float* x, float d, const std::uint8_t* codes);

}  // namespace floptally::numerics
