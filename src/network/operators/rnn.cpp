#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_recurrent.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  recurrent_cost(1, 2, a, N(0), c);
}

}  // namespace

extern const OperatorDef k_rnn;
const OperatorDef k_rnn = {"rnn",
                           "simple recurrent layer (Elman)",
                           "PyTorch torch.nn.RNN; Epoch's layer table: 2(NM + M^2) FLOP per step",
                           kRecurrentAttributes,
                           5,
                           {"5 steps, 3 to 4, PyTorch biases", {5, 3, 4, 1, 2}, 36, 280, 80, 120, 280},
                           cost<Integer>,
                           cost<double>,
                           cost<Traced>};

}  // namespace floptally::operators
