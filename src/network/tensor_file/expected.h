// The tensors that a checkpoint of a described network would hold: names as hubs write them, shapes, types; no data.
#pragma once

#include "network/network.h"
#include "network/tensor_file/tensor_file.h"

namespace floptally {

// One tensor a weight, layers and experts numbered, tied weights once; the elements add up to the parameters counted.
// Where the source does not say how weights are stored, bf16 is assumed and noted. Weights that are stored in fewer
// bits than a plain float are listed as bf16 with the bytes they take. Errors: too-large (more than 2^20 tensors).
Result<TensorFile> expected_tensors(const Network& network);

}  // namespace floptally
