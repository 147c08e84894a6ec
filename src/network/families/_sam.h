// Segment Anything's prompts and the decoder that makes masks of them, as SAM and SAM 2 have them.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

struct MaskDecoder {
  std::int64_t width = 256, layers = 2, heads = 8, ffn = 2048, shrinks = 2, masks = 4, iou_depth = 3, iou_width = 256;
  Activation activation = Activation::relu;
  std::int64_t prompt = 2;  // one point, and the one that stands for "no box"
  std::int64_t map = 64;    // positions a side
  bool scores = false;      // SAM 2: whether there is an object, and two finer maps
  [[nodiscard]] std::int64_t tokens() const { return 1 + masks + prompt + (scores ? 1 : 0); }
};
// The keys of SamMaskDecoderConfig; `absent` is the activation where the key is not there.
MaskDecoder read_mask_decoder(const Keys& m, std::string_view absent);
void describe_mask_decoder(Sink& sink, const MaskDecoder& d);
// What a prompt becomes. A mask is not given: its convolutions stand idle.
void describe_prompts(Sink& sink, const Keys& p, std::int64_t width, std::int64_t map);
// Linear layers: in, `depth` - 2 between, out.
void describe_perceptron(Sink& sink, std::string_view name, std::int64_t in, std::int64_t hidden, std::int64_t out,
                         std::int64_t depth);

}  // namespace floptally::families
