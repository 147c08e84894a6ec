// Output sizes of the operators that change them (per dimension). Sizes are validated by whoever reads them; a result
// below 1 means that the window does not fit.
#pragma once

#include <cstdint>

namespace floptally {

// Convolution and pooling: floor((size + before + after - dilation (kernel - 1) - 1) / stride) + 1.
// Source: PyTorch torch.nn.Conv2d, "Shape".
inline std::int64_t convolved(std::int64_t size, std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0,
                              std::int64_t dilation = 1, bool ceiling = false) {
  const std::int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0) return 0;
  std::int64_t out = (room + (ceiling ? stride - 1 : 0)) / stride + 1;
  if (ceiling && (out - 1) * stride >= size + padding) --out;  // the last window starts inside the input
  return out;
}

// Transposed convolution: (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
// Source: PyTorch torch.nn.ConvTranspose2d, "Shape".
inline std::int64_t convolved_transposed(std::int64_t size, std::int64_t kernel, std::int64_t stride = 1,
                                         std::int64_t padding = 0, std::int64_t output_padding = 0,
                                         std::int64_t dilation = 1) {
  return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1;
}

}  // namespace floptally
