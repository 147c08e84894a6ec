// Any bytes as a TensorFlow graph: a GraphDef, and a SavedModel.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/tensorflow/graph_def.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  static const Source source{"fuzz.pb", "", true};
  Inputs inputs;
  inputs.batch = 2;
  for (bool saved : {false, true}) {
    tensorflow::Read result;
    const auto done =
        tensorflow::read_graph({reinterpret_cast<const char*>(data), size}, saved, &source, inputs, result);
    if (!done) {
      if (to_text(done.problems()).empty()) std::abort();
      continue;
    }
    graph::NetworkRecorder recorder;
    result.flow.finish(recorder, &source);
    (void)count(recorder.finish("fuzz", "tensorflow"));
  }
  return 0;
}
