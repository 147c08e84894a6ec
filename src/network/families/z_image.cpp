#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"ZImageTransformer2DModel", "Lumina2Transformer2DModel"};

struct Net {
  AttentionPart attention;
  MlpPart mlp;
  std::int64_t width = 3840, times = 256;
};

// Norms before and behind both sublayers; the time scales and gates where it is let in.
void describe_block(Sink& sink, const Net& n, std::int64_t tokens, bool driven) {
  const std::int64_t width = n.width;
  const auto scaled = [&] {
    if (driven) sink.add(elementwise("scale", tokens * width, 1, 1, 1));
  };
  const auto gated = [&] {
    if (driven)
      describe_gate(sink, tokens, width);
    else
      sink.add(residual(tokens * width));
  };
  if (driven) sink.add(linear("adaLN_modulation", 1, n.times, 4 * width, true, Component::norm));
  sink.add(rms_norm("attention_norm1", tokens, width));
  scaled();
  describe_attention(n.attention, tokens, sink);
  sink.add(rms_norm("attention_norm2", tokens, width));
  gated();
  sink.add(rms_norm("ffn_norm1", tokens, width));
  scaled();
  describe_mlp(n.mlp, tokens, sink);
  sink.add(rms_norm("ffn_norm2", tokens, width));
  gated();
}

struct Stream {
  std::int64_t layers = 1, refiners = 2, text_width = 2560, in = 16, out = 16, patch = 2, inner = 1024;
};

void describe_stream(Sink& sink, const Net& n, const Stream& s, const Canvas& canvas) {
  constexpr std::int64_t kPixels = 8, kFrequencies = 256;
  const std::int64_t pixels = kPixels * s.patch, image = cells(canvas.height, pixels) * cells(canvas.width, pixels),
                     area = s.patch * s.patch;
  sink.add(linear("t_embedder.0", 1, kFrequencies, s.inner, true, Component::embed).with(op_flags::input_no_gradient));
  sink.add(activation("act", s.inner, Activation::silu));
  sink.add(linear("t_embedder.2", 1, s.inner, n.times, true, Component::embed));
  sink.add(linear("x_embedder", image, area * s.in, n.width, true, Component::embed).with(op_flags::input_no_gradient));
  {
    const Scope blocks(sink, "noise_refiner", s.refiners, BlockKind::layer);
    describe_block(sink, n, image, true);
  }
  sink.add(rms_norm("cap_embedder.0", canvas.text, s.text_width).with(op_flags::input_no_gradient));
  sink.add(linear("cap_embedder.1", canvas.text, s.text_width, n.width, true, Component::embed));
  {
    const Scope blocks(sink, "context_refiner", s.refiners, BlockKind::layer);
    describe_block(sink, n, canvas.text, false);
  }
  {
    const Scope blocks(sink, "layers", s.layers, BlockKind::layer);
    describe_block(sink, n, image + canvas.text, true);
  }
  const std::int64_t all = image + canvas.text;  // the text's positions are dropped behind
  sink.add(linear("final_layer.adaLN_modulation", 1, n.times, n.width, true, Component::norm));
  describe_modulated(sink, "final_layer.norm", all, n.width);
  sink.add(linear("final_layer.linear", all, n.width, area * s.out, true, Component::head));
}

void set_attention(Net& n, std::int64_t heads, std::int64_t kv_heads) {
  n.attention.name = "attention";
  n.attention.width = n.width;
  n.attention.heads = heads;
  n.attention.kv_heads = kv_heads;
  n.attention.head_dim = n.width / std::max<std::int64_t>(1, heads);
  n.attention.mask = AttentionMask::none;
}

