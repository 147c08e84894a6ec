#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_recurrent.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  recurrent_cost(3, 8, a, N(0), c);
}

}  // namespace

extern const OperatorDef k_gru;
const OperatorDef k_gru = {"gru",
                           "gated recurrent unit layer",
                           "PyTorch torch.nn.GRU; Epoch's layer table: 6(NM + M^2) FLOP per step",
                           kRecurrentAttributes,
                           5,
                           {"5 steps, 3 to 4, PyTorch biases", {5, 3, 4, 1, 2}, 108, 840, 280, 360, 840},
                           cost<Integer>,
                           cost<double>,
                           cost<Traced>};

}  // namespace floptally::operators
