#include "estimate/rank.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace floptally {
namespace {

void accumulate(LayerMemory& to, const LayerMemory& from, double times) {
  to.dense += from.dense * times;
  to.expert += from.expert * times;
  to.trained_dense += from.trained_dense * times;
  to.trained_expert += from.trained_expert * times;
  to.frozen_bytes += from.frozen_bytes * times;
  to.frozen_scales += from.frozen_scales * times;
  to.matrix += from.matrix * times;
  to.states_dense += from.states_dense * times;
  to.states_expert += from.states_expert * times;
  to.gathered += from.gathered * times;
  to.gradient += from.gradient * times;
  if (from.largest > to.largest) {
    to.largest = from.largest;
    to.largest_states = from.largest_states;
  }
}

// Layers [begin, end) of chunk `index` in model order.
std::pair<double, double> chunk_range(const Layout& layout, double layers, std::int64_t index) {
  const std::int64_t parts = layout.model_chunks();
  if (!layout.stages.empty()) {
    double begin = 0;
    for (std::int64_t i = 0; i < index && i < static_cast<std::int64_t>(layout.stages.size()); ++i)
      begin += as_double(layout.stages[static_cast<std::size_t>(i)]);
    const double size = index < static_cast<std::int64_t>(layout.stages.size())
                            ? as_double(layout.stages[static_cast<std::size_t>(index)])
                            : 0;
    return {begin, std::min(layers, begin + size)};
  }
  const double i = as_double(index);
  if (parts > 2 && std::fmod(layers, as_double(parts)) != 0 && std::fmod(layers + 2, as_double(parts)) == 0) {
    // Two layers less than would be even: the embedding and the output layer have a layer's place each (DeepSpeed's
    // type:transformer|embedding, Megatron-LM's --account-for-embedding-in-pipeline-split and -loss-).
    const double slot = (layers + 2) / as_double(parts);
    return {std::max(0.0, slot * i - 1), std::min(layers, slot * (i + 1) - 1)};
  }
  const double each = std::floor(layers / as_double(parts)), rest = layers - each * as_double(parts);
  const double begin = each * i + std::min(i, rest);
  return {begin, begin + each + (i < rest ? 1 : 0)};
}

void add_layer(Chunk& chunk, const LayerMemory& layer, double times, double position, const Run& run) {
  accumulate(chunk.sum, layer, times);
  double full = 0;  // of these layers, how many are recomputed whole
  if (run.recompute.mode == Recompute::Mode::full) {
    const double limit = run.recompute.layers > 0 ? as_double(run.recompute.layers) : 1e18;
    const double every = std::max(1.0, as_double(run.recompute.every));
    const double first = std::min(position, limit), last = std::min(position + times, limit);
    full = std::floor(last / every) - std::floor(first / every);
  }
  const double group = std::max(1.0, as_double(run.recompute.group));
  const double kept = run.recompute.mode == Recompute::Mode::selective ? layer.kept_policy : layer.kept;
  const double beyond = run.recompute.mode == Recompute::Mode::selective ? layer.unsplit_policy : layer.unsplit;
  const double untouched = std::clamp(as_double(run.adapter.first) - position, 0.0, times - full);
  chunk.activations += full * layer.input / group + (times - full - untouched) * (kept + beyond);
  const double again = full > 0 ? layer.kept * std::min(group, full) : std::max(0.0, layer.kept - kept);
  chunk.replayed = std::max(chunk.replayed, again);
  chunk.routed += full * layer.routed;
  chunk.inputs += full * layer.input;
  chunk.cache += times * layer.cache;
  chunk.cache_remade += full * layer.cache;
  const bool selective = run.recompute.mode == Recompute::Mode::selective;
  chunk.working = std::max(chunk.working, selective ? layer.working_policy : layer.working);
  chunk.gathered_layer = std::max(chunk.gathered_layer, layer.gathered);
  chunk.gradient_layer = std::max(chunk.gradient_layer, layer.gradient);
  if (chunk.input == 0) chunk.input = layer.input;
}

Chunk make_chunk(const MemoryProfile& profile, const Run& run, std::int64_t index, MemoryProfile::ClassSet& classes) {
  Chunk chunk;
  const double layers = profile.layer_count();
  const auto [begin, end] = chunk_range(run.layout, layers, index);
  double position = 0;
  for (int i = 0; i < profile.classes(); ++i) {
    const LayerMemory& layer = profile.layer(i);
    const double from = std::max(begin, position), to = std::min(end, position + layer.count);
    position += layer.count;
    if (to <= from) continue;
    classes[static_cast<std::size_t>(i) / 64] |= std::uint64_t{1} << (i % 64);
    add_layer(chunk, layer, to - from, chunk.layers, run);
    chunk.layers += to - from;
  }
  chunk.first = index == 0;
  chunk.last = index == run.layout.model_chunks() - 1;
  if (chunk.first) {
    accumulate(chunk.sum, profile.before(), 1);
    chunk.activations += profile.before().kept;
  }
  if (chunk.last) {
    accumulate(chunk.sum, profile.after(), 1);
    if (profile.tied() && !chunk.first) {  // the output matrix is a second copy of the embedding on another rank
      LayerMemory copy = profile.before();
      copy.dense = copy.trained_dense = profile.after().head;
      copy.frozen_bytes = copy.frozen_scales = 0;
      copy.states_dense = profile.before().dense > 0
                              ? profile.before().states_dense * profile.after().head / profile.before().dense
                              : 0;
      accumulate(chunk.sum, copy, 1);
    }
  }
  return chunk;
}

}  // namespace

void make_rank(const MemoryProfile& profile, const Run& run, std::int64_t stage, Rank& rank) {
  const Layout& layout = run.layout;
  rank.count = static_cast<int>(std::clamp<std::int64_t>(layout.chunks, 1, kMaxChunks));
  for (int c = 0; c < rank.count; ++c) {
    std::int64_t index = c * layout.pipeline + stage;
    const bool folded = layout.schedule == Schedule::zb_v || layout.schedule == Schedule::dualpipe_v;
    if (folded && c == 1) index = 2 * layout.pipeline - 1 - stage;
    if (layout.schedule == Schedule::dualpipe) index = c == 0 ? stage : layout.pipeline - 1 - stage;
    Chunk& chunk = rank.chunks[c] = make_chunk(profile, run, index, rank.classes);
    accumulate(rank.sum, chunk.sum, 1);
    rank.sum_layers += chunk.layers;
    rank.routed += chunk.routed;
    rank.inputs += chunk.inputs;
    rank.cache += chunk.cache;
    rank.cache_remade += chunk.cache_remade;
    rank.working = std::max(rank.working, chunk.working);
    rank.replayed = std::max(rank.replayed, chunk.replayed);
    rank.gathered_layer = std::max(rank.gathered_layer, chunk.gathered_layer);
    rank.gradient_layer = std::max(rank.gradient_layer, chunk.gradient_layer);
    rank.input = std::max(rank.input, chunk.input);
    rank.head = rank.head || chunk.last;
  }
}

}  // namespace floptally
