#include "book/trace.h"
#include "network/operator.h"
#include "network/operators/_recurrent.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  recurrent_cost(4, 9, a, a[5], c);
}

}  // namespace

extern const OperatorDef k_lstm;
const OperatorDef k_lstm = {"lstm",
                            "long short-term memory layer, optionally with a projected output",
                            "PyTorch torch.nn.LSTM; Epoch's layer table: 8(NM + M^2) FLOP per step",
                            kRecurrentAttributes,
                            6,
                            {"5 steps, 3 to 4, one bias (Keras)", {5, 3, 4, 1, 1, 0}, 128, 1120, 260, 480, 1120},
                            cost<Integer>,
                            cost<double>,
                            cost<Traced>};

}  // namespace floptally::operators
