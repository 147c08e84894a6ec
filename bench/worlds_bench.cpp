// Worlds of an answer shaped like the plan of the paper: 9 lines of FLOP, hours and money over three uncertain inputs.
// Beside it: bench/peers/simulate_plan.py, the same simulation in NumPy.
#include <benchmark/benchmark.h>

#include "book/leaf.h"
#include "book/worlds.h"

namespace floptally {
namespace {

void PlanWorlds(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    Trace trace;
    const Traced lrs = trace.leaf(leaf_of("lrs", *parse_amount("15 (10 to 22)")));
    const Traced rate = trace.leaf(leaf_of("rate", *parse_amount("350 (300 to 400) TFLOP/s")));
    const Traced price = trace.leaf(leaf_of("price", *parse_amount("3 (2 to 3.5) USD/device-hour")));
    std::vector<NodeId> ids;
    std::vector<Traced> flops, hours, costs;
    for (int line = 0; line < 9; ++line) {
      const Traced work = line % 3 == 0 ? Traced(1e23 * (line + 1)) : (line % 3 == 1 ? lrs * (1e22 * (line + 1)) : lrs * 1e22 + 3e21 * line);
      const Traced time = work / rate;
      flops.push_back(work);
      hours.push_back(time);
      costs.push_back(time * price);
    }
    flops.push_back(trace.sum(flops));
    hours.push_back(trace.sum(hours));
    costs.push_back(trace.sum(costs));
    for (const auto* column : {&flops, &hours, &costs})
      for (const Traced& each : *column) ids.push_back(each.in(trace));
    const Worlds worlds(trace, count);
    benchmark::DoNotOptimize(worlds.percentiles(ids));
  }
}
BENCHMARK(PlanWorlds)->Arg(1 << 14)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace floptally

BENCHMARK_MAIN();
