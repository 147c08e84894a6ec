#include "book/trace.h"
#include "network/operators/_norm.h"

namespace floptally::operators {
namespace {

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  norm_cost(flop_per_element::rms_norm, 1, a, c);
}

}  // namespace

extern const OperatorDef k_rms_norm;
const OperatorDef k_rms_norm = {"rms_norm",
                                "root-mean-square norm over the last dimension",
                                "Zhang and Sennrich 1910.07467; saved: the input and one fp32 number per row",
                                kNormAttributes,
                                4,
                                {"3 rows of 4", {3, 4, 1, 0}, 4, 0, 48, 0, 0},
                                cost<Integer>,
                                cost<double>,
                                cost<Traced>};

}  // namespace floptally::operators
