#include <algorithm>

#include "base/file.h"
#include "network/format.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/onnx/eval.h"
#include "network/formats/wire/protobuf.h"

namespace floptally::formats {
namespace {

// A serialized ModelProto starts with its IR version (field 1) or its producer (field 2).
int sniff(const ModelFile& file) {
  if (file.directory) return 0;
  if (file.named(".onnx") || file.named(".ort")) return 80;
  wire::WireError error;
  wire::Message field(file.head, file.head.data(), error);
  if (field.next() && field.varint(1) && field.value < 100 && field.next() &&
      (field.text(2) || field.text(7) || field.text(8)))
    return 40;
  return 0;
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.take_problems();
  const Source& source = sources.add_binary(path);
  const onnx::Bindings bindings{inputs.shape, inputs.let, inputs.batch, {}};
  Result<std::unique_ptr<onnx::Model>> model = onnx::read_model(file->view(), &source, bindings);
  if (!model) return model.take_problems();
  graph::NetworkRecorder recorder;
  onnx::Evaluator evaluator(**model, recorder, bindings);
  Result<bool> done = evaluator.run();
  if (!done) return done.take_problems();
  Network network = recorder.finish(path, "onnx");
  network.samples = (*model)->samples;
  for (Diagnostic& note : evaluator.notes()) network.notes.push_back(std::move(note));
  for (const auto& [name, size] : inputs.let) {
    network.bindings.push_back({name, size, "given", {}});
    const bool met = std::find(bindings.met.begin(), bindings.met.end(), name) != bindings.met.end();
    if (!met && name != "batch" && name != "sequence")
      network.notes.push_back(warning("unused-size", "--let " + name + ": no size of this graph has that name"));
  }
  return network;
}

}  // namespace

extern const FormatDef k_onnx;
const FormatDef k_onnx = {"onnx", "an ONNX model; weights are not needed and never read",
                          "github.com/onnx/onnx, onnx.proto3", sniff, read};

}  // namespace floptally::formats
