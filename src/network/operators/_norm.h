// What layer norm and root-mean-square norm share: a learned scale and shift over the last dimension.
#pragma once

#include "network/flop_per_element.h"
#include "network/operator.h"

namespace floptally::operators {

inline constexpr AttributeDef kNormAttributes[] = {
    {"rows", "vectors normalized", 0, Axis::tokens},
    {"width", "numbers per vector", 1, Axis::channels},
    {"scale", "1 with a learned scale", 0},
    {"shift", "1 with a learned shift", 0},
};

// `per_element`: FLOP of the forward pass; `saved`: numbers kept of each row beside the input.
template <class N>
void norm_cost(int per_element, int saved, const Attributes<N>& a, Cost<N>& c) {
  const N rows = a[0], width = a[1], scale = a[2], shift = a[3], elements = rows * width;
  c.parameters = (scale + shift) * width;
  c.forward.other = N(per_element) * elements;
  c.backward_input.other = N(flop_per_element::norm_backward) * elements;
  c.backward_weight.other = (N(2) * scale + shift) * elements;
  c.input = elements;
  c.output = elements;
  c.keep_input(elements, false);
  c.keep(N(saved) * rows, Keep::fp32);
}

}  // namespace floptally::operators
