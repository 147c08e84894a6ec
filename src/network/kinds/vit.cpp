#include "network/kinds/_encoder.h"
#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "patch", .expect = Expect::integer, .doc = "side of a patch", .required = true},
    {.key = "layers", .expect = Expect::integer, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::integer, .doc = "width", .required = true},
    {.key = "heads", .expect = Expect::integer, .doc = "heads", .required = true},
    {.key = "ffn", .expect = Expect::integer, .doc = "width of the feed-forward layer (4 x width)"},
    {.key = "extra_tokens", .expect = Expect::integer, .doc = "class and distillation tokens (1)"},
    {.key = "layer_scale", .expect = Expect::boolean, .doc = "learned scale of each residual branch"},
    {.key = "pre_norm", .expect = Expect::boolean, .doc = "norm before the first layer (CLIP)"},
};
constexpr FieldTable kTable{"vit", "vision transformer (ViT, DeiT)", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t patch = spec.size("patch", "side of a patch"), layers = spec.size("layers", "layers");
  const std::int64_t width = spec.size("width", "width"), heads = spec.size("heads", "heads");
  const std::int64_t ffn = spec.size_or("ffn", 4 * width), extra = spec.size_or("extra_tokens", 1, 0);
  const std::int64_t classes = spec.size_or("classes", 1000, 0);
  const bool scale = spec.flag("layer_scale", false);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok() || !spec.divides("heads", heads, "width", width)) return;
  x.conv("conv_proj", {.out = width, .kernel = patch, .stride = patch, .padding = 0, .bias = true});
  finish(x, spec);
  if (!spec.ok()) return;
  const std::int64_t tokens = x.positions() + extra;
  if (extra > 0) sink.add(parameter("class_token", extra * width, extra * width));
  sink.add(position_table("pos_embedding", tokens, tokens, width));
  if (spec.flag("pre_norm", false)) sink.add(layer_norm("pre_norm", tokens, width));
  AttentionPart attention = encoder_attention(width, heads);
  attention.joined = true;
  const MlpPart mlp = encoder_mlp(width, ffn);
  {
    const Scope layer(sink, "layers", layers, BlockKind::layer);
    sink.add(layer_norm("ln_1", tokens, width));
    describe_attention(attention, tokens, sink);
    if (scale) sink.add(learned_scale("layer_scale_1", width, tokens * width));
    sink.add(residual(tokens * width));
    sink.add(layer_norm("ln_2", tokens, width));
    describe_mlp(mlp, tokens, sink);
    if (scale) sink.add(learned_scale("layer_scale_2", width, tokens * width));
    sink.add(residual(tokens * width));
  }
  sink.add(layer_norm("ln", tokens, width));
  if (classes > 0) {
    sink.add(move("first_token", width, 0, (tokens - 1) * width));  // a view into all tokens
    sink.add(linear("head", 1, width, classes, true, Component::head));
  }
}

}  // namespace

extern const KindDef k_vit;
const KindDef k_vit = {"vit",
                       "vision transformer (ViT, DeiT)",
                       "Dosovitskiy et al. 2010.11929; torchvision models/vision_transformer.py",
                       &kTable,
                       build,
                       "image"};

}  // namespace floptally::kinds
