// Quantizing whole model files: which tensors, what it does to them, and the file that results. Data is read, encoded,
// measured and written in chunks of 2^18 elements, so memory does not grow with the model.
//
// Always holds: the output appears whole under its name or not at all; its bytes and every measure are the same on any
// number of threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "network/tensor_file/tensor_file.h"
#include "numerics/activations.h"
#include "numerics/encode.h"

namespace floptally::numerics {

// What to do with a tensor that holds NaN or infinity.
enum class NonFinite { refuse, keep, zero };  // zero: NaN becomes 0, infinity the largest finite value of the tensor

struct QuantizeOptions {
  Scheme scheme;
  std::vector<std::string> only;  // glob patterns; when given, just these tensors (also one-dimensional ones)
  std::vector<std::string> keep;  // glob patterns of tensors to leave as they are
  NonFinite non_finite = NonFinite::refuse;
  bool dequantize = false;  // write the values a reader would get back, as fp32
  std::size_t threads = 0;  // 0: all
  std::size_t probes = 4;   // activations a matrix is multiplied with; 0: none
  // The user's activations, or null: random ones, drawn by the tensor's name. `probes` of kAllVectors: every given one.
  const Activations* activations = nullptr;
  static constexpr std::size_t kAllVectors = SIZE_MAX;
};

struct TensorReport {
  const TensorEntry* tensor = nullptr;
  bool quantized = false;
  std::string reason;  // why it is kept
  std::uint64_t bytes_after = 0;
  Range range;
  std::size_t outliers = 0;  // columns kept by llm-int8
  bool given_activations = false;
  Measure measure;
};

struct QuantizeReport {
  std::vector<TensorReport> tensors;
  Measure total;
  std::uint64_t weights = 0;                        // in quantized tensors
  std::uint64_t weight_bytes = 0;                   // what they take now
  std::uint64_t bytes_before = 0, bytes_after = 0;  // of all tensors
  Histogram before{}, after{};       // of value / largest magnitude of its tensor, quantized tensors only
  std::vector<std::string> written;  // files
  Diagnostics notes;
  [[nodiscard]] double bits_per_weight() const {
    return weights ? 8.0 * static_cast<double>(weight_bytes) / static_cast<double>(weights) : 0;
  }
};

bool matches_glob(std::string_view pattern, std::string_view name);  // '*' any run, '?' one character

// Sizes only: reads no tensor data (so llm-int8's outliers are not in it, and non-finite values are not found).
Result<QuantizeReport> plan_quantization(const TensorFile& file, const QuantizeOptions& options);

// Reads every quantized tensor and measures what is lost; writes the result where `output` is not empty: a .safetensors
// or .gguf file, or (where it ends in '/' or is a folder) the same shards and an index.
// Errors: non-finite-weights, bad-activations, output-is-input, file-unwritable, file-unreadable, bad-option.
Result<QuantizeReport> quantize_model(const TensorFile& file, const QuantizeOptions& options,
                                      const std::string& output);

// One output tensor of a file to be written.
struct OutputTensor {
  std::string name;
  std::string dtype;  // safetensors' word
  int gguf_type = -1;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  // in the file; filled in by the layout functions
};
// Lays the tensors out (aligned, largest element first) and returns the header, data following it at once.
std::string safetensors_header(std::vector<OutputTensor>& tensors,
                               const std::vector<std::pair<std::string, std::string>>& metadata);
// The shapes of the quantized tensors, by name, as JSON: what packed tensors no longer say.
std::string shapes_json(const std::vector<TensorReport>& tensors);
// Where each tensor of several safetensors files is: model.safetensors.index.json.
std::string safetensors_index(std::uint64_t total_bytes, const std::map<std::string, std::string>& shard_of);
// GGUF v3 with the key-values `encoded_metadata` (count given) in front.
std::string gguf_header(std::vector<OutputTensor>& tensors, std::string_view encoded_metadata,
                        std::uint64_t metadata_count);
// One string or integer key-value in GGUF's encoding.
std::string gguf_text(std::string_view key, std::string_view value);
std::string gguf_number(std::string_view key, std::uint32_t value);

}  // namespace floptally::numerics
