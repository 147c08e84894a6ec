// What several files of rules use.
#pragma once

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {

struct MatmulSizes {
  std::int64_t batch = kUnknown, rows = kUnknown, columns = kUnknown, inner = kUnknown;
};
// Shape of numpy's matmul of a and b into output 0, and the sizes of the product.
bool matmul_shape(Eval& e, const Type& a, const Type& b, std::uint8_t elem, MatmulSizes& s);

// The output shape of a sliding window over x (Conv, pooling), from the node's kernel, strides, pads, dilations,
// auto_pad and ceil_mode. `kernel` comes from the weight, or is null (then kernel_shape says). Pushes the spatial sizes
// to `dims`.
bool window_sizes(Eval& e, const Type& x, const std::int64_t* kernel, Dims& dims);

// A convolution of input x by weight w (operand indices), result of type elem; channels in the last axis of x and of
// the result where `last`.
bool convolve(Eval& e, int x, int w, std::uint8_t elem, bool last = false);

// Scores and weighted values of attention: two products per head. Operands that queries, keys and values come from; a
// gradient reaches the scores where it reaches queries or keys.
void attend(Eval& e, int query, int key, int value, std::int64_t batch_heads, std::int64_t queries, std::int64_t keys,
            std::int64_t key_dim, std::int64_t value_dim);

}  // namespace floptally::onnx
