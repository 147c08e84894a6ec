#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"HunyuanVideoTransformer3DModel"};

struct Film {
  JointPart joint;
  std::int64_t width = 3072, doubles = 20, singles = 40, refiners = 2, in = 16, out = 16, text = 4096, pooled = 768,
               patch = 2, deep = 1, inner = 12288;
  bool guided = true;
};

Film read_film(const Keys& c) {
  Film v;
  v.joint.heads = c.size("num_attention_heads");
  v.joint.head_dim = c.size("attention_head_dim");
  v.width = v.joint.heads * v.joint.head_dim;
  v.doubles = c.size("num_layers");
  v.singles = c.size("num_single_layers");
  v.refiners = c.assume("num_refiner_layers", 2);
  v.in = c.assume("in_channels", 16);
  v.out = c.size_or("out_channels", v.in);
  v.text = c.assume("text_embed_dim", 4096);
  v.pooled = c.assume("pooled_projection_dim", 768);
  v.patch = c.assume("patch_size", 2);
  v.deep = c.assume("patch_size_t", 1);
  v.guided = c.flag("guidance_embeds", true);
  v.inner =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 4) * static_cast<double>(v.width)));
  if (c.text_or("qk_norm", "rms_norm") != "rms_norm")
    c.problem("unknown-variant", "qk_norm", "only RMS norms of queries and keys are known");
  const std::string_view condition = c.text_or("image_condition_type", "");
  if (!condition.empty() && condition != "latent_concat")
    c.problem("unknown-variant", "image_condition_type", "the condition '" + std::string(condition) + "' is not known");
  c.understood({"rope_theta", "rope_axes_dim"});
  return v;
}

// The text is refined by layers of its own, with the time and its mean.
void describe_refiner(Sink& sink, const Film& v, std::int64_t text) {
  const Scope scope(sink, "context_embedder");
  constexpr std::int64_t kFrequencies = 256;
  const std::int64_t width = v.width;
  describe_vector(sink, "timestep_embedder", kFrequencies, width);
  describe_vector(sink, "text_embedder", v.text, width);
  sink.add(linear("proj_in", text, v.text, width, true, Component::embed).with(op_flags::input_no_gradient));
  const Scope blocks(sink, "refiner_blocks", v.refiners, BlockKind::layer);
  sink.add(linear("norm_out.linear", 1, width, 2 * width, true, Component::norm));
  sink.add(layer_norm("norm1", text, width));
  AttentionPart self;
  self.name = "attn";
  self.width = width;
  self.heads = self.kv_heads = v.joint.heads;
  self.head_dim = v.joint.head_dim;
  self.rotary_dim = 0;
  self.mask = AttentionMask::none;
  set_bias(self, true, true);
  describe_attention(self, text, sink);
  describe_gate(sink, text, width);
  sink.add(layer_norm("norm2", text, width));
  describe_mlp(mlp_of(width, v.inner, Activation::silu, false, true), text, sink);
  describe_gate(sink, text, width);
}

void describe_stream(Sink& sink, std::string_view name, const Film& v, std::int64_t tokens) {
  const Scope scope(sink, name);
  describe_gate(sink, tokens, v.width);
  describe_modulated(sink, "norm2", tokens, v.width);
  describe_mlp(mlp_of(v.width, v.inner, Activation::gelu, false, true), tokens, sink);
  describe_gate(sink, tokens, v.width);
}

void describe_blocks(Sink& sink, const Film& v) {
  const std::int64_t width = v.width, all = v.joint.image + v.joint.text;
  {
    const Scope blocks(sink, "transformer_blocks", v.doubles, BlockKind::layer);
    for (const std::string_view name : {"norm1.linear", "norm1_context.linear"})
      sink.add(linear(name, 1, width, 6 * width, true, Component::norm));
    describe_modulated(sink, "norm1", v.joint.image, width);
    describe_modulated(sink, "norm1_context", v.joint.text, width);
    describe_joint(sink, v.joint);
    describe_stream(sink, "image", v, v.joint.image);
    describe_stream(sink, "text", v, v.joint.text);
  }
  const Scope blocks(sink, "single_transformer_blocks", v.singles, BlockKind::layer);
  sink.add(linear("norm.linear", 1, width, 3 * width, true, Component::norm));
  describe_modulated(sink, "norm", all, width);
  {
    const Scope sides(sink, {}, 1, BlockKind::branches);
    {
      const Scope mlp(sink, {});
      sink.add(column_linear("proj_mlp", all, width, v.inner, true));
      sink.add(activation("act_mlp", all * v.inner, Activation::gelu));
    }
    const Scope attention(sink, {});
    describe_single_heads(sink, v.joint);
  }
  sink.add(row_linear("proj_out", all, width + v.inner, width, true));
  describe_gate(sink, all, width);
}

void describe_hunyuan_video(Family& f) {
  Film v = read_film(f.config);
  const Canvas canvas = read_canvas(f, {720, 1280, 129, 256});
  if (!f.ok()) return;
  constexpr std::int64_t kPixels = 8, kFrames = 4, kFrequencies = 256;
  const std::int64_t volume = v.patch * v.patch * v.deep;
  v.joint.image = cells((canvas.frames - 1) / kFrames + 1, v.deep) * cells(canvas.height / kPixels, v.patch) *
                  cells(canvas.width / kPixels, v.patch);
  v.joint.text = canvas.text;
  Sink& sink = f.sink;
  sink.add(convolution("x_embedder", v.in, v.width, 1, volume, v.joint.image * volume, v.joint.image, true)
               .with(op_flags::input_no_gradient));
  describe_refiner(sink, v, v.joint.text);
  describe_vector(sink, "timestep_embedder", kFrequencies, v.width);
  describe_vector(sink, "text_embedder", v.pooled, v.width);
  if (v.guided) describe_vector(sink, "guidance_embedder", kFrequencies, v.width);
  describe_blocks(sink, v);
  sink.add(linear("norm_out.linear", 1, v.width, 2 * v.width, true, Component::norm));
  describe_modulated(sink, "norm_out", v.joint.image, v.width);
  sink.add(linear("proj_out", v.joint.image, v.width, volume * v.out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_hunyuan_video;
const FamilyDef k_hunyuan_video = {
    "hunyuan_video",
    "HunyuanVideo: video and text in two streams, then in one; the text refined by layers of its own",
    "huggingface/diffusers models/transformers/transformer_hunyuan_video.py; 2412.03603",
    {},
    kArchitectures,
    build<describe_hunyuan_video>,
    "sample"};

}  // namespace floptally::families
