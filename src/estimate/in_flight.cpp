#include "estimate/in_flight.h"

#include <algorithm>

namespace floptally {
namespace {

// Narayanan et al. 2104.04473: groups of `pipeline` micro-batches pass each chunk in turn.
void interleave(const Layout& layout, double micro, std::int64_t stage, const double* weight, int head, InFlight& out) {
  const std::int64_t p = layout.pipeline, v = out.chunks;
  const std::int64_t m = std::min<std::int64_t>(static_cast<std::int64_t>(micro),
                                                std::min<std::int64_t>(p * 3, 4096));  // by then it repeats
  const std::int64_t total = m * v;
  const std::int64_t warmup = std::min(total, (p - stage - 1) * 2 + (v - 1) * p);
  double held[kMaxChunks] = {}, best = -1, best_head = -1;
  const auto note = [&](double& record, double* copy) {
    double sum = 0;
    for (int c = 0; c < out.chunks; ++c) sum += held[c] * weight[c];
    if (sum <= record) return;
    record = sum;
    std::copy(held, held + out.chunks, copy);
  };
  std::int64_t forward = 0, backward = 0;
  while (backward < total) {
    if (forward < total && forward <= backward + warmup) {
      const int chunk = static_cast<int>(forward / p % v);
      held[chunk] += 1;
      note(best, out.fullest);
      if (chunk == head) note(best_head, out.at_head);
      ++forward;
      if (forward <= warmup) continue;
    }
    held[v - 1 - backward / p % v] -= 1;
    ++backward;
  }
}

}  // namespace

InFlight in_flight(const Layout& layout, std::int64_t batch, std::int64_t stage, const double* weight, int head,
                   int count) {
  InFlight out;
  out.chunks = count;
  const double m = as_double(micro_batches(layout, batch));
  const double p = as_double(layout.pipeline), left = p - as_double(stage);
  double each = std::min(m, left);
  switch (layout.schedule) {
    case Schedule::gpipe:
      each = m;
      break;
    case Schedule::one_f_one_b:
      break;
    case Schedule::zb_h1:
      each = std::min(m, p);
      break;  // Qi et al. 2401.10241, table 2: p activations
    case Schedule::zb_h2:
      each = std::min(m, 2 * p - 1);
      break;
    case Schedule::zb_v:  // two half-size chunks, p activations in all
      each = std::min(m, p);
      break;
    case Schedule::dualpipe_v:  // 2p stages, of which a rank holds two: 2p + 1 activations of a stage
      each = std::min(m, p + 0.5);
      break;
    case Schedule::dualpipe:
      each = std::min(m / 2, (p + 1) / 2);  // of two stages, and half the micro-batches go each way
      break;                                // DeepSeek-V3 2412.19437, table 2: p + 1 activations of a stage
    case Schedule::interleaved:
      interleave(layout, m, stage, weight, head, out);
      return out;
  }
  for (int c = 0; c < count; ++c) out.fullest[c] = out.at_head[c] = each;
  return out;
}

double micro_batches_in_flight(const Layout& layout, std::int64_t batch, std::int64_t stage) {
  double weight[kMaxChunks];
  const int count = static_cast<int>(std::clamp<std::int64_t>(layout.chunks, 1, kMaxChunks));
  std::fill(weight, weight + count, 1.0);
  const InFlight flight = in_flight(layout, batch, stage, weight, -1, count);
  double sum = 0;
  for (int c = 0; c < count; ++c) sum += flight.fullest[c];
  return sum / count;
}

std::vector<int> passes_of(const Layout& layout, std::int64_t micro, std::int64_t stage, int chunks, int most) {
  const std::int64_t p = layout.pipeline, v = chunks;
  const std::int64_t m = std::max<std::int64_t>(1, std::min<std::int64_t>(micro, most / (2 * v)));
  const std::int64_t total = m * v;
  std::int64_t warmup = v > 1 ? (p - stage - 1) * 2 + (v - 1) * p : p - stage - 1;
  if (layout.schedule == Schedule::gpipe) warmup = total;
  std::vector<int> passes;
  std::int64_t forward = 0, backward = 0;
  const std::int64_t group = v > 1 ? p : 1;
  while (backward < total) {
    if (forward < total && forward <= backward + warmup) {
      passes.push_back(static_cast<int>(forward / group % v) + 1);
      if (++forward <= warmup) continue;
    }
    passes.push_back(-static_cast<int>(v - 1 - backward / group % v) - 1);
    ++backward;
  }
  return passes;
}

}  // namespace floptally
