#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"PixArtTransformer2DModel", "LTXVideoTransformer3DModel"};

struct Net {
  std::int64_t heads = 16, head_dim = 72, width = 1152, crossed = 1152, layers = 28, in = 4, out = 8, caption = 4096,
               patch = 2;
  bool bias = true, normed = false, sized = false, rotates = false;
};

// PixArt and LTX-Video: attention, attention over the text, a feed-forward layer, driven by one vector and a table.
void describe_block(Sink& sink, const Net& n, std::int64_t tokens, std::int64_t text) {
  sink.add(parameter("scale_shift_table", 6 * n.width, 6 * n.width, Component::norm));
  describe_modulated(sink, "norm1", tokens, n.width);
  AttentionPart self;
  self.name = "attn1";
  self.width = n.width;
  self.heads = self.kv_heads = n.heads;
  self.head_dim = n.head_dim;
  self.rotary_dim = n.rotates ? n.head_dim : 0;
  self.qk_norm = n.normed ? QkNorm::whole : QkNorm::none;
  self.mask = AttentionMask::none;
  set_bias(self, n.bias, true);
  describe_attention(self, tokens, sink);
  describe_gate(sink, tokens, n.width);
  CrossAttentionPart cross;
  cross.name = "attn2";
  cross.width = n.width;
  cross.memory_width = n.crossed;
  cross.heads = cross.kv_heads = n.heads;
  cross.head_dim = n.head_dim;
  cross.qk_norm = self.qk_norm;
  cross.q_bias = cross.k_bias = cross.v_bias = n.bias;
  cross.out_bias = true;
  describe_cross_attention(cross, tokens, text, sink);
  sink.add(residual(tokens * n.width));
  describe_modulated(sink, "norm2", tokens, n.width);
  MlpPart mlp = mlp_of(n.width, 4 * n.width, Activation::gelu, false, true);
  mlp.name = "ff";
  describe_mlp(mlp, tokens, sink);
  describe_gate(sink, tokens, n.width);
}

Net read_net(const Keys& c, bool moves) {
  Net n;
  n.heads = c.size("num_attention_heads");
  n.head_dim = c.size("attention_head_dim");
  n.width = n.heads * n.head_dim;
  n.crossed = c.size_or("cross_attention_dim", n.width);
  n.layers = c.size("num_layers");
  n.in = c.assume("in_channels", moves ? 128 : 4);
  n.out = c.size_or("out_channels", n.in);
  n.caption = c.assume("caption_channels", 4096);
  n.patch = c.assume("patch_size", moves ? 1 : 2);
  n.bias = c.flag("attention_bias", true);
  n.normed = n.rotates = moves;
  if (!moves) {
    const std::int64_t sample = c.assume("sample_size", 128);
    constexpr std::int64_t kLarge = 128;  // then size and shape of the picture are told, too
    n.sized = c.flag("use_additional_conditions", sample == kLarge);
    if (c.text_or("norm_type", "ada_norm_single") != "ada_norm_single")
      c.problem("unknown-variant", "norm_type", "only 'ada_norm_single' is known here");
    if (n.sized && n.width % 3 != 0)
      c.problem("shape-divide", "attention_head_dim", "the width must be a multiple of 3");
  } else {
    if (c.assume("patch_size_t", 1) != 1)
      c.problem("unknown-variant", "patch_size_t", "patches of frames are not known");
    if (!c.flag("attention_out_bias", true)) c.problem("unknown-variant", "attention_out_bias", "a bias is expected");
    if (c.text_or("qk_norm", "rms_norm_across_heads") != "rms_norm_across_heads")
      c.problem("unknown-variant", "qk_norm", "only norms of queries and keys across heads are known");
  }
  if (n.crossed != n.width)
    c.problem("shape-range", "cross_attention_dim",
              "'cross_attention_dim' must be the width: captions are projected to it");
  if (c.flag("norm_elementwise_affine", false))
    c.problem("unknown-variant", "norm_elementwise_affine", "norms with numbers of their own are not known");
  c.understood({"activation_fn", "num_embeds_ada_norm", "upcast_attention", "interpolation_scale", "norm_eps",
                "dropout", "norm_num_groups", "attention_type", "double_self_attention", "only_cross_attention",
                "num_vector_embeds", "use_linear_projection", "attention_out_bias", "patch_size_t",
                "use_additional_conditions"});
  return n;
}

void describe_pixart(Family& f) {
  const Keys& c = f.config;
  const bool moves =
      f.architecture() == "LTXVideoTransformer3DModel" || c.text_or("_class_name", "") == "LTXVideoTransformer3DModel";
  const Net n = read_net(c, moves);
  const Canvas canvas = read_canvas(f, moves ? Canvas{512, 768, 161, 128} : Canvas{1024, 1024, 1, 300});
  if (!f.ok()) return;
  const std::int64_t pixels = (moves ? 32 : 8) * n.patch, deep = moves ? 8 : 1,
                     tokens =
                         ((canvas.frames - 1) / deep + 1) * cells(canvas.height, pixels) * cells(canvas.width, pixels),
                     area = n.patch * n.patch;
  constexpr std::int64_t kFrequencies = 256;
  Sink& sink = f.sink;
  sink.add(
      convolution("proj_in", n.in, n.width, 1, area, tokens * area, tokens, true).with(op_flags::input_no_gradient));
  describe_vector(sink, "timestep_embedder", kFrequencies, n.width);
  if (n.sized) {
    RepeatedSink sides(sink, 2);  // height and width
    describe_vector(sides, "resolution_embedder", kFrequencies, n.width / 3);
    describe_vector(sink, "aspect_ratio_embedder", kFrequencies, n.width / 3);
  }
  sink.add(linear("adaln_single.linear", 1, n.width, 6 * n.width, true, Component::norm));
  describe_caption(sink, canvas.text, n.caption, n.width);
  {
    const Scope blocks(sink, "transformer_blocks", n.layers, BlockKind::layer);
    describe_block(sink, n, tokens, canvas.text);
  }
  sink.add(parameter("scale_shift_table", 2 * n.width, 2 * n.width, Component::norm));
  describe_modulated(sink, "norm_out", tokens, n.width);
  sink.add(linear("proj_out", tokens, n.width, area * n.out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_pixart;
const FamilyDef k_pixart = {
    "pixart",
    "PixArt and LTX-Video: latents with attention over themselves and over the text, driven by one vector of the time",
    "huggingface/diffusers models/transformers/pixart_transformer_2d.py, transformer_ltx.py; 2310.00426, 2501.00103",
    {},
    kArchitectures,
    build<describe_pixart>,
    "sample"};

}  // namespace floptally::families
