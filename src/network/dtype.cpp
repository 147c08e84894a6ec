#include "network/dtype.h"

#include <cctype>
#include <string>

namespace floptally {

namespace {
constexpr std::string_view kIeee = "IEEE 754";
constexpr std::string_view kOcp = "OCP Microscaling Formats (MX) v1.0";
constexpr DtypeInfo kInfo[] = {
    {Dtype::unspecified, "unspecified", 1, 0, ""},
    {Dtype::float64, "fp64", 1, 8, kIeee},
    {Dtype::float32, "fp32", 1, 4, kIeee},
    {Dtype::tfloat32, "tf32", 1, 4, "NVIDIA A100 whitepaper: stored as fp32"},
    {Dtype::float16, "fp16", 1, 2, kIeee},
    {Dtype::bfloat16, "bf16", 1, 2, "Google bfloat16"},
    {Dtype::float8_e4m3, "fp8_e4m3", 1, 1, "OCP 8-bit Floating Point (OFP8)"},
    {Dtype::float8_e5m2, "fp8_e5m2", 1, 1, "OCP 8-bit Floating Point (OFP8)"},
    {Dtype::float8_block128, "fp8_block128", 16384, 16388, "DeepSeek-V3 3.3.2: one fp32 scale per 128x128 block"},
    {Dtype::float4_e2m1, "fp4_e2m1", 2, 1, kOcp},
    {Dtype::mxfp8, "mxfp8", 32, 33, kOcp},
    {Dtype::mxfp6, "mxfp6", 32, 25, kOcp},
    {Dtype::mxfp4, "mxfp4", 32, 17, kOcp},
    {Dtype::nvfp4, "nvfp4", 16, 9, "NVIDIA NVFP4: one E4M3 scale per 16"},
    {Dtype::nf4, "nf4", 64, 36, "QLoRA 2305.14314: one fp32 scale per 64"},
    {Dtype::nf4_double, "nf4_double", 16384, 8452, "QLoRA 2305.14314 sec. 3: 8-bit scales, fp32 per 256 of them"},
    {Dtype::int4_group128, "int4_group128", 128, 66, "GPTQ/AWQ: fp16 scale per 128, symmetric"},
    {Dtype::int64, "int64", 1, 8, ""},
    {Dtype::int32, "int32", 1, 4, ""},
    {Dtype::int16, "int16", 1, 2, ""},
    {Dtype::int8, "int8", 1, 1, ""},
    {Dtype::int4, "int4", 2, 1, ""},
    {Dtype::uint64, "uint64", 1, 8, ""},
    {Dtype::uint32, "uint32", 1, 4, ""},
    {Dtype::uint16, "uint16", 1, 2, ""},
    {Dtype::uint8, "uint8", 1, 1, ""},
    {Dtype::boolean, "bool", 1, 1, ""},
    {Dtype::complex64, "complex64", 1, 8, ""},
    {Dtype::complex128, "complex128", 1, 16, ""},
};
static_assert(sizeof kInfo / sizeof kInfo[0] == static_cast<std::size_t>(Dtype::count_));

struct Alias {
  std::string_view name;
  Dtype dtype;
};
constexpr Alias kAliases[] = {
    {"float64", Dtype::float64},     {"double", Dtype::float64},
    {"f64", Dtype::float64},         {"float32", Dtype::float32},
    {"float", Dtype::float32},       {"f32", Dtype::float32},
    {"float16", Dtype::float16},     {"half", Dtype::float16},
    {"f16", Dtype::float16},         {"bfloat16", Dtype::bfloat16},
    {"fp8", Dtype::float8_e4m3},     {"float8_e4m3fn", Dtype::float8_e4m3},
    {"f8_e4m3", Dtype::float8_e4m3}, {"float8_e5m2", Dtype::float8_e5m2},
    {"f8_e5m2", Dtype::float8_e5m2}, {"nf4_dq", Dtype::nf4_double},
    {"long", Dtype::int64},          {"i64", Dtype::int64},
    {"int", Dtype::int32},           {"i32", Dtype::int32},
    {"i16", Dtype::int16},           {"i8", Dtype::int8},
    {"u64", Dtype::uint64},          {"u32", Dtype::uint32},
    {"u16", Dtype::uint16},          {"u8", Dtype::uint8},
    {"boolean", Dtype::boolean},     {"c64", Dtype::complex64},
};
}  // namespace

const DtypeInfo& dtype_info(Dtype dtype) { return kInfo[static_cast<std::size_t>(dtype)]; }

std::optional<Dtype> find_dtype(std::string_view name) {
  std::string lower;
  for (char c : name) lower.push_back(c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  std::string_view key = lower;
  if (key.substr(0, 6) == "torch.") key.remove_prefix(6);
  for (const DtypeInfo& row : kInfo) {
    if (row.name == key && row.dtype != Dtype::unspecified) return row.dtype;
  }
  for (const Alias& row : kAliases) {
    if (row.name == key) return row.dtype;
  }
  return std::nullopt;
}

Integer stored_bytes(Integer elements, Dtype dtype) {
  const DtypeInfo& info = dtype_info(dtype);
  const Integer blocks = (elements + Integer(info.block_elements - 1)) / Integer(info.block_elements);
  return blocks * Integer(info.block_bytes);
}

}  // namespace floptally
