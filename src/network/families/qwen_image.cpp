#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"QwenImageTransformer2DModel"};

void describe_stream(Sink& sink, std::string_view name, std::int64_t tokens, std::int64_t width) {
  const Scope scope(sink, name);
  describe_gate(sink, tokens, width);
  describe_modulated(sink, "norm2", tokens, width);
  describe_mlp(mlp_of(width, 4 * width, Activation::gelu, false, true), tokens, sink);
  describe_gate(sink, tokens, width);
}

void describe_qwen_image(Family& f) {
  const Keys& c = f.config;
  JointPart joint;
  joint.heads = c.size("num_attention_heads");
  joint.head_dim = c.size("attention_head_dim");
  const std::int64_t width = joint.heads * joint.head_dim, layers = c.size("num_layers"), in = c.size("in_channels"),
                     out = c.size_or("out_channels", in), patch = c.assume("patch_size", 2),
                     text = c.size("joint_attention_dim");
  for (const std::string_view key : {"guidance_embeds", "zero_cond_t", "use_additional_t_cond", "use_layer3d_rope"})
    if (c.flag(key, false)) c.problem("unknown-variant", key, "'" + std::string(key) + "' is not known here");
  c.understood({"axes_dims_rope", "pooled_projection_dim"});
  const Canvas canvas = read_canvas(f, {1328, 1328, 1, 512});
  if (!f.ok()) return;
  constexpr std::int64_t kPixels = 16, kFrequencies = 256;
  joint.image = cells(canvas.height, kPixels) * cells(canvas.width, kPixels);
  joint.text = canvas.text;
  Sink& sink = f.sink;
  sink.add(linear("img_in", joint.image, in, width, true, Component::embed).with(op_flags::input_no_gradient));
  sink.add(rms_norm("txt_norm", joint.text, text).with(op_flags::input_no_gradient));
  sink.add(linear("txt_in", joint.text, text, width, true, Component::embed));
  describe_vector(sink, "timestep_embedder", kFrequencies, width);
  {
    const Scope blocks(sink, "transformer_blocks", layers, BlockKind::layer);
    for (const std::string_view name : {"img_mod", "txt_mod"})
      sink.add(linear(name, 1, width, 6 * width, true, Component::norm));
    describe_modulated(sink, "img_norm1", joint.image, width);
    describe_modulated(sink, "txt_norm1", joint.text, width);
    describe_joint(sink, joint);
    describe_stream(sink, "image", joint.image, width);
    describe_stream(sink, "text", joint.text, width);
  }
  sink.add(linear("norm_out.linear", 1, width, 2 * width, true, Component::norm));
  describe_modulated(sink, "norm_out", joint.image, width);
  sink.add(linear("proj_out", joint.image, width, patch * patch * out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_qwen_image;
const FamilyDef k_qwen_image = {"qwen_image",
                                "Qwen-Image: two streams, picture and text, through one attention in every layer",
                                "huggingface/diffusers models/transformers/transformer_qwenimage.py; 2508.02324",
                                {},
                                kArchitectures,
                                build<describe_qwen_image>,
                                "sample"};

}  // namespace floptally::families
