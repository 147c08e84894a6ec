#include "network/kinds/_encoder.h"
#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "image", .expect = Expect::any, .doc = "latent: a size, or [channels, height, width] ([4, 32, 32])"},
    {.key = "patch", .expect = Expect::any, .doc = "side of a patch", .required = true},
    {.key = "layers", .expect = Expect::any, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::any, .doc = "width", .required = true},
    {.key = "heads", .expect = Expect::any, .doc = "heads", .required = true},
    {.key = "ffn", .expect = Expect::any, .doc = "width of the feed-forward layer (4 x width)"},
    {.key = "classes", .expect = Expect::any, .doc = "classes conditioned on (1000)"},
    {.key = "learn_sigma", .expect = Expect::boolean, .doc = "predicts variances too (true)"},
};
constexpr FieldTable kTable{"dit", "diffusion transformer (DiT)", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t patch = spec.size("patch", "side of a patch"), layers = spec.size("layers", "layers"),
                     width = spec.size("width", "width");
  const std::int64_t heads = spec.size("heads", "heads"), ffn = spec.size_or("ffn", 4 * width),
                     classes = spec.size_or("classes", 1000, 0);
  std::vector<std::int64_t> latent = spec.image(32);
  if (!spec.has("image") && spec.session().inputs.shape.empty()) latent = {4, 32, 32};
  const std::int64_t out_channels = latent[0] * (spec.flag("learn_sigma", true) ? 2 : 1);
  if (!spec.ok() || !spec.divides("heads", heads, "width", width)) return;
  ImageStack x{sink, latent[0], latent[1], latent[2]};
  x.conv("x_embedder", {.out = width, .kernel = patch, .stride = patch, .padding = 0, .bias = true});
  finish(x, spec);
  const std::int64_t tokens = x.positions();
  constexpr std::int64_t kFrequencies = 256;  // sinusoidal features of the time step
  sink.add(linear("t_embedder.0", 1, kFrequencies, width, true, Component::other).with(op_flags::input_no_gradient));
  sink.add(activation("t_embedder.1", width, Activation::silu));
  sink.add(linear("t_embedder.2", 1, width, width, true, Component::other));
  sink.add(embedding("y_embedder", 1, classes + 1, width));
  sink.add(move("pos_embed", tokens * width, tokens * width));
  AttentionPart attention = encoder_attention(width, heads);
  attention.joined = true;
  {
    const Scope layer(sink, "blocks", layers, BlockKind::layer);
    sink.add(activation("adaLN.0", width, Activation::silu));
    sink.add(linear("adaLN.1", 1, width, 6 * width, true, Component::other));
    sink.add(layer_norm("norm1", tokens, width, false, false));
    sink.add(elementwise("modulate", tokens * width, 3, 2, 1));
    describe_attention(attention, tokens, sink);
    sink.add(elementwise("gate", tokens * width, 3, 2, 1));
    sink.add(layer_norm("norm2", tokens, width, false, false));
    sink.add(elementwise("modulate", tokens * width, 3, 2, 1));
    describe_mlp(encoder_mlp(width, ffn), tokens, sink);
    sink.add(elementwise("gate", tokens * width, 3, 2, 1));
  }
  sink.add(linear("final.adaLN", 1, width, 2 * width, true, Component::other));
  sink.add(layer_norm("final.norm", tokens, width, false, false));
  sink.add(linear("final.linear", tokens, width, patch * patch * out_channels, true, Component::head));
}

}  // namespace

extern const KindDef k_dit;
const KindDef k_dit = {
    "dit",  "diffusion transformer (DiT)", "Peebles and Xie 2212.09748; facebookresearch/DiT models.py", &kTable, build,
    "image"};

}  // namespace floptally::kinds
