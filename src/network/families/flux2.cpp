#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"Flux2Transformer2DModel"};

struct Net {
  JointPart joint;
  std::int64_t width = 6144, inner = 18432, doubles = 8, singles = 48, in = 128, out = 128, text = 15360, times = 256,
               patch = 1;
  bool guided = true;
};

MlpPart feed_of(const Net& n, std::string_view name) {
  MlpPart mlp = mlp_of(n.width, n.inner);
  mlp.name = name;
  mlp.joined = true;
  return mlp;
}

void describe_stream(Sink& sink, std::string_view name, const Net& n, std::int64_t tokens) {
  describe_gate(sink, tokens, n.width);
  describe_modulated(sink, "norm2", tokens, n.width);
  describe_mlp(feed_of(n, name), tokens, sink);
  describe_gate(sink, tokens, n.width);
}

// What the time does to all layers alike is made once.
void describe_blocks(Sink& sink, const Net& n) {
  const std::int64_t width = n.width, all = n.joint.image + n.joint.text;
  for (const std::string_view name : {"double_stream_modulation_img", "double_stream_modulation_txt"})
    sink.add(linear(name, 1, width, 6 * width, false, Component::norm));
  sink.add(linear("single_stream_modulation", 1, width, 3 * width, false, Component::norm));
  {
    const Scope blocks(sink, "transformer_blocks", n.doubles, BlockKind::layer);
    describe_modulated(sink, "norm1", n.joint.image, width);
    describe_modulated(sink, "norm1_context", n.joint.text, width);
    describe_joint(sink, n.joint);
    describe_stream(sink, "ff", n, n.joint.image);
    describe_stream(sink, "ff_context", n, n.joint.text);
  }
  // Queries, keys, values and the feed-forward layer come out of one matrix and go into one.
  const Scope blocks(sink, "single_transformer_blocks", n.singles, BlockKind::layer);
  describe_modulated(sink, "norm", all, width);
  {
    const Scope sides(sink, {}, 1, BlockKind::branches);
    {
      const Scope mlp(sink, {});
      sink.add(column_linear("to_qkv_mlp_proj.mlp", all, width, 2 * n.inner, false));
      sink.add(gated_activation("act", all * n.inner, Activation::silu));
    }
    const Scope attention(sink, {});
    describe_single_heads(sink, n.joint);
  }
  sink.add(row_linear("to_out", all, width + n.inner, width, false));
  describe_gate(sink, all, width);
}

void describe_flux2(Family& f) {
  const Keys& c = f.config;
  Net n;
  n.joint.heads = c.size("num_attention_heads");
  n.joint.head_dim = c.size("attention_head_dim");
  n.joint.bias = false;
  n.width = n.joint.heads * n.joint.head_dim;
  n.doubles = c.size("num_layers");
  n.singles = c.size("num_single_layers");
  n.in = c.assume("in_channels", 128);
  n.out = c.size_or("out_channels", n.in);
  n.text = c.size("joint_attention_dim");
  n.times = c.assume("timestep_guidance_channels", 256);
  n.patch = c.assume("patch_size", 1);
  n.guided = c.flag("guidance_embeds", true);
  n.inner =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 3) * static_cast<double>(n.width)));
  c.understood({"axes_dims_rope", "rope_theta", "eps"});
  const Canvas canvas = read_canvas(f, {1024, 1024, 1, 512});
  if (!f.ok()) return;
  constexpr std::int64_t kPixels = 16;
  n.joint.image = cells(canvas.height, kPixels) * cells(canvas.width, kPixels);
  n.joint.text = canvas.text;
  Sink& sink = f.sink;
  describe_vector(sink, "timestep_embedder", n.times, n.width, false);
  if (n.guided) describe_vector(sink, "guidance_embedder", n.times, n.width, false);
  sink.add(
      linear("x_embedder", n.joint.image, n.in, n.width, false, Component::embed).with(op_flags::input_no_gradient));
  sink.add(linear("context_embedder", n.joint.text, n.text, n.width, false, Component::embed)
               .with(op_flags::input_no_gradient));
  describe_blocks(sink, n);
  sink.add(linear("norm_out.linear", 1, n.width, 2 * n.width, false, Component::norm));
  describe_modulated(sink, "norm_out", n.joint.image, n.width);
  sink.add(linear("proj_out", n.joint.image, n.width, n.patch * n.patch * n.out, false, Component::head));
}

}  // namespace

extern const FamilyDef k_flux2;
const FamilyDef k_flux2 = {
    "flux2",
    "FLUX.2: layers of two streams, then of one, gated, without biases, driven by one vector for all",
    "huggingface/diffusers models/transformers/transformer_flux2.py",
    {},
    kArchitectures,
    build<describe_flux2>,
    "sample"};

}  // namespace floptally::families
