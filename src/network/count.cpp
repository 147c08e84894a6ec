#include "network/count.h"

#include "network/walk.h"

namespace floptally {

template <class N>
void Measure<N>::add(const Measure& b, N times) {
  parameters += b.parameters * times;
  frozen += b.frozen * times;
  inactive += b.inactive * times;
  buffers += b.buffers * times;
  forward.matmul += b.forward.matmul * times;
  forward.other += b.forward.other * times;
  backward_input.matmul += b.backward_input.matmul * times;
  backward_input.other += b.backward_input.other * times;
  backward_weight.matmul += b.backward_weight.matmul * times;
  backward_weight.other += b.backward_weight.other * times;
  recompute_matmul += b.recompute_matmul * times;
  for (int i = 0; i < kKeepCount; ++i) kept[i] += b.kept[i] * times;
  input += b.input * times;
  output += b.output * times;
  at_least = at_least || b.at_least;
}

template <class N>
Measure<N> measure(const Op& op, const Cost<N>& cost, Gradient gradient) {
  Measure<N> m;
  const N times = N(op.times);
  if (!op.has(op_flags::tied)) {
    m.parameters = cost.parameters;
    m.inactive = cost.inactive;
    m.buffers = cost.buffers;
    if (op.has(op_flags::frozen)) m.frozen = cost.parameters;
  }
  m.at_least = cost.unknown;
  m.forward = {cost.forward.matmul * times, cost.forward.other * times};
  m.input = cost.input * times;
  m.output = cost.output * times;
  if (!gradient.input && !gradient.weight) return m;
  m.backward_input = {cost.backward_inner.matmul * times, cost.backward_inner.other * times};
  if (gradient.input) {
    m.backward_input.matmul += cost.backward_input.matmul * times;
    m.backward_input.other += cost.backward_input.other * times;
  }
  m.recompute_matmul = cost.recompute_matmul * times;
  if (gradient.weight) m.backward_weight = {cost.backward_weight.matmul * times, cost.backward_weight.other * times};
  for (int i = 0; i < cost.saved_count; ++i) {
    if (i == 0 && cost.saves_input && op.has(op_flags::shared_input)) continue;
    if (cost.saved[i].weight_only && !gradient.weight) continue;
    m.kept[static_cast<int>(cost.saved[i].keep)] += cost.saved[i].elements * times;
  }
  return m;
}

template <class N>
Measure<N> Tally<N>::total() const {
  Measure<N> sum;
  for (const Measure<N>& part : by_component) sum.add(part);
  return sum;
}

template <class N>
void Tally<N>::add(const Tally& b) {
  for (int i = 0; i < kComponentCount; ++i) by_component[i].add(b.by_component[i]);
}

template struct Measure<Integer>;
template struct Measure<double>;
template struct Tally<Integer>;
template struct Tally<double>;
template Measure<Integer> measure(const Op&, const Cost<Integer>&, Gradient);
template Measure<double> measure(const Op&, const Cost<double>&, Gradient);

namespace {

struct TallyVisitor {
  const Network& network;
  Tally<Integer> tally;
  void enter(std::uint32_t) {}
  void leave(std::uint32_t) {}
  void op(std::uint32_t index, Integer multiple, const Measure<Integer>& m) {
    tally.by_component[static_cast<int>(network.ops[index].component)].add(m, multiple);
  }
};

}  // namespace

Tally<Integer> count(const Network& network, const CountOptions& options) {
  TallyVisitor visitor{network, {}};
  Walker<TallyVisitor> walk(network, options, visitor);
  return visitor.tally;
}

void TallySink::clear() {
  tally_ = {};
  depth_ = 0;
  uneven_ = false;
  open_[0] = {1, false, false, false, false, BlockKind::group};
}

void TallySink::enter(std::string_view, std::int64_t repeat, BlockKind kind) {
  if (depth_ == kMaxBlockDepth) return;
  Open& parent = open_[depth_];
  const bool from = parent.kind == BlockKind::branches ? parent.start : parent.upstream;
  open_[++depth_] = {parent.multiple * static_cast<double>(repeat), from, from, from, repeat > 1, kind};
}

void TallySink::leave() {
  if (depth_ == 0) return;
  const Open done = open_[depth_--];
  if (training_ && done.repeated && done.any && !done.start) uneven_ = true;
  Open& parent = open_[depth_];
  if (done.multiple == 0) return;
  parent.any = parent.any || done.any;
  parent.upstream = parent.any;
}

void TallySink::add(const Op& op) {
  Open& here = open_[depth_];
  Cost<double> cost;
  cost_of(op, rules_, cost);
  const bool train = training_ && trains(op, cost);
  const bool from = here.kind == BlockKind::branches ? here.start : here.upstream;
  const Gradient gradient = training_ ? gradient_of(op, train, from) : Gradient{};
  here.any = here.any || train || gradient.input;
  here.upstream = here.any;
  Measure<double>& sum = tally_.by_component[static_cast<int>(op.component)];
  sum.at_least = sum.at_least || cost.unknown;
  if (!op.has(op_flags::tied)) {
    sum.parameters += cost.parameters * here.multiple;
    sum.inactive += cost.inactive * here.multiple;
    sum.buffers += cost.buffers * here.multiple;
    if (op.has(op_flags::frozen)) sum.frozen += cost.parameters * here.multiple;
  }
  const double times = here.multiple * static_cast<double>(op.times);
  sum.forward.matmul += cost.forward.matmul * times;
  sum.forward.other += cost.forward.other * times;
  if (!gradient.input && !gradient.weight) return;
  sum.backward_input.matmul += (cost.backward_inner.matmul + (gradient.input ? cost.backward_input.matmul : 0)) * times;
  sum.backward_input.other += (cost.backward_inner.other + (gradient.input ? cost.backward_input.other : 0)) * times;
  sum.recompute_matmul += cost.recompute_matmul * times;
  if (!gradient.weight) return;
  sum.backward_weight.matmul += cost.backward_weight.matmul * times;
  sum.backward_weight.other += cost.backward_weight.other * times;
}

bool TallySink::exact() const {
  if (uneven_) return false;
  double parameters = 0, forward = 0, matmul = 0, other = 0;
  for (const Measure<double>& m : tally_.by_component) {
    parameters += m.parameters;
    forward += m.forward_flop();
    matmul += m.backward_matmul();
    other += m.backward_other();
  }
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  return parameters < kLimit && forward < kLimit && matmul < kLimit && other < kLimit;
}

}  // namespace floptally
