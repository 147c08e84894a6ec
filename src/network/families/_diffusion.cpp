#include "network/families/_diffusion.h"

namespace floptally::families {

Canvas read_canvas(const Family& f, const Canvas& usual) {
  Canvas c = usual;
  if (f.inputs.image.size() == 3) {
    c.height = f.inputs.image[1];
    c.width = f.inputs.image[2];
  }
  const bool moves = usual.frames > 1;
  if (moves && f.inputs.frames > 0) c.frames = f.inputs.frames;
  if (f.inputs.sequence > 0) c.text = f.inputs.sequence;
  f.remark("counted for " + (moves ? std::to_string(c.frames) + " frames of " : std::string("an image of ")) +
           std::to_string(c.height) + "x" + std::to_string(c.width) + " pixels and " + std::to_string(c.text) +
           " tokens of text (--input 1x3xHxW, --sequence N" + (moves ? ", --let frames=N" : "") +
           "), one denoising step");
  return c;
}

std::int64_t cells(std::int64_t pixels, std::int64_t each) {
  return std::max<std::int64_t>(1, pixels / std::max<std::int64_t>(1, each));
}

void describe_vector(Sink& sink, std::string_view name, std::int64_t in, std::int64_t width, bool bias) {
  const Scope scope(sink, name);
  sink.add(linear("linear_1", 1, in, width, bias, Component::embed).with(op_flags::input_no_gradient));
  sink.add(activation("act", width, Activation::silu));
  sink.add(linear("linear_2", 1, width, width, bias, Component::embed));
}

void describe_caption(Sink& sink, std::int64_t rows, std::int64_t in, std::int64_t width) {
  sink.add(
      linear("caption_projection.linear_1", rows, in, width, true, Component::embed).with(op_flags::input_no_gradient));
  sink.add(activation("act", rows * width, Activation::gelu));
  sink.add(linear("caption_projection.linear_2", rows, width, width, true, Component::embed));
}

void describe_modulated(Sink& sink, std::string_view name, std::int64_t rows, std::int64_t width) {
  sink.add(layer_norm(name, rows, width, false, false));
  sink.add(elementwise("modulate", rows * width, 1, 2, 1));
}

void describe_gate(Sink& sink, std::int64_t rows, std::int64_t width) {
  sink.add(elementwise("gate", rows * width, 2, 2, 1));
}

namespace {

void describe_heads(Sink& sink, const JointPart& p, std::int64_t tokens) {
  const std::int64_t width = p.heads * p.head_dim;
  const Component part = Component::projection;
  const Scope branches(sink, {}, 1, BlockKind::branches);
  {
    const Scope q(sink, {});
    sink.add(column_linear("to_q", tokens, width, width, p.bias, part));
    sink.add(rms_norm("norm_q", tokens * p.heads, p.head_dim));
  }
  {
    const Scope k(sink, {});
    sink.add(column_linear("to_k", tokens, width, width, p.bias, part).with(op_flags::shared_input));
    sink.add(rms_norm("norm_k", tokens * p.heads, p.head_dim));
  }
  sink.add(column_linear("to_v", tokens, width, width, p.bias, part).with(op_flags::shared_input));
}

void describe_scores(Sink& sink, const JointPart& p, std::int64_t tokens) {
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = shape.kv_heads = p.heads;
  shape.key_dim = shape.value_dim = p.head_dim;
  shape.mask = AttentionMask::none;
  sink.add(rotary("rotary", tokens, 2 * p.heads, p.head_dim));
  sink.add(attention("attention", shape));
}

}  // namespace

void describe_joint(Sink& sink, const JointPart& p) {
  const std::int64_t width = p.heads * p.head_dim;
  const Scope scope(sink, "attn");
  describe_heads(sink, p, p.image);
  describe_heads(sink, p, p.text);
  describe_scores(sink, p, p.image + p.text);
  sink.add(row_linear("to_out", p.image, width, width, p.bias, Component::projection));
  sink.add(row_linear("to_add_out", p.text, width, width, p.bias, Component::projection));
}

void describe_single_heads(Sink& sink, const JointPart& p) {
  describe_heads(sink, p, p.image + p.text);
  describe_scores(sink, p, p.image + p.text);
}

}  // namespace floptally::families
