#include "base/file.h"
#include "network/format.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/tflite/model.h"

namespace floptally::formats {
namespace {

int sniff(const ModelFile& file) {
  if (file.directory) return 0;
  if (file.head.size() >= 8 && file.head.substr(4, 4) == "TFL3") return 100;
  return file.named(".tflite") ? 50 : 0;
}

Result<Network> read(const std::string& path, const Inputs&, Sources& sources) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.take_problems();
  const Source& source = sources.add_binary(path);
  graph::Flow flow;
  Result<bool> done = tflite::read_model(file->view(), &source, flow);
  if (!done) return done.take_problems();
  return graph::network_of(flow, &source, path, "tflite");
}

}  // namespace

extern const FormatDef k_tflite;
const FormatDef k_tflite = {"tflite", "a TensorFlow Lite model", "tensorflow/compiler/mlir/lite/schema/schema.fbs",
                            sniff, read};

}  // namespace floptally::formats
