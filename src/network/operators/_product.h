// What products of an input with learned weights share: one product forward and one for each of the two gradients, a
// bias that is added to every output and summed over them backward, and the input kept for the weights' gradient.
#pragma once

#include "network/operator.h"

namespace floptally::operators {

// `product` and `bias` in FLOP, `input` and `output` in elements.
template <class N>
void add_product(Cost<N>& c, const N& product, const N& bias, const N& input, const N& output) {
  c.forward = {product, bias};
  c.backward_input = {product, N(0)};
  c.backward_weight = {product, bias};
  c.input = input;
  c.output = output;
  c.keep_input(input, true);
}

}  // namespace floptally::operators
