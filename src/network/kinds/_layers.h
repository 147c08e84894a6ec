// What flows between written-out layers: an image (channels, height, width), a sequence of vectors, or one vector.
#pragma once

#include "network/blocks/image.h"
#include "network/spec.h"

namespace floptally::kinds {

struct Flow {
  enum class Form : std::uint8_t { image, sequence, vector };
  Form form = Form::vector;
  std::int64_t channels = 1, height = 1, width = 1;  // image
  std::int64_t tokens = 1, features = 1;             // sequence (features alone: vector)
  Node made_by;                                      // the layer whose output this is

  [[nodiscard]] std::int64_t elements() const {
    return form == Form::image ? channels * height * width : tokens * features;
  }
  [[nodiscard]] std::string text() const;
};

// Describes a list of layers; `flow` goes in and comes out changed. False if something was wrong.
bool describe_layers(Node list, Flow& flow, Spec::Session& session, Sink& sink, std::int64_t steps, int depth);

}  // namespace floptally::kinds
