// BlockFormat: weights stored in fixed blocks with their scales inside, as GGUF files hold them. One row a format; the
// structures in block_layout.h are the published byte layouts, and bits a weight follow from their sizes.
//
// Always holds: decode(encode(x)) depends on x alone (no randomness, no threads), and decoding performs the fp32
// operations of ggml's reference in its order, so dequantized values equal its own to the bit.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace floptally::numerics {

struct BlockFormat {
  std::string_view name;                                             // "q4_k"
  int weights = 0;                                                   // in a block
  int bytes = 0;                                                     // of a block
  void (*encode)(const float* weights, std::byte* block) = nullptr;  // exactly one block, finite values
  void (*decode)(const std::byte* block, float* weights) = nullptr;
  std::string_view rule;    // how a weight is read back
  bool fp16_scales = true;  // scales and minima are fp16 numbers
  [[nodiscard]] double bits_per_weight() const { return 8.0 * bytes / weights; }
};

std::span<const BlockFormat> block_formats();
const BlockFormat* find_block_format(std::string_view name);

}  // namespace floptally::numerics
