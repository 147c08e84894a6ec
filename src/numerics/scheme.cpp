#include "numerics/scheme.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.h"
#include "network/tensor_file/tensor_file.h"
#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

constexpr std::uint64_t kMxBlock = 32;     // OCP MX 1.0, table 1
constexpr std::uint64_t kNvfp4Block = 16;  // NVIDIA Blackwell NVFP4
constexpr std::uint64_t kNf4Block = 64;    // QLoRA, section 3
constexpr std::uint64_t kNf4Super = 256;   // blocks under one second-level scale
constexpr std::uint64_t kInt4Group = 128;  // the usual group of 4-bit integer weights (GPTQ, AWQ)

struct Named {
  std::string_view name;
  Scheme::Kind kind;
  std::string_view element;
  std::uint64_t group;
};
constexpr Named kNamed[] = {
    {"fp32", Scheme::Kind::cast, "fp32", 0},
    {"fp16", Scheme::Kind::cast, "fp16", 0},
    {"bf16", Scheme::Kind::cast, "bf16", 0},
    {"int8", Scheme::Kind::integer, "int8", 0},
    {"int4", Scheme::Kind::integer, "int4", kInt4Group},
    {"e4m3", Scheme::Kind::floating, "e4m3", 0},
    {"e5m2", Scheme::Kind::floating, "e5m2", 0},
    {"mxfp8", Scheme::Kind::mx, "e4m3", kMxBlock},
    {"mxfp8-e5m2", Scheme::Kind::mx, "e5m2", kMxBlock},
    {"mxfp6", Scheme::Kind::mx, "e2m3", kMxBlock},
    {"mxfp6-e3m2", Scheme::Kind::mx, "e3m2", kMxBlock},
    {"mxfp4", Scheme::Kind::mx, "e2m1", kMxBlock},
    {"nvfp4", Scheme::Kind::nvfp4, "e2m1", kNvfp4Block},
    {"nf4", Scheme::Kind::nf4, "", kNf4Block},
    {"nf4-dq", Scheme::Kind::nf4, "", kNf4Block},
};

constexpr std::array<float, 16> kNf4 = {-1.0f,
                                        -0.6961928009986877f,
                                        -0.5250730514526367f,
                                        -0.39491748809814453f,
                                        -0.28444138169288635f,
                                        -0.18477343022823334f,
                                        -0.09105003625154495f,
                                        0.0f,
                                        0.07958029955625534f,
                                        0.16093020141124725f,
                                        0.24611230194568634f,
                                        0.33791524171829224f,
                                        0.44070982933044434f,
                                        0.5626170039176941f,
                                        0.7229568362236023f,
                                        1.0f};

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '_' ? '-' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return out;
}

std::optional<Method> method_named(const std::string& name) {
  if (name == "absmax") return Method::absmax;
  if (name == "zero-point" || name == "zeropoint" || name == "affine") return Method::zero_point;
  if (name == "percentile") return Method::percentile;
  if (name == "mse") return Method::mse;
  if (name == "llm-int8" || name == "llm.int8" || name == "llm.int8()") return Method::llm_int8;
  return std::nullopt;
}

const char* text_of(Method method) {
  switch (method) {
    case Method::absmax:
      return "absmax";
    case Method::zero_point:
      return "zero-point";
    case Method::percentile:
      return "percentile";
    case Method::mse:
      return "mse";
    case Method::llm_int8:
      return "llm-int8";
  }
  return "";
}

std::uint64_t ceil_of(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

Diagnostic bad(std::string message, std::string help = {}) {
  return error("bad-option", std::move(message), {}, std::move(help));
}

std::optional<Diagnostic> apply_grain(const std::string& grain, Scheme& scheme) {
  if (grain.empty()) return std::nullopt;
  if (scheme.kind != Scheme::Kind::integer && scheme.kind != Scheme::Kind::floating)
    return bad(scheme.name + " fixes which weights share a scale; --per goes with int8, int4 and fp8");
  if (grain == "tensor") {
    scheme.grain = Grain::tensor;
    scheme.group = 0;
  } else if (grain == "channel" || grain == "row") {
    scheme.grain = Grain::channel;
    scheme.group = 0;
  } else if (grain == "group" || grain.rfind("group:", 0) == 0) {
    scheme.grain = Grain::group;
    scheme.group = kInt4Group;
    if (grain.size() > 6) {
      const char* end = grain.data() + grain.size();
      const auto [stop, problem] = std::from_chars(grain.data() + 6, end, scheme.group);
      if (problem != std::errc() || stop != end || scheme.group == 0 || scheme.group > 1u << 16)
        return bad("--per " + grain + ": a group has 1 to 65536 weights");
    }
  } else {
    return bad("--per expects tensor, channel, group or group:N, found '" + grain + "'");
  }
  return std::nullopt;
}

std::optional<Diagnostic> apply_method(const std::string& name, Scheme& scheme) {
  if (name.empty()) return std::nullopt;
  const std::optional<Method> method = method_named(plain(name));
  if (!method)
    return error("unknown-method", "there is no method called '" + name + "'", {},
                 "known are absmax, zero-point, percentile, mse and llm-int8");
  scheme.method = *method;
  const bool integer = scheme.kind == Scheme::Kind::integer;
  const bool scaled = integer || scheme.kind == Scheme::Kind::floating;
  if (*method == Method::absmax ? !scaled && scheme.kind != Scheme::Kind::nf4 && scheme.kind != Scheme::Kind::mx &&
                                      scheme.kind != Scheme::Kind::nvfp4
      : *method == Method::zero_point ? !integer
                                      : !scaled)
    return bad("--method " + name + " does not go with " + scheme.name);
  if (*method == Method::llm_int8) {
    if (scheme.name != "int8" || scheme.grain == Grain::group)
      return bad("--method llm-int8 means int8 with a scale a row");
    scheme.grain = Grain::channel;
  }
  return std::nullopt;
}

}  // namespace

