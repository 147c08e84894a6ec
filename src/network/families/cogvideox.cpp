#include "network/families/_diffusion.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"CogVideoXTransformer3DModel"};

void describe_norm_zero(Sink& sink, std::string_view name, std::int64_t image, std::int64_t text, std::int64_t width,
                        std::int64_t times) {
  const Scope scope(sink, name);
  sink.add(linear("linear", 1, times, 6 * width, true, Component::norm));
  sink.add(layer_norm("norm", image + text, width));
  sink.add(elementwise("modulate", (image + text) * width, 1, 2, 1));
}

void describe_cogvideox(Family& f) {
  const Keys& c = f.config;
  const std::int64_t heads = c.size("num_attention_heads"), head_dim = c.size("attention_head_dim"),
                     width = heads * head_dim, layers = c.size("num_layers"), in = c.assume("in_channels", 16),
                     out = c.assume("out_channels", 16), times = c.assume("time_embed_dim", 512),
                     captions = c.assume("text_embed_dim", 4096), patch = c.assume("patch_size", 2),
                     deep = c.size_or("patch_size_t", 1), squeezed = c.assume("temporal_compression_ratio", 4);
  const bool bias = c.flag("attention_bias", true), patch_bias = c.flag("patch_bias", true),
             rotates = c.flag("use_rotary_positional_embeddings", false);
  if (c.flag("use_learned_positional_embeddings", false))
    c.problem("unknown-variant", "use_learned_positional_embeddings",
              "learned positions (image to video) are not known");
  if (c.count_or("ofs_embed_dim", 0) > 0)
    c.problem("unknown-variant", "ofs_embed_dim", "an embedding of the offset is not known");
  if (!c.flag("norm_elementwise_affine", true))
    c.problem("unknown-variant", "norm_elementwise_affine", "norms without numbers of their own are not known");
  c.understood({"flip_sin_to_cos", "freq_shift", "activation_fn", "timestep_activation_fn", "norm_eps", "dropout",
                "spatial_interpolation_scale", "temporal_interpolation_scale", "sample_frames", "sample_height",
                "sample_width"});
  const Canvas canvas = read_canvas(f, {480, 720, 49, c.assume("max_text_seq_length", 226)});
  if (!f.ok()) return;
  constexpr std::int64_t kPixels = 8;
  const std::int64_t image = cells((canvas.frames - 1) / squeezed + 1, deep) * cells(canvas.height / kPixels, patch) *
                             cells(canvas.width / kPixels, patch),
                     text = canvas.text, all = image + text, volume = patch * patch * deep;
  Sink& sink = f.sink;
  sink.add(convolution("patch_embed.proj", in, width, 1, volume, image * volume, image, patch_bias)
               .with(op_flags::input_no_gradient));
  sink.add(
      linear("patch_embed.text_proj", text, captions, width, true, Component::embed).with(op_flags::input_no_gradient));
  sink.add(
      linear("time_embedding.linear_1", 1, width, times, true, Component::embed).with(op_flags::input_no_gradient));
  sink.add(activation("act", times, Activation::silu));
  sink.add(linear("time_embedding.linear_2", 1, times, times, true, Component::embed));
  {
    const Scope blocks(sink, "transformer_blocks", layers, BlockKind::layer);
    describe_norm_zero(sink, "norm1", image, text, width, times);
    AttentionPart self;
    self.name = "attn1";
    self.width = width;
    self.heads = self.kv_heads = heads;
    self.head_dim = head_dim;
    self.rotary_dim = rotates ? head_dim : 0;
    self.qk_norm = QkNorm::per_head;
    self.qk_norm_kind = NormKind::layer;
    self.mask = AttentionMask::none;
    set_bias(self, bias, true);
    describe_attention(self, all, sink);
    describe_gate(sink, all, width);
    describe_norm_zero(sink, "norm2", image, text, width, times);
    describe_mlp(mlp_of(width, 4 * width, Activation::gelu, false, true), all, sink);
    describe_gate(sink, all, width);
  }
  sink.add(layer_norm("norm_final", all, width));
  sink.add(linear("norm_out.linear", 1, times, 2 * width, true, Component::norm));
  sink.add(layer_norm("norm_out.norm", image, width));
  sink.add(elementwise("modulate", image * width, 1, 2, 1));
  sink.add(linear("proj_out", image, width, volume * out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_cogvideox;
const FamilyDef k_cogvideox = {"cogvideox",
                               "CogVideoX: video and text in one sequence, norms driven for each of them",
                               "huggingface/diffusers models/transformers/cogvideox_transformer_3d.py; 2408.06072",
                               {},
                               kArchitectures,
                               build<describe_cogvideox>,
                               "sample"};

}  // namespace floptally::families
