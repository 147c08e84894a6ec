#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>&, const Rules&, Cost<N>& c) {
  c.unknown = true;
}

}  // namespace

extern const OperatorDef k_unknown;
const OperatorDef k_unknown = {"unknown",
                               "an operator this program has no count for: every total with it is at least",
                               "none",
                               nullptr,
                               0,
                               {"never 0, but not counted", {}, 0, 0, 0, 0, 0},
                               cost<Integer>,
                               cost<double>,
                               cost<Traced>};

}  // namespace floptally::operators
