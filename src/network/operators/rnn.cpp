#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_recurrent.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"steps", "time steps", 0, Axis::tokens},
    {"input", "input features", 1, Axis::channels},
    {"hidden", "hidden size", 1, Axis::channels},
    {"directions", "2 if bidirectional", 1},
    {"biases", "bias vectors per gate: 0, 1 (Keras LSTM) or 2 (PyTorch, Keras GRU)", 0},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  recurrent_cost(1, 2, a, N(0), c);
}

}  // namespace

extern const OperatorDef k_rnn;
const OperatorDef k_rnn = {"rnn",
                           "simple recurrent layer (Elman)",
                           "PyTorch torch.nn.RNN; Epoch's layer table: 2(NM + M^2) FLOP per step",
                           kAttributes,
                           5,
                           {"5 steps, 3 to 4, PyTorch biases", {5, 3, 4, 1, 2}, 36, 280, 80, 120, 280},
                           cost<Integer>,
                           cost<double>,
                           cost<Traced>};

}  // namespace floptally::operators
