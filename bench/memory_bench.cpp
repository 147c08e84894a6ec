// One memory prediction of a 96-layer model on 1,024 devices, warm, without derivations (aim: 10 microseconds), and the
// error card over all shipped rows (aim: half a second).
#include <benchmark/benchmark.h>

#include "base/embedded.h"
#include "evidence/card.h"
#include "network/blocks/decoder.h"

namespace floptally {
namespace {

DecoderShape gpt3() {
  return {.layers = 96,
          .width = 12288,
          .heads = 96,
          .kv_heads = 96,
          .head_dim = 128,
          .ffn = 49152,
          .vocabulary = 51200,
          .sequence = 2048,
          .positions = Positions::learned,
          .norm = NormKind::layer};
}

void predict_memory_96_layers_1024_devices(benchmark::State& state) {
  const DecoderShape shape = gpt3();
  Run run = default_run();
  run.device = "H100-SXM";
  run.layout.tensor = 8;
  run.layout.pipeline = 8;
  run.layout.data = 16;
  run.layout.zero = Zero::optimizer;
  run.layout.sequence_parallel = true;
  run.batch = 1536;
  for (auto step : state) {
    run.layout.micro_batch = run.layout.micro_batch == 1 ? 2 : 1;  // nothing can be remembered
    MemoryProfile profile(run);
    describe_decoder(shape, profile);
    benchmark::DoNotOptimize(peak_memory(profile, run).allocated());
  }
}
BENCHMARK(predict_memory_96_layers_1024_devices)->Unit(benchmark::kMicrosecond);

void score_every_shipped_memory_row(benchmark::State& state) {
  Source source;
  source.text = std::string(*embedded_file("evidence/memory.csv"));
  for (auto step : state) {
    const auto csv = Csv::read(source);
    const auto rows = read_evidence(*csv);
    benchmark::DoNotOptimize(memory_card(*rows, nullptr).scored.size());
  }
}
BENCHMARK(score_every_shipped_memory_row)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace floptally

BENCHMARK_MAIN();
