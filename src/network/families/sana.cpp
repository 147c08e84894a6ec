#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"SanaTransformer2DModel"};

struct Net {
  std::int64_t heads = 70, head_dim = 32, width = 2240, cross_heads = 20, cross_dim = 112, crossed = 2240, layers = 20,
               in = 32, out = 32, caption = 2304, patch = 1, inner = 5600;
  bool bias = false, guided = false;
  QkNorm norm = QkNorm::none;
};

Net read_net(const Keys& c) {
  Net n;
  n.heads = c.size("num_attention_heads");
  n.head_dim = c.size("attention_head_dim");
  n.width = n.heads * n.head_dim;
  n.layers = c.size("num_layers");
  n.cross_heads = c.assume("num_cross_attention_heads", 20);
  n.cross_dim = c.assume("cross_attention_head_dim", 112);
  n.crossed = c.size_or("cross_attention_dim", n.width);
  n.in = c.assume("in_channels", 32);
  n.out = c.size_or("out_channels", n.in);
  n.caption = c.assume("caption_channels", 2304);
  n.patch = c.assume("patch_size", 1);
  n.inner =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 2.5) * static_cast<double>(n.width)));
  n.bias = c.flag("attention_bias", false);
  n.guided = c.flag("guidance_embeds", false);
  const std::string_view norm = c.text_or("qk_norm", "");
  if (norm == "rms_norm_across_heads")
    n.norm = QkNorm::whole;
  else if (!norm.empty())
    c.problem("unknown-variant", "qk_norm",
              "norms of queries and keys of kind '" + std::string(norm) + "' are not known");
  if (n.crossed != n.width || n.cross_heads * n.cross_dim != n.width)
    c.problem("shape-range", "cross_attention_dim", "'cross_attention_dim' and the heads that cross must be the width");
  if (c.flag("norm_elementwise_affine", false))
    c.problem("unknown-variant", "norm_elementwise_affine", "norms with numbers of their own are not known");
  c.understood(
      {"dropout", "norm_eps", "sample_size", "interpolation_scale", "timestep_scale", "guidance_embeds_scale", "eps"});
  return n;
}

// Attention without a softmax: keys and values, with a one beside each value, are summed to a matrix that queries read.
void describe_linear_attention(Sink& sink, const Net& n, std::int64_t tokens) {
  const Scope scope(sink, "attn1");
  for (const std::string_view name : {"to_q", "to_k", "to_v"})
    sink.add(column_linear(name, tokens, n.width, n.width, n.bias, Component::projection).with(op_flags::shared_input));
  if (n.norm != QkNorm::none)
    for (const std::string_view name : {"norm_q", "norm_k"}) sink.add(rms_norm(name, tokens, n.width));
  sink.add(activation("act", 2 * tokens * n.width, Activation::relu));
  sink.add(matmul("key_values", n.heads, n.head_dim + 1, tokens, n.head_dim));
  sink.add(matmul("reads", n.heads, n.head_dim + 1, n.head_dim, tokens));
  sink.add(elementwise("divide", tokens * n.width, 2, 1, 2 * tokens * n.width));
  sink.add(row_linear("to_out", tokens, n.width, n.width, true, Component::projection));
}

void describe_block(Sink& sink, const Net& n, std::int64_t tokens, std::int64_t text) {
  sink.add(parameter("scale_shift_table", 6 * n.width, 6 * n.width, Component::norm));
  describe_modulated(sink, "norm1", tokens, n.width);
  describe_linear_attention(sink, n, tokens);
  describe_gate(sink, tokens, n.width);
  CrossAttentionPart cross;
  cross.name = "attn2";
  cross.width = n.width;
  cross.memory_width = n.crossed;
  cross.heads = cross.kv_heads = n.cross_heads;
  cross.head_dim = n.cross_dim;
  cross.qk_norm = n.norm;
  cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
  describe_cross_attention(cross, tokens, text, sink);
  sink.add(residual(tokens * n.width));
  describe_modulated(sink, "norm2", tokens, n.width);
  {
    const Scope ff(sink, "ff");
    sink.add(convolution("conv_inverted", n.width, 2 * n.inner, 1, 1, tokens, tokens, true));
    sink.add(activation("act", tokens * 2 * n.inner, Activation::silu));
    sink.add(convolution("conv_depth", 2 * n.inner, 2 * n.inner, 2 * n.inner, 9, tokens, tokens, true));
    sink.add(gated_activation("gate", tokens * n.inner, Activation::silu));
    sink.add(convolution("conv_point", n.inner, n.width, 1, 1, tokens, tokens, false));
  }
  describe_gate(sink, tokens, n.width);
}

void describe_sana(Family& f) {
  const Net n = read_net(f.config);
  const Canvas canvas = read_canvas(f, {1024, 1024, 1, 300});
  if (!f.ok()) return;
  constexpr std::int64_t kPixels = 32, kFrequencies = 256;
  const std::int64_t tokens = cells(canvas.height / kPixels, n.patch) * cells(canvas.width / kPixels, n.patch),
                     area = n.patch * n.patch;
  Sink& sink = f.sink;
  sink.add(convolution("patch_embed", n.in, n.width, 1, area, tokens * area, tokens, true)
               .with(op_flags::input_no_gradient));
  describe_vector(sink, "timestep_embedder", kFrequencies, n.width);
  if (n.guided) describe_vector(sink, "guidance_embedder", kFrequencies, n.width);
  sink.add(linear("time_embed.linear", 1, n.width, 6 * n.width, true, Component::norm));
  describe_caption(sink, canvas.text, n.caption, n.width);
  sink.add(rms_norm("caption_norm", canvas.text, n.width));
  {
    const Scope blocks(sink, "transformer_blocks", n.layers, BlockKind::layer);
    describe_block(sink, n, tokens, canvas.text);
  }
  sink.add(parameter("scale_shift_table", 2 * n.width, 2 * n.width, Component::norm));
  describe_modulated(sink, "norm_out", tokens, n.width);
  sink.add(linear("proj_out", tokens, n.width, area * n.out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_sana;
const FamilyDef k_sana = {
    "sana",
    "Sana: latents of a 32nd of the side, linear attention, a feed-forward layer with a depthwise convolution",
    "huggingface/diffusers models/transformers/sana_transformer.py; 2410.10629",
    {},
    kArchitectures,
    build<describe_sana>,
    "sample"};

}  // namespace floptally::families
