// ImageStack: describes image networks layer by layer while keeping track of the feature map's shape.
//
// Always holds: `channels`, `height`, `width` are those of the last layer's output; a window that does not fit sets
// `failed` and leaves a 1x1 map, so that builders need no checks; `held` says whether an operator before keeps the map
// for its backward pass (a ReLU keeps what it gave, a convolution what it read), so that the next keeps no second one.
#pragma once

#include <cstdint>
#include <string_view>

#include "network/ops.h"
#include "network/shapes.h"

namespace floptally {

struct ImageStack {
  Sink& sink;
  std::int64_t channels = 3, height = 224, width = 224;
  bool failed = false, held = false;

  [[nodiscard]] std::int64_t positions() const { return height * width; }
  [[nodiscard]] std::int64_t elements() const { return channels * height * width; }

  // Another branch from here, of a map that the first one keeps.
  [[nodiscard]] ImageStack sibling() const {
    ImageStack other = *this;
    other.held = true;
    return other;
  }
  // Goes on from another branch's shape.
  void become(const ImageStack& other) {
    channels = other.channels;
    height = other.height;
    width = other.width;
    held = false;
    failed = failed || other.failed;
  }

  struct Conv {
    std::int64_t out = 1, kernel = 1, stride = 1, padding = -1;  // padding -1: keeps the size at stride 1
    std::int64_t groups = 1, dilation = 1;
    bool bias = false;
    std::int64_t kernel_width = 0;  // 0: square
    std::int64_t padding_width = -1;
  };
  void conv(std::string_view name, const Conv& c);
  void conv_transposed(std::string_view name, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                       std::int64_t padding, std::int64_t output_padding, std::int64_t groups, bool bias);
  void batch_norm(std::string_view name) { read(floptally::batch_norm(name, channels, positions())); }
  void layer_norm(std::string_view name) { read(floptally::layer_norm(name, positions(), channels)); }
  void group_norm(std::string_view name, std::int64_t groups) {
    read(floptally::group_norm(name, channels, positions(), groups));
  }
  void act(Activation kind);
  void dropout(std::string_view name) {
    sink.add(floptally::dropout(name, elements()));
    held = false;
  }
  // Convolution, batch norm, activation (none: Activation::identity).
  void conv_norm(std::string_view name, const Conv& c, Activation kind);
  void max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0, bool ceiling = false) {
    pooling(kernel, stride, padding, ceiling, true);
  }
  void average_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0) {
    pooling(kernel, stride, padding, false, false);
  }
  void pooling(std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceiling, bool maximum);
  // To a fixed size (adaptive average pooling).
  void pool_to(std::int64_t out_height, std::int64_t out_width);
  void global_pool() { pool_to(1, 1); }
  void upsample(std::int64_t factor, std::int64_t neighbours = 1);
  void residual() {
    sink.add(floptally::residual(elements()));
    held = false;
  }
  void concat(std::int64_t more_channels);
  // Squeeze-and-excitation: global pool, two 1x1 convolutions with bias, a gate per channel (Hu et al. 1709.01507).
  void squeeze_excite(std::int64_t squeezed, Activation inner, Activation gate);
  // Fully connected on the flattened map; leaves `out` channels of 1x1.
  void linear(std::string_view name, std::int64_t out, bool bias = true, Component component = Component::head);
  // Adds an operator that keeps what it reads, the map, and gives another.
  void read(const Op& op);
};

// torchvision's _make_divisible: to the nearest multiple of `divisor`, never below 90%.
std::int64_t make_divisible(double value, std::int64_t divisor = 8);

}  // namespace floptally
