// Dtype: how a number is stored. Block formats share a scale, so a size is "bytes per block of elements", never a
// rounded number of bits per weight.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/integer.h"

namespace floptally {

enum class Dtype : std::uint8_t {
  unspecified,  // not said by the source: a run's precision recipe decides
  float64,
  float32,
  tfloat32,
  float16,
  bfloat16,
  float8_e4m3,
  float8_e5m2,
  float8_block128,
  float4_e2m1,
  mxfp8,
  mxfp6,
  mxfp4,
  nvfp4,
  nf4,
  nf4_double,
  int4_group128,
  int64,
  int32,
  int16,
  int8,
  int4,
  uint64,
  uint32,
  uint16,
  uint8,
  boolean,
  complex64,
  complex128,
  count_,
};

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;        // as this program prints it
  std::int64_t block_elements;  // elements that share one block
  std::int64_t block_bytes;     // bytes of a block with its scales
  std::string_view source;
};

// Always returns a row. `unspecified` has zero bytes: ask before multiplying.
const DtypeInfo& dtype_info(Dtype dtype);
// By our name or a usual spelling of PyTorch, safetensors, ONNX or Hugging Face ("torch.bfloat16", "BF16", "half").
std::optional<Dtype> find_dtype(std::string_view name);
// Bytes of `elements` numbers, whole blocks rounded up.
Integer stored_bytes(Integer elements, Dtype dtype);

}  // namespace floptally
