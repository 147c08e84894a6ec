#include "base/file.h"
#include "network/format.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/tensorflow/graph_def.h"

namespace floptally::formats {
namespace {

int sniff(const ModelFile& file) {
  if (file.directory) return path_exists(file.path + "/saved_model.pb") ? 95 : 0;
  return file.named("saved_model.pb") ? 95 : file.named(".pb") || file.named(".graphdef") ? 60 : 0;
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  const std::string file_path = is_directory(path) ? path + "/saved_model.pb" : path;
  Result<MappedFile> file = MappedFile::open(file_path);
  if (!file) return file.take_problems();
  const Source& source = sources.add_binary(file_path);
  // A SavedModel begins with its schema version (field 1, a number); a GraphDef with a node (field 1, a message).
  const bool saved = file->size() > 0 && file->view()[0] == '\x08';
  tensorflow::Read result;
  Result<bool> done = tensorflow::read_graph(file->view(), saved, &source, inputs, result);
  if (!done) return done.take_problems();
  Network network = graph::network_of(result.flow, &source, path, "tensorflow");
  network.samples = result.samples;
  return network;
}

}  // namespace

extern const FormatDef k_savedmodel;
const FormatDef k_savedmodel = {"savedmodel", "a TensorFlow SavedModel or GraphDef; variables are never read",
                                "tensorflow/core/protobuf/saved_model.proto, tensorflow/core/framework/graph.proto",
                                sniff, read};

}  // namespace floptally::formats
