// Quantization: in which number format a checkpoint stores the matrices of each part of a model, as its config.json
// says (quantization_config of fp8, mxfp4, GPTQ, AWQ, bitsandbytes, compressed-tensors and ModelOpt checkpoints).
//
// Always holds: quantizing changes how many bytes a parameter takes, never how many parameters there are. Tables,
// norms, biases, routers and convolutions stay in the model's own format. Lists of modules are read by the part they
// name; a part counts as left out when the list leaves it out in most of the layers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "document/document.h"
#include "network/dtype.h"

namespace floptally {

enum class Part : std::uint8_t {
  other,             // never quantized: tables, norms, routers
  attention,         // projections of softmax attention
  linear_attention,  // projections of linear-attention and state-space mixers
  dense,             // feed-forward matrices of dense layers
  shared,            // shared experts
  experts,           // routed experts
  head,              // logits
  towers,            // towers of other modalities and their projectors
  count_,
};

struct Quantization {
  std::array<Dtype, static_cast<std::size_t>(Part::count_)> stored{};  // unspecified: the model's own format
  bool skips_extra_heads = false;  // multi-token-prediction layers stay in the model's own format
  std::string_view method;         // "fp8", "modelopt" ...; empty without quantization

  [[nodiscard]] Dtype of(Part part) const { return stored[static_cast<std::size_t>(part)]; }
};

// Reads the quantization_config (compression_config) beside or above `config`; `layers` is the number of layers that
// module lists refer to. An unknown method leaves everything unspecified and `known` false.
struct QuantizationReading {
  Quantization quantization;
  bool known = true;
};
QuantizationReading read_quantization(const Node& quantization_config, std::int64_t layers, const Node& expert_dtype);

}  // namespace floptally
