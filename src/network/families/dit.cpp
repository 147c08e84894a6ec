#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dit"};
constexpr std::string_view kArchitectures[] = {"DiTTransformer2DModel", "DiT"};

// Time and class, one vector a sample; one row more for "no class".
void describe_condition(Family& f, std::int64_t width, std::int64_t classes) {
  constexpr std::int64_t kFrequencies = 256;
  const Scope scope(f.sink, "conditioning");
  f.sink.add(linear("timestep_embedder.linear_1", 1, kFrequencies, width, true, Component::embed)
                 .with(op_flags::input_no_gradient));
  f.sink.add(activation("act", width, Activation::silu));
  f.sink.add(linear("timestep_embedder.linear_2", 1, width, width, true, Component::embed));
  f.sink.add(embedding("class_embedder", 1, classes + 1, width));
}

void describe_dit(Family& f) {
  const Keys& c = f.config;
  const bool diffusers = c.has("attention_head_dim");
  const std::int64_t heads = c.size(diffusers ? "num_attention_heads" : "num_heads");
  const std::int64_t width = diffusers ? heads * c.size("attention_head_dim") : c.size("hidden_size");
  const std::int64_t layers = c.size(diffusers ? "num_layers" : "depth"), patch = c.size("patch_size"),
                     channels = c.assume("in_channels", 4);
  const std::int64_t side = c.size(diffusers ? "sample_size" : "input_size") / patch,
                     classes = diffusers ? c.assume("num_embeds_ada_norm", 1000) : c.assume("num_classes", 1000);
  const std::int64_t out =
      diffusers ? c.size_or("out_channels", channels) : channels * (c.flag("learn_sigma", true) ? 2 : 1);
  const std::int64_t inner = static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 4) * static_cast<double>(width));
  const bool bias = c.flag("attention_bias", true);
  c.divides(diffusers ? "num_attention_heads" : "num_heads", heads, "hidden_size", width);
  if (side < 1) c.problem("shape-range", "patch_size", "'patch_size' is larger than the latent image");
  c.understood({"activation_fn", "norm_elementwise_affine", "norm_eps", "norm_num_groups", "norm_type",
                "upcast_attention", "attention_type", "caption_channels", "cross_attention_dim",
                "double_self_attention", "num_vector_embeds", "only_cross_attention", "use_linear_projection",
                "class_dropout_prob", "mlp_ratio"});
  if (!f.ok()) return;
  const std::int64_t tokens = side * side;
  f.sink.add(patch_embedding("pos_embed.proj", channels, width, patch * patch, tokens, true)
                 .with(op_flags::input_no_gradient));
  if (diffusers)
    f.sink.add(move("pos_embed", 0, tokens * width));  // a buffer there, a frozen parameter in the paper's code
  else
    f.sink.add(position_table("pos_embed", tokens, tokens, width).with(op_flags::frozen));
  if (!diffusers) describe_condition(f, width, classes);
  {
    const Scope blocks(f.sink, "transformer_blocks", layers, BlockKind::layer);
    if (diffusers) describe_condition(f, width, classes);  // diffusers keeps an embedder in every block
    f.sink.add(activation("act", width, Activation::silu));
    f.sink.add(linear("adaln", 1, width, 6 * width, true, Component::norm));
    f.sink.add(layer_norm("norm1", tokens, width, false, false));
    f.sink.add(elementwise("modulate", tokens * width, 1, 2, 1));
    AttentionPart a;
    a.width = width;
    a.heads = a.kv_heads = heads;
    a.head_dim = width / heads;
    a.rotary_dim = 0;
    a.mask = AttentionMask::none;
    set_bias(a, bias, true);
    describe_attention(a, tokens, f.sink);
    f.sink.add(elementwise("gate", tokens * width, 2, 2, 1));
    f.sink.add(layer_norm("norm2", tokens, width, false, false));
    f.sink.add(elementwise("modulate", tokens * width, 1, 2, 1));
    describe_mlp(mlp_of(width, inner, Activation::gelu, false, true), tokens, f.sink);
    f.sink.add(elementwise("gate", tokens * width, 2, 2, 1));
  }
  f.sink.add(layer_norm("norm_out", tokens, width, false, false));
  f.sink.add(linear("proj_out_1", 1, width, 2 * width, true, Component::norm));
  f.sink.add(linear("proj_out_2", tokens, width, patch * patch * out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_dit;
const FamilyDef k_dit = {
    "dit",
    "DiT: diffusion transformer whose norms are driven by time and class (the paper's code, and diffusers' class)",
    "facebookresearch/DiT models.py; huggingface/diffusers models/transformers/dit_transformer_2d.py; 2212.09748",
    kTypes,
    kArchitectures,
    build<describe_dit>,
    "image"};

}  // namespace floptally::families
