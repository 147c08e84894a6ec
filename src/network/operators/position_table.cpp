#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "positions of the sample that get a row added", 0, Axis::tokens},
    {"positions", "rows of the table", 1},
    {"width", "numbers per row", 1},
};

template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], positions = a[1], width = a[2];
  c.parameters = positions * width;
  c.forward.other = tokens * width;
  c.backward_weight.other = tokens * width;
  c.input = tokens * width;
  c.output = tokens * width;
}

}  // namespace

extern const OperatorDef k_position_table;
const OperatorDef k_position_table = {"position_table",
                                      "learned absolute positions, added to the token vectors",
                                      "GPT-2, BERT, ViT: one row per position",
                                      kAttributes,
                                      3,
                                      {"5 of 8 positions of width 4", {5, 8, 4}, 32, 0, 20, 0, 0},
                                      cost<Integer>,
                                      cost<double>,
                                      cost<Traced>};

}  // namespace floptally::operators
