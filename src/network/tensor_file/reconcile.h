// What tensors say about a network: a network made of nothing but tensors, and the comparison of a described network
// (config.json, GGUF metadata) with the tensors that hold its parameters.
#pragma once

#include "network/network.h"
#include "network/tensor_file/tensor_file.h"

namespace floptally {

// Parameters by module path, no compute: one op a tensor (modules of numbered layers keep their numbers). FLOP are
// unknown, so totals of work are "at least".
Network network_of_tensors(const TensorFile& file, const std::string& name);

// Compares module by module where names are known. Parameters that the tensors hold and the description lacks are
// booked as ops of a block "unexplained", by name; what the description has and the tensors lack becomes a note. Sets
// how each matched op is stored and the exact bytes.
void reconcile(const TensorFile& file, Network& network);

// Learned numbers: not counters, index tables, running statistics or the scales and zero points of quantized weights.
bool is_parameter(const TensorEntry& tensor);
// "model.layers.0.mlp.experts.3.up_proj.weight" -> "layers.mlp.experts.up_proj": numbers, the wrapper and the last word
// go. GGUF's "blk.0.ffn_up.weight" becomes "layers.mlp.up_proj".
std::string module_path(std::string_view tensor_name, TensorFile::Container container);

}  // namespace floptally
