// Any text as StableHLO.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/stablehlo/count.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const Source source{"fuzz.mlir", std::string(reinterpret_cast<const char*>(data), size), false};
  stablehlo::Module module;
  if (!stablehlo::read_module(source, module)) return 0;
  graph::Flow flow;
  Diagnostics notes;
  const auto done = stablehlo::count_module(source, module, flow, notes);
  if (!done) {
    if (to_text(done.problems()).empty()) std::abort();
    return 0;
  }
  graph::NetworkRecorder recorder;
  flow.finish(recorder, &source);
  (void)count(recorder.finish("fuzz", "stablehlo"));
  return 0;
}
