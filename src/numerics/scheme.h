// Scheme: one way to store a tensor in fewer bits. A name ("int8", "mxfp4", "q4_k") plus, where the name leaves it
// open, a method, a grain and a clip. What is stored, how many bits a weight that is, and how a value is read back
// follow from it.
//
// Definitions (fp32 arithmetic, one rounding an operation; halves to even; the first two as lectures on quantization
// give them):
//   absmax      code = clamp(rint(x * (127 / m)), -127, 127), m = max|x| of the unit;  x' = code * (m / 127)
//   zero-point  code = clamp(rint(x * s + z), -128, 127), s = 255 / (max - min), z = -rint(s * min) - 128
//               (a unit of equal values takes max - min as 1);                         x' = (code - z) * ((max - min) /
//               255)
//   percentile  absmax with m = the p-th percentile of |x| (nearest rank); what lies beyond saturates
//   mse         absmax with m = max|x| * k / 64, k in 16..64, the k of least squared error (the largest of equals)
//   llm-int8    absmax a row; columns that hold outliers stay as they are (Dettmers et al. 2022, arXiv:2208.07339):
//               inputs with an activation of 6 or more, or without activations columns with a weight of 6 deviations
//   fp8, fp6    code = element(x * (largest / m)), saturating; x' = value(code) * (m / largest)
//   mx*         shared exponent e = floor(log2 m) - emax a 32 weights (OCP MX 1.0, 6.3); x' = value(code) * 2^e
//   nvfp4       E4M3 scale of 16 weights under one fp32 scale a tensor; nf4: QLoRA's 16 levels a 64 weights
//   q*, iq4_nl  GGUF's blocks (block.h)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "numerics/block.h"
#include "numerics/format.h"

namespace floptally::numerics {

enum class Method { absmax, zero_point, percentile, mse, llm_int8 };
// Which weights share a scale: all, those of one output channel (the first dimension), or `group` along the last
// dimension.
enum class Grain { tensor, channel, group };

struct Scheme {
  enum class Kind { cast, integer, floating, mx, nvfp4, nf4, block } kind = Kind::integer;
  std::string name;
  const NumberFormat* element = nullptr;  // null for blocks and nf4
  const BlockFormat* block = nullptr;
  Method method = Method::absmax;
  Grain grain = Grain::tensor;
  std::uint64_t group = 0;  // weights that share a scale, where the grain is a group
  double percentile = 99.9;
  double outlier_threshold = 6;  // llm-int8: |activation|, or weight in standard deviations where there are none
  bool double_quantized = false;
  // Bits of a code, and of what each unit of weights stores beside its codes.
  [[nodiscard]] int code_bits() const;
  [[nodiscard]] int unit_bits() const;
  // code + unit bits over the unit, where units are of one size (groups and blocks); the codes alone otherwise.
  [[nodiscard]] double nominal_bits() const;
  [[nodiscard]] bool has_zero_point() const { return method == Method::zero_point; }
  [[nodiscard]] std::string describe() const;  // "int8, zero-point, per channel"
};

struct SchemeOptions {
  std::string to;      // "int8"
  std::string method;  // "" or "absmax", "zero-point", "percentile", "mse", "llm-int8"
  std::string grain;   // "" or "tensor", "channel", "group", "group:64"
  std::optional<double> percentile;
  std::optional<double> outlier_threshold;
};

// Errors: unknown-format (with the nearest), unknown-method, bad-option (what does not go together).
Result<Scheme> make_scheme(const SchemeOptions& options);
std::vector<std::string_view> scheme_names();

// QLoRA's NormalFloat levels (arXiv:2305.14314, appendix E), ascending.
std::span<const float, 16> nf4_levels();

// How a tensor of `shape` lies before a scheme: rows that start on a byte of their own.
struct View {
  std::uint64_t rows = 1;
  std::uint64_t columns = 0;
  [[nodiscard]] std::uint64_t count() const { return rows * columns; }
};
View view_of(const Scheme& scheme, std::span<const std::int64_t> shape);
// Why a tensor of this shape cannot be stored so ("rows of 100 are not whole blocks of 32"), or "".
std::string unfit(const Scheme& scheme, std::span<const std::int64_t> shape);

// One stored tensor that a quantized tensor becomes: the codes under its own name, the rest under name + suffix.
struct Part {
  enum class Role {
    codes,
    scale,
    zero_point,
    tensor_scale,
    meta_scale,
    mean,
    outlier_columns,
    outliers
  } role = Role::codes;
  std::string_view suffix;
  std::string_view dtype;  // safetensors' word
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
};
// `outliers`: columns kept by llm-int8. `stored_bytes`: size of an element as it came.
std::vector<Part> parts_of(const Scheme& scheme, std::span<const std::int64_t> shape, std::uint64_t outliers,
                           std::string_view outlier_dtype, std::uint64_t outlier_bytes);

}  // namespace floptally::numerics
