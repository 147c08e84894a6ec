// Any bytes as a TFLite model.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/tflite/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  static const Source source{"fuzz.tflite", "", true};
  graph::Flow flow;
  const auto done = tflite::read_model({reinterpret_cast<const char*>(data), size}, &source, flow);
  if (!done) {
    if (to_text(done.problems()).empty()) std::abort();
    return 0;
  }
  graph::NetworkRecorder recorder;
  flow.finish(recorder, &source);
  (void)count(recorder.finish("fuzz", "tflite"));
  return 0;
}
