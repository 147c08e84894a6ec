// How a published config says its parameters are stored: torch_dtype, quantization_config.
#include "network/family.h"

namespace floptally {

namespace {

struct Quantized {
  Dtype linear = Dtype::unspecified;   // linear layers in the blocks
  Dtype experts = Dtype::unspecified;  // expert matrices
  std::vector<std::string_view> skipped;  // parts of module names that stay as they are
};

// Weight bits of a compressed-tensors or modelopt scheme.
Dtype scheme_dtype(Node weights) {
  const std::optional<Integer> bits = weights.find("num_bits").as_integer();
  const std::string_view type = weights.find("type").text();
  if (!bits) return Dtype::unspecified;
  if (*bits == Integer(8)) return type == "int" ? Dtype::int8 : Dtype::float8_e4m3;
  if (*bits == Integer(4)) return type == "float" ? Dtype::nvfp4 : Dtype::int4_group128;
  return Dtype::unspecified;
}

Quantized read_quantization(Node q) {
  Quantized result;
  const std::string_view method = q.find("quant_method").text();
  std::string_view algorithm = q.find("quant_algo").text();
  if (const Node inner = q.find("quantization")) algorithm = inner.find("quant_algo").text();
  if (method == "fp8" || method == "fbgemm_fp8") {
    result.linear = q.find("weight_block_size") ? Dtype::float8_block128 : Dtype::float8_e4m3;
    result.experts = result.linear;
    if (q.find("expert_dtype").text() == "fp4") result.experts = Dtype::mxfp4;
  } else if (method == "mxfp4") {
    result.experts = Dtype::mxfp4;
  } else if (algorithm == "NVFP4") {
    result.linear = result.experts = Dtype::nvfp4;
  } else if (algorithm == "FP8") {
    result.linear = result.experts = Dtype::float8_e4m3;
  } else if (method == "gptq" || method == "awq") {
    result.linear = result.experts = Dtype::int4_group128;
  } else if (method == "bitsandbytes") {
    result.linear = result.experts = q.find("load_in_4bit").as_bool().value_or(false) ? Dtype::nf4 : Dtype::int8;
  } else if (const Node groups = q.find("config_groups")) {
    for (Node group : groups) {
      result.linear = result.experts = scheme_dtype(group.find("weights"));
      break;
    }
  }
  for (const char* key : {"modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules"}) {
    for (Node name : q.find(key)) result.skipped.push_back(name.text());
  }
  return result;
}

bool is_skipped(const Quantized& q, std::string_view name) {
  for (std::string_view skipped : q.skipped) {
    if (!name.empty() && skipped.find(name) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

void read_storage(Node config, Network& network) {
  Node quantization = config.find("quantization_config");
  for (const char* name : {"text_config", "llm_config", "language_config", "thinker_config"}) {
    const Node inner = config.find(name);
    if (!quantization) quantization = inner.find("quantization_config");
  }
  for (const char* key : {"torch_dtype", "dtype"}) {
    Node value = config.find(key);
    if (!value) value = config.find("text_config").find(key);
    if (const std::optional<Dtype> dtype = find_dtype(value.text())) network.dtype = *dtype;
  }
  if (!quantization.is_mapping()) return;
  const Quantized q = read_quantization(quantization);
  for (Op& op : network.ops) {
    const bool experts = op.def == &operators::k_grouped_linear;
    const bool linear_layer = op.def == &operators::k_linear && (op.component == Component::mlp ||
                                                                 op.component == Component::projection ||
                                                                 op.component == Component::recurrent);
    if (is_skipped(q, op.name)) continue;
    if (experts) op.stored = q.experts;
    if (linear_layer) op.stored = q.linear;
  }
}

}  // namespace floptally
