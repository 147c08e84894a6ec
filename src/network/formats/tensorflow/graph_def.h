// TensorFlow graphs (GraphDef, SavedModel) as a Flow: functions inlined, shapes followed from the placeholders.
// Schemas: tensorflow/core/framework/{graph,node_def,attr_value,tensor,function,op_def}.proto,
// core/protobuf/meta_graph.proto.
#pragma once

#include <string>
#include <string_view>

#include "floptally/diagnostic.h"
#include "network/formats/graph/flow.h"
#include "network/network.h"

namespace floptally::tensorflow {

struct Read {
  graph::Flow flow;
  std::int64_t samples = 1;
};

// `saved_model`: the bytes are a SavedModel (its first meta graph is read), else a GraphDef.
// Errors: tensorflow-malformed (with byte offset), missing-dimension, graph-cycle, too-much-work.
Result<bool> read_graph(std::string_view file, bool saved_model, const Source* source, const Inputs& inputs, Read& out);

}  // namespace floptally::tensorflow
