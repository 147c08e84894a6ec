// One memory prediction of a 96-layer model on 1,024 devices, warm, without derivations (aim: 10 microseconds), and the
// error card over all shipped rows (aim: half a second).
#include <benchmark/benchmark.h>

#include "base/embedded.h"
#include "estimate/evidence.h"
#include "network/blocks/decoder.h"

namespace floptally {
namespace {

DecoderShape gpt3() {
  DecoderShape s;
  s.layers = 96;
  s.width = 12288;
  s.heads = s.kv_heads = 96;
  s.head_dim = 128;
  s.ffn = 49152;
  s.vocabulary = 51200;
  s.sequence = 2048;
  s.norm = NormKind::layer;
  s.positions = Positions::learned;
  return s;
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
