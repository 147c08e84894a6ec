#include "book/trace.h"
#include "network/operator.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"tokens", "rows looked up", 0, Axis::tokens},
    {"vocabulary", "rows of the table", 1, Axis::channels},
    {"width", "numbers per row", 1, Axis::channels},
};

// A lookup multiplies nothing; the weight gradient is one addition per looked-up number.
template <class N>
void cost(const Attributes<N>& a, const Rules&, Cost<N>& c) {
  const N tokens = a[0], vocabulary = a[1], width = a[2];
  c.parameters = vocabulary * width;
  c.backward_weight.other = tokens * width;
  c.input = tokens;
  c.output = tokens * width;
  c.keep(tokens, Keep::index, true);
}

}  // namespace

extern const OperatorDef k_embedding;
const OperatorDef k_embedding = {
    "embedding",
    "table lookup by token id",
    "Epoch, Estimating Training Compute, layer table: V W parameters, no FLOP (a gather); PyTorch torch.nn.Embedding",
    kAttributes,
    3,
    {"8 tokens of a table of 100 rows of 4", {8, 100, 4}, 400, 0, 0, 0, 0},
    cost<Integer>,
    cost<double>,
    cost<Traced>};

}  // namespace floptally::operators
