// A PyTorch export (torch.export, an ExportedProgram as JSON) as a Flow.
// Schema: pytorch/torch/_export/serde/schema.py, versions 3 to 8.
#pragma once

#include "document/document.h"
#include "network/formats/graph/flow.h"
#include "network/network.h"

namespace floptally::pt2 {

struct Program {
  graph::Flow flow;
  std::int64_t samples = 1;
};

// Errors: pt2-malformed, missing-dimension, input-shape.
Result<bool> read_program(const Document& document, const Inputs& inputs, Program& program);

}  // namespace floptally::pt2
