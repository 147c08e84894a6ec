// The inverted residual block of MobileNet, MNASNet and EfficientNet.
#pragma once

#include "network/kinds/_image.h"

namespace floptally::kinds {

// Expand, depthwise, (squeeze-excite), project; a residual where the shape stays (Sandler et al. 1801.04381).
struct Inverted {
  std::int64_t kernel, expanded, out, stride;
  std::int64_t squeezed = 0;
  Activation act = Activation::relu, se_act = Activation::relu, se_gate = Activation::sigmoid;
  bool always_expand = false;
};

inline constexpr Field kMultiplier = {.key = "multiplier", .expect = Expect::number, .doc = "width multiplier (1.0)"};

// By how much all widths are multiplied.
inline double multiplier_of(Spec& spec) {
  const double multiplier = spec.number_or("multiplier", 1.0);
  if (!(multiplier > 0 && multiplier < 100))
    spec.fail(
        error("shape-range", "'multiplier' must be above 0 and below 100", spec.node().find("multiplier").span()));
  return multiplier;
}

inline void inverted(ImageStack& x, const Inverted& b) {
  const Scope scope(x.sink, "block", 1, BlockKind::layer);
  const bool keeps = b.stride == 1 && x.channels == b.out;
  if (b.expanded != x.channels || b.always_expand) x.conv_norm("expand", {.out = b.expanded}, b.act);
  x.conv_norm("depthwise", {.out = b.expanded, .kernel = b.kernel, .stride = b.stride, .groups = b.expanded}, b.act);
  if (b.squeezed > 0) x.squeeze_excite(b.squeezed, b.se_act, b.se_gate);
  x.conv_norm("project", {.out = b.out}, Activation::identity);
  if (keeps) x.residual();
}

}  // namespace floptally::kinds
