// Any bytes as an ONNX model: no crash, bounded time, and what is counted is never negative.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/onnx/eval.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  static const Source source{"fuzz.onnx", "", true};
  const onnx::Bindings bindings{{}, {{"batch", 2}}, 2};
  auto model = onnx::read_model({reinterpret_cast<const char*>(data), size}, &source, bindings);
  if (!model) {
    if (to_text(model.problems()).empty()) std::abort();
    return 0;
  }
  graph::NetworkRecorder recorder;
  onnx::Evaluator evaluator(**model, recorder, bindings);
  evaluator.most_work = 20'000;
  const auto done = evaluator.run();
  if (!done) {
    if (to_text(done.problems()).empty()) std::abort();
    return 0;
  }
  const Measure<Integer> total = count(recorder.finish("fuzz", "onnx")).total();
  if (total.parameters.valid() && total.parameters < Integer(0)) std::abort();
  if (total.forward.matmul.valid() && total.forward.matmul < Integer(0)) std::abort();
  return 0;
}
