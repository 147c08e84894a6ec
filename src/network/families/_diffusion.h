// What transformers that denoise share (diffusers): a vector of the time that shifts, scales and gates; attention over
// picture and text together.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

// The picture that is denoised: the user's --input, else the usual one; frames from --let frames=N. Says so.
struct Canvas {
  std::int64_t height = 1024, width = 1024, frames = 1, text = 512;
};
Canvas read_canvas(const Family& f, const Canvas& usual);
// Positions along a side of `pixels` where one stands for `each`.
std::int64_t cells(std::int64_t pixels, std::int64_t each);

// Two linear layers with SiLU between, of one vector a sample.
void describe_vector(Sink& sink, std::string_view name, std::int64_t in, std::int64_t width, bool bias = true);
// What a text encoder gave for each of `rows` words, brought to `width`: two linear layers with GELU between.
void describe_caption(Sink& sink, std::int64_t rows, std::int64_t in, std::int64_t width);
// A norm without numbers of its own, shifted and scaled by the time's vector; and the gate behind a sublayer.
void describe_modulated(Sink& sink, std::string_view name, std::int64_t rows, std::int64_t width);
void describe_gate(Sink& sink, std::int64_t rows, std::int64_t width);

// One attention over two streams, each with projections of its own and norms of queries and keys by head.
struct JointPart {
  std::int64_t heads = 24, head_dim = 128, image = 1, text = 1;
  bool bias = true;
};
void describe_joint(Sink& sink, const JointPart& part);
// The same over one stream whose output matrix is the caller's.
void describe_single_heads(Sink& sink, const JointPart& part);

}  // namespace floptally::families