std::span<const float, 16> nf4_levels() { return kNf4; }

std::vector<std::string_view> scheme_names() {
  std::vector<std::string_view> names;
  for (const Named& named : kNamed) names.push_back(named.name);
  for (const BlockFormat& block : block_formats()) names.push_back(block.name);
  return names;
}

Result<Scheme> make_scheme(const SchemeOptions& options) {
  std::string name = plain(options.to);
  if (name == "fp8" || name == "fp8-e4m3" || name == "e4m3fn" || name == "f8-e4m3") name = "e4m3";
  if (name == "fp8-e5m2" || name == "f8-e5m2") name = "e5m2";
  if (name == "bnb-nf4-dq" || name == "nf4-double") name = "nf4-dq";
  if (name == "float16" || name == "f16" || name == "half") name = "fp16";
  if (name == "bfloat16") name = "bf16";
  if (name == "float32" || name == "f32") name = "fp32";
  Scheme scheme;
  bool found = false;
  for (const Named& named : kNamed) {
    if (named.name != name) continue;
    found = true;
    scheme.name = name;
    scheme.kind = named.kind;
    scheme.element = named.element.empty() ? nullptr : find_number_format(named.element);
    scheme.group = named.group;
    scheme.grain = named.group != 0 ? Grain::group : Grain::tensor;
    scheme.double_quantized = name == "nf4-dq";
  }
  for (const BlockFormat& block : block_formats()) {
    if (plain(block.name) != name) continue;
    found = true;
    scheme.name = std::string(block.name);
    scheme.kind = Scheme::Kind::block;
    scheme.block = &block;
    scheme.grain = Grain::group;
    scheme.group = static_cast<std::uint64_t>(block.weights);
  }
  if (!found) {
    const std::vector<std::string_view> names = scheme_names();
    return error("unknown-format", "there is no format called '" + options.to + "' to quantize to", {},
                 suggestion(name, names));
  }
  if (auto problem = apply_grain(options.grain, scheme)) return *problem;
  if (auto problem = apply_method(options.method, scheme)) return *problem;
  if (options.percentile) {
    if (scheme.method != Method::percentile) return bad("--percentile goes with --method percentile");
    if (!(*options.percentile > 0 && *options.percentile <= 100))
      return bad("--percentile expects a number above 0, at most 100");
    scheme.percentile = *options.percentile;
  }
  if (options.outlier_threshold) {
    if (scheme.method != Method::llm_int8) return bad("--outliers goes with --method llm-int8");
    if (!(*options.outlier_threshold > 0)) return bad("--outliers expects a number above 0");
    scheme.outlier_threshold = *options.outlier_threshold;
  }
  return scheme;
}

int Scheme::code_bits() const {
  if (kind == Kind::nf4) return 4;
  return element != nullptr ? element->bits() : 0;
}

int Scheme::unit_bits() const {
  switch (kind) {
    case Kind::cast:
      return 0;
    case Kind::mx:
    case Kind::nvfp4:
      return 8;
    case Kind::nf4:
      return double_quantized ? 8 : 32;
    case Kind::block:
      return 8 * block->bytes;
    case Kind::integer:
    case Kind::floating:
      return has_zero_point() ? 64 : 32;
  }
  return 0;
}

double Scheme::nominal_bits() const {
  if (kind == Kind::block) return block->bits_per_weight();
  double bits = code_bits();
  if (grain == Grain::group) bits += static_cast<double>(unit_bits()) / static_cast<double>(group);
  if (double_quantized) bits += 32.0 / static_cast<double>(group * kNf4Super);
  return bits;
}

