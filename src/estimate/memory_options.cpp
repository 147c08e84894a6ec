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

double needed_by(const Network& network, const Run& run) {
  return memory_lines(predict_memory(network, run), run, 1, 1).needed.best;
}

// Devices taken from data parallelism.
template <class Offer>
void offer_splits(const Layout& l, std::int64_t linked, const Offer& offer) {
  for (const std::int64_t by : {2, 4, 8}) {
    if (l.data % by != 0) continue;
    if (linked == 0 || l.tensor * by <= linked)
      offer("layout.tensor: " + std::to_string(l.tensor * by), "more traffic inside a node", [by](Run& r) {
        r.layout.tensor *= by;
        r.layout.data /= by;
        r.layout.sequence_parallel = true;
      });
    offer("layout.pipeline: " + std::to_string(l.pipeline * by), "a longer pipeline bubble", [by](Run& r) {
      r.layout.pipeline *= by;
      r.layout.data /= by;
      if (r.layout.zero > Zero::optimizer && !r.framework.shards_pipelines) r.layout.zero = Zero::optimizer;
    });
    offer("layout.context: " + std::to_string(l.context * by), "keys and values travel round a ring", [by](Run& r) {
      r.layout.context *= by;
      r.layout.data /= by;
    });
  }
}

// Adapters in the place of all weights, where one device is fine-tuned on; a packed base where there are adapters.
template <class Offer>
void offer_adapters(const Run& run, const Offer& offer) {
  const bool adapts = run.adapter.rank > 0;
  if (!adapts && run.layout.devices() == 1)
    offer("adapter: {rank: 16}", "adapters alone are trained (LoRA)", [](Run& r) { r.adapter.rank = 16; });
  if (run.adapter.base != Dtype::unspecified || (!adapts && run.layout.devices() > 1)) return;
  offer(adapts ? "adapter.base: nf4" : "adapter: {rank: 16, base: nf4}",
        adapts ? "a base rounded to four bits (QLoRA)" : "adapters alone are trained, on a base of four bits (QLoRA)",
        [adapts](Run& r) {
          if (!adapts) r.adapter.rank = 16;
          r.adapter.base = Dtype::nf4;
        });
}

}  // namespace

std::vector<MemoryOption> memory_options(const Network& network, const Run& run, const Divisors& model,
                                         const DeviceLimits& device) {
  std::vector<MemoryOption> out;
  constexpr double kWorthIt = 0.995;  // what saves less is no way out
  const double now = needed_by(network, run);
  const auto offer = [&](std::string change, std::string costs, auto&& edit) {
    MemoryOption option;
    option.run = run;
    edit(option.run);
    const LayoutCase legal{option.run.layout, model, option.run.layout.devices(), run.framework.shards_pipelines};
    if (!is_legal(legal)) return;
    option.change = std::move(change);
    option.costs = std::move(costs);
    option.needed = needed_by(network, option.run);
    option.fits = option.needed <= device.capacity;
    if (option.needed > kWorthIt * now) return;
    out.push_back(std::move(option));
  };
  const auto offer_free = [&](const char* change, const char* costs, auto&& edit) {
    const std::size_t before = out.size();
    offer(change, costs, edit);
    if (out.size() > before) out.back().is_free = true;
  };
  const Layout& l = run.layout;
  if (l.zero < Zero::optimizer && l.data > 1)
    offer_free("layout.zero: 1", "nothing but an all-gather of weights",
               [](Run& r) { r.layout.zero = Zero::optimizer; });
  if (l.tensor > 1 && !l.sequence_parallel)
    offer_free("layout.sequence_parallel: true", "nothing: the same bytes travel",
               [](Run& r) { r.layout.sequence_parallel = true; });
  if (!run.fused_attention)
    offer_free("attention: fused", "nothing: it is faster", [](Run& r) { r.fused_attention = true; });
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
  offer_splits(l, device.linked, offer);
  if (!run.offload.optimizer)
    offer("offload: optimizer", "a slow optimizer step over the host link", [](Run& r) { r.offload.optimizer = true; });
  offer_adapters(run, offer);
  for (const std::int64_t by :
       {2, 4, 8, 16}) {  // the fewest devices more with which it fits, where they share something
    if (l.zero == Zero::none || l.shard > 0) break;
    const std::size_t before = out.size();
    offer("hardware.devices: " + std::to_string(l.devices() * by), "more devices",
          [by](Run& r) { r.layout.data *= by; });
    if (out.size() > before && out.back().fits) break;
    out.resize(before);
  }
  return out;
}

std::vector<MemoryOption> memory_changes(const Network& network, const Run& run, const Divisors& model,
                                         const DeviceLimits& device) {
  constexpr int kMost = 6;
  std::vector<MemoryOption> out;
  Run now = run;
  double needed = needed_by(network, run);
  for (int i = 0; i < kMost; ++i) {
    const std::vector<MemoryOption> options = memory_options(network, now, model, device);
    auto next = std::find_if(options.begin(), options.end(), [](const MemoryOption& o) { return o.fits; });
    if (next == options.end())
      next = std::find_if(options.begin(), options.end(),
                          [&](const MemoryOption& o) { return o.is_free && o.needed < needed; });
    if (next == options.end())
      next = std::min_element(options.begin(), options.end(),
                              [](const MemoryOption& a, const MemoryOption& b) { return a.needed < b.needed; });
    if (next == options.end()) break;
    out.push_back(*next);
    now = next->run;
    needed = next->needed;
    if (next->fits) return out;
  }
  return {};
}

}  // namespace floptally
