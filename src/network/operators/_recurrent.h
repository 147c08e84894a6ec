// What RNN, GRU and LSTM layers share: `gates` matrices from the input and from the state, at every time step.
#pragma once

#include "network/operator.h"

namespace floptally::operators {

// The last is the LSTM's alone.
inline constexpr AttributeDef kRecurrentAttributes[] = {
    {"steps", "time steps", 0, Axis::tokens},
    {"input", "input features", 1, Axis::channels},
    {"hidden", "hidden size", 1, Axis::channels},
    {"directions", "2 if bidirectional", 1},
    {"biases", "bias vectors per gate: 0, 1 (Keras LSTM) or 2 (PyTorch, Keras GRU)", 0},
    {"projected", "size of the projected output, 0 without", 0},
};

// `projected` is 0 without a projection of the output.
// Source: PyTorch torch.nn.LSTM (weight_ih: gates x hidden by input; weight_hh: gates x hidden by state; weight_hr).
template <class N>
void recurrent_cost(int gates, int elementwise, const Attributes<N>& a, N projected, Cost<N>& c) {
  const N steps = a[0], input = a[1], hidden = a[2], directions = a[3], biases = a[4];
  const N rows = N(gates) * hidden;
  const N state = N(0) < projected ? projected : hidden;
  const N runs = steps * directions;
  const N from_input = N(2) * runs * rows * input;
  const N from_state = N(2) * runs * rows * state;
  const N projection = N(2) * runs * hidden * projected;
  c.parameters = directions * (rows * (input + state) + biases * rows + hidden * projected);
  c.forward = {from_input + from_state + projection, runs * (biases * rows + N(elementwise) * hidden)};
  c.backward_input = {from_input, N(0)};
  // The first step's state is not an output of the layer, so its gradient is not computed.
  const N later = N(0) < steps ? (steps - N(1)) * directions : N(0);
  c.backward_inner = {N(2) * later * rows * state + projection, N(2) * runs * N(elementwise) * hidden};
  c.backward_weight = {from_input + from_state + projection, runs * biases * rows};
  c.input = steps * input;
  c.output = runs * state;
  c.keep_input(steps * input, true);
  c.keep(runs * (gates == 1 ? state : rows + hidden + state), Keep::activation);  // gates, cell or candidate, output
}

}  // namespace floptally::operators
