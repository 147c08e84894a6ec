#include "estimate/memory_options.h"

#include <algorithm>

#include "estimate/textbook.h"
#include "network/count.h"
#include "network/ops.h"

namespace floptally {

DeviceMemory predict_memory(const Network& network, const Run& run) {
  MemoryProfile profile(run);
  replay(network, profile);
  return peak_memory(profile, run);
}

namespace {

// Devices taken from data parallelism.
template <class Offer>
void offer_splits(const Layout& l, const Offer& offer) {
  for (const std::int64_t by : {2, 4, 8}) {
    if (l.data % by != 0) continue;
    offer("layout.tensor: " + std::to_string(l.tensor * by), "more traffic inside a node", [by](Run& r) {
      r.layout.tensor *= by;
      r.layout.data /= by;
      r.layout.sequence_parallel = true;
    });
    offer("layout.pipeline: " + std::to_string(l.pipeline * by), "a longer pipeline bubble", [by](Run& r) {
      r.layout.pipeline *= by;
      r.layout.data /= by;
      if (r.layout.zero > Zero::optimizer) r.layout.zero = Zero::optimizer;
    });
    offer("layout.context: " + std::to_string(l.context * by), "keys and values travel round a ring", [by](Run& r) {
      r.layout.context *= by;
      r.layout.data /= by;
    });
  }
}

}  // namespace

std::vector<MemoryOption> memory_options(const Network& network, const Run& run, const Divisors& model,
                                         double capacity) {
  std::vector<MemoryOption> out;
  const auto offer = [&](std::string change, std::string costs, auto&& edit) {
    MemoryOption option;
    option.run = run;
    edit(option.run);
    const LayoutCase legal{option.run.layout, model, run.layout.devices()};
    if (!is_legal(legal)) return;
    option.change = std::move(change);
    option.costs = std::move(costs);
    const MemoryLines lines = memory_lines(predict_memory(network, option.run), option.run, 1, 1);
    option.visible = lines.visible.best;
    option.fits = lines.needed.best <= capacity;
    out.push_back(std::move(option));
  };
  const Layout& l = run.layout;
  if (l.zero < Zero::optimizer && l.data > 1)
    offer("layout.zero: 1", "nothing but an all-gather of weights", [](Run& r) { r.layout.zero = Zero::optimizer; });
  if (l.tensor > 1 && !l.sequence_parallel)
    offer("layout.sequence_parallel: true", "nothing: the same bytes travel",
          [](Run& r) { r.layout.sequence_parallel = true; });
  if (!run.fused_attention)
    offer("attention: fused", "nothing: it is faster", [](Run& r) { r.fused_attention = true; });
  for (std::int64_t size = l.micro_batch / 2; size >= 1; size /= 2) {
    offer("layout.micro_batch: " + std::to_string(size), "smaller matrix products",
          [size](Run& r) { r.layout.micro_batch = size; });
  }
  if (run.recompute.mode == Recompute::Mode::none && !run.fused_attention) {
    offer("recompute: selective", "a few percent more time",
          [](Run& r) { r.recompute.mode = Recompute::Mode::selective; });
  }
  if (l.zero < Zero::weights && l.data > 1 && l.pipeline == 1)
    offer("layout.zero: 3", "half as much traffic again", [](Run& r) { r.layout.zero = Zero::weights; });
  if (run.recompute.mode != Recompute::Mode::full) {
    offer("recompute: full", "a third more FLOP in every layer", [](Run& r) {
      r.recompute = {};
      r.recompute.mode = Recompute::Mode::full;
    });
  }
  if (run.optimizer.name == "adamw")
    offer("optimizer: adam-8bit", "rounded optimizer states",
          [](Run& r) { r.optimizer = *find_optimizer("adam-8bit"); });
  offer_splits(l, offer);
  if (!run.offload.optimizer)
    offer("offload: optimizer", "a slow optimizer step over the host link", [](Run& r) { r.offload.optimizer = true; });
  return out;
}

std::vector<MemoryOption> memory_changes(const Network& network, const Run& run, const Divisors& model,
                                         double capacity) {
  std::vector<MemoryOption> out;
  Run now = run;
  for (int i = 0; i < 4; ++i) {
    const std::vector<MemoryOption> options = memory_options(network, now, model, capacity);
    const auto best =
        std::min_element(options.begin(), options.end(),
                         [](const MemoryOption& a, const MemoryOption& b) { return a.visible < b.visible; });
    if (best == options.end()) break;
    out.push_back(*best);
    now = best->run;
    if (best->fits) return out;
  }
  return {};
}

}  // namespace floptally
