#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"flux", "chroma"};
constexpr std::string_view kArchitectures[] = {"FluxTransformer2DModel", "ChromaTransformer2DModel"};

void describe_vector(Family& f, std::string_view name, std::int64_t in, std::int64_t width) {
  const Scope scope(f.sink, name);
  f.sink.add(linear("linear_1", 1, in, width, true, Component::embed).with(op_flags::input_no_gradient));
  f.sink.add(activation("act", width, Activation::silu));
  f.sink.add(linear("linear_2", 1, width, width, true, Component::embed));
}

// Shifts, scales and gates from the time's vector (no streams: made elsewhere); the norm has nothing of its own.
void describe_driven_norm(Family& f, std::string_view name, std::int64_t tokens, std::int64_t width,
                          std::int64_t streams) {
  if (streams > 0) f.sink.add(linear(name, 1, width, streams * width, true, Component::norm));
  f.sink.add(layer_norm("norm", tokens, width, false, false));
  f.sink.add(elementwise("modulate", tokens * width, 1, 2, 1));
}

void describe_joint_attention(Family& f, std::int64_t heads, std::int64_t head_dim, std::int64_t tokens) {
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = shape.kv_heads = heads;
  shape.key_dim = shape.value_dim = head_dim;
  shape.mask = AttentionMask::none;
  f.sink.add(attention("attention", shape));
}

void describe_projections(Family& f, std::int64_t heads, std::int64_t head_dim, std::int64_t tokens) {
  const std::int64_t width = heads * head_dim;
  const Component part = Component::projection;
  const Scope branches(f.sink, {}, 1, BlockKind::branches);
  {
    const Scope q(f.sink, {});
    f.sink.add(column_linear("to_q", tokens, width, width, true, part));
    f.sink.add(rms_norm("norm_q", tokens * heads, head_dim));
  }
  {
    const Scope k(f.sink, {});
    f.sink.add(column_linear("to_k", tokens, width, width, true, part).with(op_flags::shared_input));
    f.sink.add(rms_norm("norm_k", tokens * heads, head_dim));
  }
  f.sink.add(column_linear("to_v", tokens, width, width, true, part).with(op_flags::shared_input));
}

void describe_double(Family& f, std::int64_t heads, std::int64_t head_dim, std::int64_t image, std::int64_t text,
                     bool driven) {
  const std::int64_t width = heads * head_dim;
  struct Stream {
    std::string_view name;
    std::int64_t tokens;
  };
  const Stream streams[] = {{"image", image}, {"text", text}};
  for (const Stream& s : streams) {
    const Scope scope(f.sink, s.name);
    describe_driven_norm(f, "norm1.linear", s.tokens, width, driven ? 6 : 0);
    describe_projections(f, heads, head_dim, s.tokens);
  }
  describe_joint_attention(f, heads, head_dim, image + text);
  for (const Stream& s : streams) {
    const Scope scope(f.sink, s.name);
    f.sink.add(row_linear("to_out", s.tokens, width, width, true, Component::projection));
    f.sink.add(elementwise("gate", s.tokens * width, 2, 2, 1));
    f.sink.add(layer_norm("norm2", s.tokens, width, false, false));
    f.sink.add(elementwise("modulate", s.tokens * width, 1, 2, 1));
    describe_mlp(mlp_of(width, 4 * width, Activation::gelu, false, true), s.tokens, f.sink);
    f.sink.add(elementwise("gate", s.tokens * width, 2, 2, 1));
  }
}

void describe_single(Family& f, std::int64_t heads, std::int64_t head_dim, std::int64_t tokens, bool driven) {
  const std::int64_t width = heads * head_dim, inner = 4 * width;
  describe_driven_norm(f, "norm.linear", tokens, width, driven ? 3 : 0);
  {
    const Scope sides(f.sink, {}, 1, BlockKind::branches);
    {
      const Scope mlp(f.sink, {});
      f.sink.add(column_linear("proj_mlp", tokens, width, inner, true));
      f.sink.add(activation("act_mlp", tokens * inner, Activation::gelu));
    }
    const Scope attention(f.sink, {});
    describe_projections(f, heads, head_dim, tokens);
    describe_joint_attention(f, heads, head_dim, tokens);
  }
  f.sink.add(row_linear("proj_out", tokens, width + inner, width, true));
  f.sink.add(elementwise("gate", tokens * width, 2, 2, 1));
}

// Chroma: one small network makes every block's shifts, scales and gates, a row for each.
struct Approximator {
  std::int64_t channels = 0, hidden = 0, layers = 0;
};

