// What every kind of image network shares: its input and its classifier's size.
#pragma once

#include "network/blocks/image.h"
#include "network/spec.h"

namespace floptally::kinds {

inline ImageStack image_stack(Spec& spec, Sink& sink, std::int64_t usual = 224) {
  const std::vector<std::int64_t> shape = spec.image(usual);
  return {sink, shape[0], shape[1], shape[2]};
}

inline void finish(const ImageStack& stack, Spec& spec) {
  if (stack.failed) {
    spec.fail(error("shape-window", "the image is too small (or groups do not divide channels) for these layers",
                    spec.node().span(), "give a larger one: --input 1x3x224x224 or `image: 224`"));
  }
}

// A list of a fixed length, or the given one.
inline std::vector<std::int64_t> listed(Spec& spec, std::string_view key, std::vector<std::int64_t> otherwise) {
  if (!spec.has(key)) return otherwise;
  std::vector<std::int64_t> found = spec.sizes(key);
  constexpr std::size_t kMost = 4096;
  if (found.empty() || found.size() > kMost) {
    spec.fail(error("wrong-type", "'" + std::string(key) + "' expects a list of 1 to 4096 numbers",
                    spec.node().find(key).span()));
    return otherwise;
  }
  return found;
}

constexpr Field image_field() {
  return {.key = "image", .expect = Expect::any, .doc = "input image: a size, or [channels, height, width]"};
}
constexpr Field classes_field() {
  return {.key = "classes", .expect = Expect::integer, .doc = "classes of the classifier (1000)"};
}

}  // namespace floptally::kinds
