// A TFLite model as a Flow. Schema: tensorflow/compiler/mlir/lite/schema/schema.fbs (version 3).
#pragma once

#include <string_view>

#include "floptally/diagnostic.h"
#include "network/formats/graph/flow.h"

namespace floptally::tflite {

// The main subgraph (index 0). Errors: tflite-malformed (with byte offset).
Result<bool> read_model(std::string_view file, const Source* source, graph::Flow& flow);

}  // namespace floptally::tflite