void describe_approximator(Family& f, const Approximator& a, std::int64_t rows, std::int64_t width) {
  const Scope scope(f.sink, "distilled_guidance_layer");
  f.sink.add(linear("in_proj", rows, a.channels, a.hidden, true, Component::embed).with(op_flags::input_no_gradient));
  {
    const Scope layers(f.sink, "layers", a.layers, BlockKind::layer);
    f.sink.add(rms_norm("norm", rows, a.hidden));
    f.sink.add(linear("linear_1", rows, a.hidden, a.hidden, true, Component::embed));
    f.sink.add(activation("act", rows * a.hidden, Activation::silu));
    f.sink.add(linear("linear_2", rows, a.hidden, a.hidden, true, Component::embed));
    f.sink.add(residual(rows * a.hidden));
  }
  f.sink.add(linear("out_proj", rows, a.hidden, width, true, Component::embed));
}

void describe_flux(Family& f) {
  const Keys& c = f.config;
  const bool chroma =
      c.text_or("_class_name", f.architecture()).starts_with("Chroma") || c.text_or("model_type", "") == "chroma";
  const std::int64_t heads = c.size("num_attention_heads"), head_dim = c.size("attention_head_dim"),
                     width = heads * head_dim, doubles = c.size("num_layers"), singles = c.size("num_single_layers"),
                     channels = c.size("in_channels"), text_width = c.size("joint_attention_dim"),
                     pooled = chroma ? 1 : c.size("pooled_projection_dim"), patch = c.assume("patch_size", 1),
                     out = c.size_or("out_channels", channels);
  const bool guided = !chroma && c.flag("guidance_embeds", false);
  Approximator maker;
  if (chroma)
    maker = {c.assume("approximator_num_channels", 64), c.assume("approximator_hidden_dim", 5120),
             c.assume("approximator_layers", 5)};
  c.understood({"axes_dims_rope"});
  // Latents are packed two by two of an eighth of the image's side: 1,024 pixels are 64 x 64 tokens.
  constexpr std::int64_t kPixels = 16, kUsualSide = 1024, kText = 512;
  const std::vector<std::int64_t>& given = f.inputs.image;
  const std::int64_t height = given.size() == 3 ? given[1] : kUsualSide,
                     across = given.size() == 3 ? given[2] : kUsualSide;
  const std::int64_t image = std::max<std::int64_t>(1, height / kPixels) * std::max<std::int64_t>(1, across / kPixels),
                     text = f.inputs.sequence > 0 ? f.inputs.sequence : kText;
  f.remark("counted for an image of " + std::to_string(height) + "x" + std::to_string(across) + " pixels and " +
           std::to_string(text) + " tokens of text (--input 1x3xHxW, --sequence N), one denoising step");
  if (!f.ok()) return;
  f.sink.add(linear("x_embedder", image, channels, width, true, Component::embed).with(op_flags::input_no_gradient));
  f.sink.add(
      linear("context_embedder", text, text_width, width, true, Component::embed).with(op_flags::input_no_gradient));
  constexpr std::int64_t kFrequencies = 256;
  if (chroma)
    describe_approximator(f, maker, 3 * singles + 12 * doubles + 2, width);
  else
    describe_vector(f, "timestep_embedder", kFrequencies, width);
  if (guided) describe_vector(f, "guidance_embedder", kFrequencies, width);
  if (!chroma) describe_vector(f, "text_embedder", pooled, width);
  {
    const Scope blocks(f.sink, "transformer_blocks", doubles, BlockKind::layer);
    describe_double(f, heads, head_dim, image, text, !chroma);
  }
  {
    const Scope blocks(f.sink, "single_transformer_blocks", singles, BlockKind::layer);
    describe_single(f, heads, head_dim, image + text, !chroma);
  }
  if (!chroma) f.sink.add(linear("norm_out.linear", 1, width, 2 * width, true, Component::norm));
  f.sink.add(layer_norm("norm_out", image, width, false, false));
  f.sink.add(linear("proj_out", image, width, patch * patch * out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_flux;
const FamilyDef k_flux = {"flux",
                          "FLUX.1, Chroma: a diffusion transformer whose image and text tokens attend together, first "
                          "with weights of their own, then shared",
                          "huggingface/diffusers models/transformers/transformer_flux.py, transformer_chroma.py",
                          kTypes,
                          kArchitectures,
                          build<describe_flux>,
                          "image"};

}  // namespace floptally::families
