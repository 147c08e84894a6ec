// A StableHLO module as a Flow: its main function with calls inlined and loops multiplied by their trip counts.
#pragma once

#include "network/formats/graph/flow.h"
#include "network/formats/stablehlo/text.h"

namespace floptally::stablehlo {

// Which arguments of main are learned: those that JAX labels as parameters; where it labels none, those that are the
// right side of a product or a convolution, or vectors (a note says so). Errors: graph-cycle, too-much-work.
Result<bool> count_module(const Source& source, const Module& module, graph::Flow& flow, Diagnostics& notes);

}  // namespace floptally::stablehlo
