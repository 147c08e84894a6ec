#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"WanTransformer3DModel"};

struct Wan {
  std::int64_t heads = 40, head_dim = 128, width = 5120, in = 16, out = 16, text = 4096, times = 256, ffn = 13824,
               layers = 40, image = 0, added = 0, places = 0;
  std::vector<std::int64_t> patch = {1, 2, 2};
  bool crossed_norm = true;
};

Wan read_wan(const Keys& c) {
  Wan w;
  w.heads = c.size("num_attention_heads");
  w.head_dim = c.assume("attention_head_dim", 128);
  w.width = w.heads * w.head_dim;
  w.in = c.assume("in_channels", 16);
  w.out = c.size_or("out_channels", w.in);
  w.text = c.assume("text_dim", 4096);
  w.times = c.assume("freq_dim", 256);
  w.ffn = c.size("ffn_dim");
  w.layers = c.size("num_layers");
  w.image = c.count_or("image_dim", 0);
  w.added = c.count_or("added_kv_proj_dim", 0);
  w.places = c.count_or("pos_embed_seq_len", 0);
  if (c.has("patch_size")) w.patch = c.config().sizes({"patch_size"});
  w.crossed_norm = c.flag("cross_attn_norm", true);
  if (w.patch.size() != 3 || w.patch[0] < 1 || w.patch[1] < 1 || w.patch[2] < 1)
    c.problem("shape-range", "patch_size", "'patch_size' must be three sizes of at least 1");
  if (c.text_or("qk_norm", "rms_norm_across_heads") != "rms_norm_across_heads")
    c.problem("unknown-variant", "qk_norm", "only norms of queries and keys across heads are known");
  c.understood({"eps", "rope_max_seq_len"});
  return w;
}

void describe_picture(Sink& sink, const Wan& w, std::int64_t seen) {
  const Scope scope(sink, "image_embedder");
  sink.add(layer_norm("norm1", seen, w.image));
  sink.add(linear("ff.0", seen, w.image, w.image, true, Component::embed));
  sink.add(activation("act", seen * w.image, Activation::gelu));
  sink.add(linear("ff.2", seen, w.image, w.width, true, Component::embed));
  sink.add(layer_norm("norm2", seen, w.width));
  if (w.places > 0) sink.add(parameter("pos_embed", w.places * w.image, w.places * w.image, Component::position));
}

// Self-attention, attention over the text (and over a first picture, whose keys have matrices of their own), both with
// queries and keys normed across heads; the time shifts, scales and gates all but the second.
void describe_block(Sink& sink, const Wan& w, std::int64_t tokens, std::int64_t text, std::int64_t seen) {
  sink.add(parameter("scale_shift_table", 6 * w.width, 6 * w.width, Component::norm));
  describe_modulated(sink, "norm1", tokens, w.width);
  AttentionPart self;
  self.name = "attn1";
  self.width = w.width;
  self.heads = self.kv_heads = w.heads;
  self.head_dim = w.head_dim;
  self.qk_norm = QkNorm::whole;
  self.mask = AttentionMask::none;
  set_bias(self, true, true);
  describe_attention(self, tokens, sink);
  describe_gate(sink, tokens, w.width);
  if (w.crossed_norm) sink.add(layer_norm("norm2", tokens, w.width));
  CrossAttentionPart cross;
  cross.name = "attn2";
  cross.width = cross.memory_width = w.width;
  cross.heads = cross.kv_heads = w.heads;
  cross.head_dim = w.head_dim;
  cross.qk_norm = QkNorm::whole;
  cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
  describe_cross_attention(cross, tokens, text, sink);
  if (w.added > 0) {
    for (const std::string_view name : {"add_k_proj", "add_v_proj"})
      sink.add(linear(name, seen, w.added, w.width, true, Component::projection));
    sink.add(rms_norm("norm_added_k", seen, w.width));
    AttentionShape shape;
    shape.queries = tokens;
    shape.keys = seen;
    shape.heads = shape.kv_heads = w.heads;
    shape.key_dim = shape.value_dim = w.head_dim;
    shape.mask = AttentionMask::none;
    sink.add(attention("image_attention", shape));
    sink.add(residual(tokens * w.width));
  }
  sink.add(residual(tokens * w.width));
  describe_modulated(sink, "norm3", tokens, w.width);
  MlpPart mlp = mlp_of(w.width, w.ffn, Activation::gelu, false, true);
  mlp.name = "ffn";
  describe_mlp(mlp, tokens, sink);
  describe_gate(sink, tokens, w.width);
}

void describe_wan(Family& f) {
  const Wan w = read_wan(f.config);
  const Canvas canvas = read_canvas(f, {480, 832, 81, 512});
  if (!f.ok()) return;
  // One latent stands for 8 pixels a side and, after the first, for 4 frames.
  constexpr std::int64_t kPixels = 8, kFrames = 4, kSeen = 257;
  const std::int64_t tokens = cells((canvas.frames - 1) / kFrames + 1, w.patch[0]) *
                              cells(canvas.height / kPixels, w.patch[1]) * cells(canvas.width / kPixels, w.patch[2]),
                     volume = w.patch[0] * w.patch[1] * w.patch[2];
  Sink& sink = f.sink;
  sink.add(convolution("patch_embedding", w.in, w.width, 1, volume, tokens * volume, tokens, true)
               .with(op_flags::input_no_gradient));
  describe_vector(sink, "time_embedder", w.times, w.width);
  sink.add(linear("time_proj", 1, w.width, 6 * w.width, true, Component::norm));
  sink.add(linear("text_embedder.linear_1", canvas.text, w.text, w.width, true, Component::embed)
               .with(op_flags::input_no_gradient));
  sink.add(activation("act", canvas.text * w.width, Activation::gelu));
  sink.add(linear("text_embedder.linear_2", canvas.text, w.width, w.width, true, Component::embed));
  if (w.image > 0) describe_picture(sink, w, kSeen);
  {
    const Scope blocks(sink, "blocks", w.layers, BlockKind::layer);
    describe_block(sink, w, tokens, canvas.text, kSeen);
  }
  sink.add(parameter("scale_shift_table", 2 * w.width, 2 * w.width, Component::norm));
  describe_modulated(sink, "norm_out", tokens, w.width);
  sink.add(linear("proj_out", tokens, w.width, w.out * volume, true, Component::head));
}

}  // namespace

extern const FamilyDef k_wan;
const FamilyDef k_wan = {"wan",
                         "Wan 2.1 and 2.2: video latents with attention over all frames and over the text",
                         "huggingface/diffusers models/transformers/transformer_wan.py; 2503.20314",
                         {},
                         kArchitectures,
                         build<describe_wan>,
                         "sample"};

}  // namespace floptally::families
