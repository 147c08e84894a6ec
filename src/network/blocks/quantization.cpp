#include "network/blocks/quantization.h"

#include <algorithm>
#include <optional>

#include "base/letters.h"

namespace floptally {
namespace {

bool ends_with_word(std::string_view text, std::string_view word) {
  while (!text.empty() && (text.back() == '*' || text.back() == '.' || text.back() == '$')) text.remove_suffix(1);
  return text.size() >= word.size() && text.substr(text.size() - word.size()) == word;
}

// The part that a module name or pattern means; nothing for norms, indexers and whole layers.
std::optional<Part> part_of(std::string_view name) {
  if (contains(name, "vision") || contains(name, "visual") || contains(name, "projector") ||
      contains(name, "patch_merge"))
    return Part::towers;
  if (contains(name, "norm") || contains(name, "bias") || contains(name, "indexers_proj")) return std::nullopt;
  if (ends_with_word(name, "head")) return Part::head;
  if (contains(name, "shared_expert")) return ends_with_word(name, "gate") ? std::nullopt : std::optional(Part::shared);
  if (contains(name, "experts")) return Part::experts;
  if (ends_with_word(name, "gate") || contains(name, "router")) return std::nullopt;
  if (contains(name, "linear_attn") || contains(name, "mixer")) return Part::linear_attention;
  if (contains(name, "attn")) return Part::attention;
  if (contains(name, "mlp")) return Part::dense;
  return std::nullopt;
}

std::optional<Dtype> format_named(std::string_view algorithm) {
  if (contains(algorithm, "NVFP4")) return Dtype::nvfp4;
  if (contains(algorithm, "MXFP8")) return Dtype::mxfp8;
  if (contains(algorithm, "MXFP4")) return Dtype::mxfp4;
  if (contains(algorithm, "FP8")) return contains(algorithm, "PB") ? Dtype::float8_block128 : Dtype::float8_e4m3;
  if (contains(algorithm, "INT4") || contains(algorithm, "W4A16") || contains(algorithm, "W4A8"))
    return Dtype::int4_group128;
  if (contains(algorithm, "INT8") || contains(algorithm, "W8A8")) return Dtype::int8;
  return std::nullopt;
}

// A weight scheme of ModelOpt's and compressed-tensors' config_groups.
std::optional<Dtype> format_of_scheme(const Node& weights, std::string_view packing) {
  const auto bits = weights["num_bits"].as_integer();
  if (!bits) return std::nullopt;
  const bool floating = weights["type"].text() == "float";
  const auto group = weights["group_size"].as_integer();
  if (*bits == Integer(8))
    return floating ? (weights["strategy"].text() == "block" ? Dtype::float8_block128 : Dtype::float8_e4m3)
                    : Dtype::int8;
  if (*bits != Integer(4)) return std::nullopt;
  if (!floating) return Dtype::int4_group128;
  return contains(packing, "mxfp4") || (group && *group == Integer(32)) ? Dtype::mxfp4 : Dtype::nvfp4;
}

// The format of all linear layers that no list names, by quant_method.
std::optional<Dtype> base_format(const Node& q) {
  const std::string_view method = q["quant_method"].text();
  if (const auto scheme = format_of_scheme(q["config_groups"]["group_0"]["weights"], q["format"].text());
      scheme && method != "fp8")
    return scheme;
  if (method == "fp8" || method == "fbgemm_fp8")
    return q["weight_block_size"] && !q["weight_block_size"].is_null() ? Dtype::float8_block128 : Dtype::float8_e4m3;
  if (method == "mxfp4") return Dtype::mxfp4;
  if (method == "gptq" || method == "awq") {
    const auto bits = q["bits"].as_integer();
    return bits && *bits == Integer(8) ? Dtype::int8 : Dtype::int4_group128;
  }
  if (method == "bitsandbytes") {
    if (q["load_in_8bit"].as_bool().value_or(false)) return Dtype::int8;
    return q["bnb_4bit_use_double_quant"].as_bool().value_or(false) ? Dtype::nf4_double : Dtype::nf4;
  }
  return format_named(q["quant_algo"].text());
}

bool names_one_layer(std::string_view pattern) {
  const std::size_t at = pattern.find("layers.");
  return at != std::string_view::npos && at + 7 < pattern.size() && pattern[at + 7] >= '0' && pattern[at + 7] <= '9';
}

}  // namespace

QuantizationReading read_quantization(const Node& q, std::int64_t layers, const Node& expert_dtype) {
  QuantizationReading reading;
  Quantization& out = reading.quantization;
  if (q.is_mapping()) {
    out.method = q["quant_method"].text().empty() ? q["quant_algo"].text() : q["quant_method"].text();
    const std::optional<Dtype> base = base_format(q);
    const Node listed = q["quantized_layers"];
    reading.known = base || listed.is_mapping();
    if (base && !(listed.is_mapping() && out.method != "fp8"))
      for (const Part part :
           {Part::attention, Part::linear_attention, Part::dense, Part::shared, Part::experts, Part::towers})
        out.stored[static_cast<std::size_t>(part)] = *base;
    if (out.method == "mxfp4" || out.method == "fp8" || out.method == "gptq" || out.method == "awq")
      out.stored[static_cast<std::size_t>(Part::towers)] = Dtype::unspecified;
    if (listed.is_mapping())
      for (const Node entry : listed)
        if (const auto part = part_of(entry.key()))
          if (const auto format = format_named(entry["quant_algo"].text()))
            out.stored[static_cast<std::size_t>(*part)] = *format;
    std::array<std::int64_t, static_cast<std::size_t>(Part::count_)> left_out{};
    for (const char* key : {"ignore", "modules_to_not_convert", "exclude_modules", "ignored_layers"})
      for (const Node entry : q[key]) {
        const std::string_view name = entry.text();
        if (contains(name, "mtp")) out.skips_extra_heads = true;
        // In an fp8 checkpoint `ignore` describes what another format leaves out; fp8 stays.
        if (out.method == "fp8" && listed.is_mapping()) continue;
        if (const auto part = part_of(name))
          left_out[static_cast<std::size_t>(*part)] += names_one_layer(name) ? 1 : layers + 1;
      }
    for (std::size_t i = 0; i < left_out.size(); ++i) {
      // Mixers of hybrids stand in a part of the layers only, so a third of them named is most of them.
      if (left_out[i] * 8 > layers) out.stored[i] = Dtype::unspecified;
    }
  }
  const std::string_view expert_format = expert_dtype.text();
  if (expert_format == "fp4" && out.of(Part::experts) != Dtype::nvfp4)
    out.stored[static_cast<std::size_t>(Part::experts)] = Dtype::mxfp4;
  return reading;
}

}  // namespace floptally