void describe_lumina(Family& f) {
  const Keys& c = f.config;
  Net n;
  Stream s;
  n.width = c.size("hidden_size");
  n.times = s.inner = std::min<std::int64_t>(n.width, 1024);
  s.layers = c.size("num_layers");
  s.refiners = c.assume("num_refiner_layers", 2);
  s.text_width = c.assume("cap_feat_dim", 1024);
  s.in = c.assume("in_channels", 16);
  s.out = c.size_or("out_channels", s.in);
  s.patch = c.assume("patch_size", 2);
  const std::int64_t heads = c.size("num_attention_heads"), kv_heads = c.assume("num_kv_heads", 8),
                     each = c.assume("multiple_of", 256);
  c.divides("num_attention_heads", heads, "hidden_size", n.width);
  c.divides("num_kv_heads", kv_heads, "num_attention_heads", heads);
  if (c.has("ffn_dim_multiplier"))
    c.problem("unknown-variant", "ffn_dim_multiplier", "a factor of the feed-forward's width is not known");
  set_attention(n, heads, kv_heads);
  n.attention.qk_norm = QkNorm::per_head;
  n.mlp = mlp_of(n.width, cells(4 * n.width + each - 1, each) * each);
  n.mlp.name = "feed_forward";
  c.understood({"sample_size", "norm_eps", "scaling_factor", "axes_dim_rope", "axes_lens"});
  const Canvas canvas = read_canvas(f, {1024, 1024, 1, 256});
  if (f.ok()) describe_stream(f.sink, n, s, canvas);
}

void describe_z_image(Family& f) {
  const Keys& c = f.config;
  Net n;
  n.width = c.size("dim");
  Stream s;
  s.layers = c.size("n_layers");
  s.refiners = c.assume("n_refiner_layers", 2);
  s.in = s.out = c.assume("in_channels", 16);
  s.text_width = c.assume("cap_feat_dim", 2560);
  const std::int64_t heads = c.size("n_heads");
  const std::vector<std::int64_t> patches = c.has("all_patch_size") ? c.config().sizes({"all_patch_size"})
                                                                    : std::vector<std::int64_t>{2},
                                  deep = c.has("all_f_patch_size") ? c.config().sizes({"all_f_patch_size"})
                                                                   : std::vector<std::int64_t>{1};
  c.divides("n_heads", heads, "dim", n.width);
  if (patches.size() != 1 || deep.size() != 1 || patches[0] < 1 || deep[0] != 1)
    c.problem("unknown-variant", "all_patch_size", "only one size of patches of one frame is known");
  if (c.count_or("siglip_feat_dim", 0) > 0)
    c.problem("unknown-variant", "siglip_feat_dim", "pictures that are seen beside the text (Omni) are not known");
  n.times = std::min<std::int64_t>(n.width, 256);
  if (!patches.empty()) s.patch = std::max<std::int64_t>(1, patches[0]);
  set_attention(n, heads, heads);
  n.attention.qk_norm = c.flag("qk_norm", true) ? QkNorm::per_head : QkNorm::none;
  n.mlp = mlp_of(n.width, std::max<std::int64_t>(1, n.width * 8 / 3));
  n.mlp.name = "feed_forward";
  c.understood({"n_kv_heads", "norm_eps", "rope_theta", "t_scale", "axes_dims", "axes_lens"});
  const Canvas canvas = read_canvas(f, {1024, 1024, 1, 512});
  if (!f.ok()) return;
  f.sink.add(parameter("pad_tokens", 2 * n.width, 0, Component::embed));
  describe_stream(f.sink, n, s, canvas);
}

void describe_either(Family& f) {
  const bool lumina = f.config.text_or("_class_name", f.architecture()).starts_with("Lumina2");
  lumina ? describe_lumina(f) : describe_z_image(f);
}

}  // namespace

extern const FamilyDef k_z_image;
const FamilyDef k_z_image = {
    "z_image",
    "Z-Image, Lumina-Image 2: picture and text, each refined by layers of its own, then in one stream",
    "huggingface/diffusers models/transformers/transformer_z_image.py, transformer_lumina2.py; 2511.22699",
    {},
    kArchitectures,
    build<describe_either>,
    "sample"};

}  // namespace floptally::families