std::string Scheme::describe() const {
  if (kind != Kind::integer && kind != Kind::floating) return name;
  std::string out = name + ", " + text_of(method);
  if (method == Method::percentile) {
    std::string number = std::to_string(percentile);
    number.erase(number.find_last_not_of('0') + 1);
    out += " " + (number.back() == '.' ? number.substr(0, number.size() - 1) : number);
  }
  if (grain == Grain::group) return out + ", per group of " + std::to_string(group);
  return out + (grain == Grain::tensor ? ", per tensor" : ", per channel");
}

View view_of(const Scheme& scheme, std::span<const std::int64_t> shape) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  if (count == 0) return {0, 0};
  const bool flat = scheme.kind == Scheme::Kind::nf4 || scheme.kind == Scheme::Kind::cast || shape.size() < 2;
  if (flat || scheme.grain == Grain::tensor) return {1, count};
  const auto first = static_cast<std::uint64_t>(shape.front());
  const auto last = static_cast<std::uint64_t>(shape.back());
  if (scheme.grain == Grain::channel) return {first, count / first};
  return {count / last, last};
}

std::string unfit(const Scheme& scheme, std::span<const std::int64_t> shape) {
  if (scheme.kind != Scheme::Kind::block) return {};
  const std::int64_t last = shape.empty() ? 1 : shape.back();
  if (last % scheme.block->weights == 0) return {};
  return "rows of " + std::to_string(last) + " are not whole blocks of " + std::to_string(scheme.block->weights);
}

namespace {
// What safetensors calls numbers of a format; codes that it has no word for are bytes.
std::string_view file_type(std::string_view format) {
  const TensorType* type = find_tensor_type(format);
  return type != nullptr && !type->safetensors.empty() ? type->safetensors : "U8";
}
}  // namespace

std::vector<Part> parts_of(const Scheme& scheme, std::span<const std::int64_t> shape, std::uint64_t outliers,
                           std::string_view outlier_dtype, std::uint64_t outlier_bytes) {
  const View view = view_of(scheme, shape);
  std::vector<Part> parts;
  const auto add = [&](Part::Role role, std::string_view suffix, std::string_view dtype, std::vector<std::int64_t> dims,
                       std::uint64_t size) {
    std::uint64_t bytes = size;
    for (const std::int64_t d : dims) bytes *= static_cast<std::uint64_t>(d);
    parts.push_back({role, suffix, dtype, std::move(dims), bytes});
  };
  const auto signed_of = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  std::vector<std::int64_t> whole(shape.begin(), shape.end());
  if (scheme.kind == Scheme::Kind::block) {
    add(Part::Role::codes, "", "U8",
        {signed_of(view.rows), signed_of(view.columns / scheme.group) * scheme.block->bytes}, 1);
    return parts;
  }
  const int bits = scheme.code_bits();
  if (scheme.kind == Scheme::Kind::cast) {
    add(Part::Role::codes, "", file_type(scheme.name), whole, static_cast<std::uint64_t>(bits) / 8);
    return parts;
  }
  if (bits == 8) {
    add(Part::Role::codes, "", scheme.kind == Scheme::Kind::integer ? "I8" : file_type(scheme.element->name), whole, 1);
  } else {
    add(Part::Role::codes, "", "U8", {signed_of(view.rows), signed_of(packed_bytes(view.columns, bits))}, 1);
  }
  std::vector<std::int64_t> units;  // {} a tensor, {rows, 1}, {rows, groups}
  if (scheme.grain == Grain::channel) units = {signed_of(view.rows), 1};
  if (scheme.grain == Grain::group)
    units = {signed_of(view.rows), signed_of(view.columns == 0 ? 0 : ceil_of(view.columns, scheme.group))};
  if (scheme.kind == Scheme::Kind::mx) {
    add(Part::Role::scale, "_scale", "U8", units, 1);
  } else if (scheme.kind == Scheme::Kind::nvfp4) {
    add(Part::Role::scale, "_scale", "F8_E4M3", units, 1);
    add(Part::Role::tensor_scale, "_tensor_scale", "F32", {}, 4);
  } else if (scheme.double_quantized) {
    add(Part::Role::scale, "_scale", "F8_E4M3", units, 1);
    add(Part::Role::meta_scale, "_scale_scale", "F32",
        {signed_of(view.rows), signed_of(ceil_of(static_cast<std::uint64_t>(units[1]), kNf4Super))}, 4);
    add(Part::Role::mean, "_scale_mean", "F32", {}, 4);
  } else {
    add(Part::Role::scale, "_scale", "F32", units, 4);
    if (scheme.has_zero_point()) add(Part::Role::zero_point, "_zero_point", "I32", units, 4);
  }
  if (scheme.method == Method::llm_int8 && outliers > 0) {
    add(Part::Role::outlier_columns, "_outlier_columns", "I32", {signed_of(outliers)}, 4);
    add(Part::Role::outliers, "_outliers", outlier_dtype, {signed_of(view.rows), signed_of(outliers)}, outlier_bytes);
  }
  return parts;
}

}  // namespace floptally::numerics
