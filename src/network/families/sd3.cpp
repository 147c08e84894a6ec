#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"SD3Transformer2DModel"};

struct Sizes {
  std::int64_t heads = 1, head_dim = 1, image = 1, text = 1;
  bool normed = false;
  [[nodiscard]] std::int64_t width() const { return heads * head_dim; }
};

void describe_vector(Family& f, std::string_view name, std::int64_t in, std::int64_t width) {
  const Scope scope(f.sink, name);
  f.sink.add(linear("linear_1", 1, in, width, true, Component::embed).with(op_flags::input_no_gradient));
  f.sink.add(activation("act", width, Activation::silu));
  f.sink.add(linear("linear_2", 1, width, width, true, Component::embed));
}

void describe_driven_norm(Family& f, std::int64_t tokens, std::int64_t width, std::int64_t streams) {
  f.sink.add(linear("norm1.linear", 1, width, streams * width, true, Component::norm));
  f.sink.add(layer_norm("norm1", tokens, width, false, false));
  f.sink.add(elementwise("modulate", tokens * width, 1, 2, 1));
}

void describe_projections(Family& f, const Sizes& z, std::int64_t tokens) {
  for (const std::string_view name : {"to_q", "to_k", "to_v"})
    f.sink.add(column_linear(name, tokens, z.width(), z.width(), true, Component::projection));
  if (z.normed) f.sink.add(rms_norm("norm_q", tokens * z.heads, z.head_dim));
  if (z.normed) f.sink.add(rms_norm("norm_k", tokens * z.heads, z.head_dim));
}

void describe_scores(Family& f, const Sizes& z, std::int64_t tokens) {
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = shape.kv_heads = z.heads;
  shape.key_dim = shape.value_dim = z.head_dim;
  shape.mask = AttentionMask::none;
  f.sink.add(attention("attention", shape));
}

void describe_end(Family& f, const Sizes& z, std::int64_t tokens) {
  const std::int64_t width = z.width();
  f.sink.add(row_linear("to_out", tokens, width, width, true, Component::projection));
  f.sink.add(elementwise("gate", tokens * width, 2, 2, 1));
  f.sink.add(layer_norm("norm2", tokens, width, false, false));
  f.sink.add(elementwise("modulate", tokens * width, 1, 2, 1));
  describe_mlp(mlp_of(width, 4 * width, Activation::gelu, false, true), tokens, f.sink);
  f.sink.add(elementwise("gate", tokens * width, 2, 2, 1));
}

// Bit 0: a second attention of the image's tokens alone; bit 1: the last block, whose text tokens end in it.
void describe_block(Family& f, const Sizes& z, std::uint8_t kind) {
  const bool twice = (kind & 1U) != 0, last = (kind & 2U) != 0;
  const std::int64_t width = z.width();
  {
    const Scope image(f.sink, "image");
    describe_driven_norm(f, z.image, width, twice ? 9 : 6);
    describe_projections(f, z, z.image);
  }
  {
    const Scope text(f.sink, "text");
    describe_driven_norm(f, z.text, width, last ? 2 : 6);
    describe_projections(f, z, z.text);
  }
  describe_scores(f, z, z.image + z.text);
  if (twice) {
    const Scope second(f.sink, "attn2");
    describe_projections(f, z, z.image);
    describe_scores(f, z, z.image);
    f.sink.add(row_linear("to_out", z.image, width, width, true, Component::projection));
    f.sink.add(elementwise("gate", z.image * width, 2, 2, 1));
  }
  {
    const Scope image(f.sink, "image");
    describe_end(f, z, z.image);
  }
  if (last) return;
  const Scope text(f.sink, "text");
  describe_end(f, z, z.text);
}

void describe_sd3(Family& f) {
  const Keys& c = f.config;
  Sizes z{c.size("num_attention_heads"), c.size("attention_head_dim")};
  const std::int64_t layers = c.size("num_layers"), channels = c.assume("in_channels", 16),
                     patch = c.assume("patch_size", 2), text_width = c.size("joint_attention_dim"),
                     pooled = c.size("pooled_projection_dim"), out = c.size_or("out_channels", channels),
                     caption = c.size("caption_projection_dim"), table = c.assume("pos_embed_max_size", 96);
  const std::string_view norm = c.text_or("qk_norm", "");
  z.normed = norm == "rms_norm";
  if (!norm.empty() && !z.normed)
    c.problem("unknown-variant", "qk_norm", "'qk_norm' other than 'rms_norm' is not known");
  if (caption != z.width())
    c.problem("shape-range", "caption_projection_dim", "'caption_projection_dim' must be heads times their width");
  std::vector<std::uint8_t> kinds = layer_kinds(f, layers);
  at_listed(c.node("dual_attention_layers"), kinds.size(), [&](std::size_t i) { kinds[i] = 1; });
  if (!kinds.empty()) kinds.back() = static_cast<std::uint8_t>(kinds.back() | 2U);
  c.understood({"sample_size"});
  // Latents are an eighth of the image's side.
  constexpr std::int64_t kLatent = 8, kUsualSide = 1024, kText = 333;
  const std::vector<std::int64_t>& given = f.inputs.image;
  const std::int64_t height = given.size() == 3 ? given[1] : kUsualSide,
                     across = given.size() == 3 ? given[2] : kUsualSide;
  z.image = std::max<std::int64_t>(1, height / kLatent / patch) * std::max<std::int64_t>(1, across / kLatent / patch);
  z.text = f.inputs.sequence > 0 ? f.inputs.sequence : kText;
  f.remark("counted for an image of " + std::to_string(height) + "x" + std::to_string(across) + " pixels and " +
           std::to_string(z.text) + " tokens of text (--input 1x3xHxW, --sequence N), one denoising step");
  if (!f.ok()) return;
  const std::int64_t width = z.width();
  f.sink.add(patch_embedding("pos_embed.proj", channels, width, patch * patch, z.image, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(move("pos_embed.pos_embed", z.image * width, table * table * width));
  constexpr std::int64_t kFrequencies = 256;
  describe_vector(f, "timestep_embedder", kFrequencies, width);
  describe_vector(f, "text_embedder", pooled, width);
  f.sink.add(linear("context_embedder", z.text, text_width, caption, true, Component::embed)
                 .with(op_flags::input_no_gradient));
  describe_layers(
      f.sink, kinds, [&](std::uint8_t kind) { describe_block(f, z, kind); }, "transformer_blocks");
  f.sink.add(linear("norm_out.linear", 1, width, 2 * width, true, Component::norm));
  f.sink.add(layer_norm("norm_out", z.image, width, false, false));
  f.sink.add(elementwise("modulate", z.image * width, 1, 2, 1));
  f.sink.add(linear("proj_out", z.image, width, patch * patch * out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_sd3;
const FamilyDef k_sd3 = {
    "sd3",
    "Stable Diffusion 3 and 3.5: a diffusion transformer whose image and text tokens attend together",
    "huggingface/diffusers models/transformers/transformer_sd3.py; 2403.03206",
    {},
    kArchitectures,
    build<describe_sd3>,
    "image"};

}  // namespace floptally::families
