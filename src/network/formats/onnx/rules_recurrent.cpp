// RNN, GRU and LSTM: an input projection for the whole sequence and one product with the state at every step.
#include <algorithm>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

using graph::Kind;
using graph::Step;

bool recurrent(Eval& e) {
  const Type x = e.in(0), w = e.in(1), r = e.in(2);
  const std::int64_t gates = e.rule().choice;
  const bool batch_first = e.integer("layout", 0) != 0;
  if (!x.ranked() || !w.ranked() || x.rank != 3 || w.rank != 3) {
    for (int i = 0; i < e.outputs(); ++i) e.unranked(i, x.elem);
    e.product(Kind::recurrent, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  const std::int64_t steps = x.dims[batch_first ? 1 : 0], batch = x.dims[batch_first ? 0 : 1], width = x.dims[2];
  const std::int64_t directions = w.dims[0];
  std::int64_t hidden = e.integer("hidden_size", w.dims[1] < 0 ? kUnknown : w.dims[1] / gates);
  if (hidden <= 0 && r.ranked() && r.rank == 3) hidden = r.dims[2];
  if (width >= 0 && w.dims[2] >= 0 && width != w.dims[2])
    return e.fail("shape-mismatch",
                  "has inputs of width " + std::to_string(width) + "; its weights expect " + std::to_string(w.dims[2]));
  Dims all, last;
  if (batch_first) {
    for (std::int64_t size : {batch, steps, directions, hidden}) all.push(size);
    for (std::int64_t size : {batch, directions, hidden}) last.push(size);
  } else {
    for (std::int64_t size : {steps, directions, batch, hidden}) all.push(size);
    for (std::int64_t size : {directions, batch, hidden}) last.push(size);
  }
  const bool trained = e.gradient(0) || e.gradient(1) || e.gradient(2);
  e.shape(0, x.elem, all);
  e.shape(1, x.elem, last);
  e.shape(2, x.elem, last);
  e.product(Kind::recurrent, 0, 1, directions, size_times(steps, batch), size_times(gates, hidden), width,
            ~std::uint32_t{4});
  if (steps < 0 || batch < 0 || hidden < 0 || directions < 0) {
    e.product(Kind::recurrent, -1, 2, kUnknown, 1, 1, 1, 4);
    return true;
  }
  // The state before the first step needs a gradient only where it is learned; all later ones do.
  const Evaluator& owner = e.owner();
  Step s = e.step(Kind::recurrent);
  s.batch = directions;
  s.rows = batch;
  s.columns = gates * hidden;
  s.inner = hidden;
  s.right_weight = r.has(kWeight);
  s.right_gradient = e.gradient(2);
  s.flop_per_element = 0;
  s.read = s.written = directions * batch * hidden;
  s.kept = trained ? s.read * (gates == 1 ? 1 : gates + 2) : 0;  // gates, cell or candidate, output: as operators/lstm
  if (steps > 0) {
    s.left_gradient = e.gradient(5);
    e.record(s, 4);
  }
  if (steps > 1) {
    s.times = owner.times * (steps - 1);
    s.left_gradient = trained;
    e.record(s, 0);
  }
  return true;
}

}  // namespace

const Rule kRecurrentRules[] = {
    {"RNN", recurrent, 16, kAll, kAll, 0, 1},
    {"GRU", recurrent, 16, kAll, kAll, 0, 3},
    {"LSTM", recurrent, 16, kAll, kAll, 0, 4},
    {"", nullptr},
};

}  // namespace floptally::onnx
