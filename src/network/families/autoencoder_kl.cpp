#include "network/blocks/image.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"AutoencoderKL"};

struct Coder {
  std::vector<std::int64_t> widths;
  std::int64_t layers = 2, groups = 32, channels = 3, latents = 4;
  bool attends = true;
};

void describe_residual_layer(ImageStack& s, const Coder& k, std::int64_t out) {
  const std::int64_t in = s.channels;
  const Scope scope(s.sink, "resnet");
  s.group_norm("norm1", k.groups);
  s.act(Activation::silu);
  s.conv("conv1", {.out = out, .kernel = 3, .padding = 1, .bias = true});
  s.group_norm("norm2", k.groups);
  s.act(Activation::silu);
  s.conv("conv2", {.out = out, .kernel = 3, .padding = 1, .bias = true});
  if (in != out) s.sink.add(convolution("conv_shortcut", in, out, 1, 1, s.positions(), s.positions(), true));
  s.residual();
}

void describe_middle(ImageStack& s, const Coder& k) {
  const Scope scope(s.sink, "mid_block");
  const std::int64_t width = s.channels, tokens = s.positions();
  describe_residual_layer(s, k, width);
  if (k.attends) {
    const Scope attending(s.sink, "attention");
    s.group_norm("group_norm", k.groups);
    for (const std::string_view name : {"to_q", "to_k", "to_v"})
      s.sink.add(linear(name, tokens, width, width, true, Component::projection));
    AttentionShape shape;
    shape.queries = shape.keys = tokens;
    shape.key_dim = shape.value_dim = width;
    shape.mask = AttentionMask::none;
    s.sink.add(attention("attention", shape));
    s.sink.add(linear("to_out", tokens, width, width, true, Component::projection));
    s.residual();
  }
  describe_residual_layer(s, k, width);
}

void describe_encoder(ImageStack& s, const Coder& k) {
  const Scope scope(s.sink, "encoder");
  s.conv("conv_in", {.out = k.widths.front(), .kernel = 3, .padding = 1, .bias = true});
  for (std::size_t i = 0; i < k.widths.size(); ++i) {
    const Scope block(s.sink, "down_block");
    for (std::int64_t layer = 0; layer < k.layers; ++layer) describe_residual_layer(s, k, k.widths[i]);
    if (i + 1 == k.widths.size()) break;
    // Padded by one row and column on the far sides: half the size.
    const std::int64_t from = s.positions();
    s.height = std::max<std::int64_t>(1, s.height / 2);
    s.width = std::max<std::int64_t>(1, s.width / 2);
    s.sink.add(convolution("downsample", s.channels, s.channels, 1, 9, from, s.positions(), true));
  }
  describe_middle(s, k);
  s.group_norm("conv_norm_out", k.groups);
  s.act(Activation::silu);
  s.conv("conv_out", {.out = 2 * k.latents, .kernel = 3, .padding = 1, .bias = true});
}

void describe_decoder(ImageStack& s, const Coder& k) {
  const Scope scope(s.sink, "decoder");
  s.conv("conv_in", {.out = k.widths.back(), .kernel = 3, .padding = 1, .bias = true});
  describe_middle(s, k);
  for (std::size_t i = k.widths.size(); i-- > 0;) {
    const Scope block(s.sink, "up_block");
    for (std::int64_t layer = 0; layer <= k.layers; ++layer) describe_residual_layer(s, k, k.widths[i]);
    if (i == 0) break;
    s.upsample(2);
    s.conv("upsample", {.out = k.widths[i], .kernel = 3, .padding = 1, .bias = true});
  }
  s.group_norm("conv_norm_out", k.groups);
  s.act(Activation::silu);
  s.conv("conv_out", {.out = k.channels, .kernel = 3, .padding = 1, .bias = true});
}

void describe_autoencoder(Family& f) {
  const Keys& c = f.config;
  Coder k;
  k.widths = c.config().sizes({"block_out_channels"});
  k.layers = c.assume("layers_per_block", 1);
  k.groups = c.assume("norm_num_groups", 32);
  k.latents = c.assume("latent_channels", 4);
  k.attends = c.flag("mid_block_add_attention", true);
  k.channels = c.assume("in_channels", 3);
  const bool before = c.flag("use_quant_conv", true), after = c.flag("use_post_quant_conv", true);
  constexpr std::int64_t kMostLayers = 1000;
  if (k.layers > kMostLayers || k.widths.size() > 64)
    c.problem("out-of-range", "layers_per_block", "an autoencoder of so many layers is none that is known");
  if (k.widths.empty()) c.problem("missing-key", "block_out_channels", "the config has no 'block_out_channels'");
  for (const std::int64_t width : k.widths)
    if (width < 1 || width % k.groups != 0)
      c.problem("shape-divide", "norm_num_groups", "'norm_num_groups' does not divide 'block_out_channels'");
  for (const std::string_view key : {"down_block_types", "up_block_types"})
    for (const std::string_view type : c.config().words({key}))
      if (type != "DownEncoderBlock2D" && type != "UpDecoderBlock2D")
        c.problem("unknown-variant", key, "blocks of type '" + std::string(type) + "' are not known");
  if (c.size_or("out_channels", k.channels) != k.channels)
    c.problem("unknown-variant", "out_channels", "'out_channels' other than 'in_channels' are not known");
  c.understood(
      {"act_fn", "force_upcast", "latents_mean", "latents_std", "sample_size", "scaling_factor", "shift_factor"});
  constexpr std::int64_t kUsual = 512;
  const bool sized = f.inputs.image.size() == 3;
  const std::int64_t height = sized ? f.inputs.image[1] : kUsual, across = sized ? f.inputs.image[2] : kUsual;
  f.remark("counted for an image of " + std::to_string(height) + "x" + std::to_string(across) +
           " pixels, to latents and back (--input 1x3xHxW)");
  if (!f.ok()) return;
  ImageStack s{f.sink, k.channels, height, across};
  describe_encoder(s, k);
  if (before) s.conv("quant_conv", {.out = 2 * k.latents, .kernel = 1, .padding = 0, .bias = true});
  s.channels = k.latents;  // the mean, or a draw around it
  if (after) s.conv("post_quant_conv", {.out = k.latents, .kernel = 1, .padding = 0, .bias = true});
  describe_decoder(s, k);
  if (s.failed) c.problem("shape-range", "block_out_channels", "the image is smaller than the windows");
}

}  // namespace

extern const FamilyDef k_autoencoder_kl;
const FamilyDef k_autoencoder_kl = {
    "autoencoder_kl",
    "The autoencoder of Stable Diffusion and FLUX: an image to latents an eighth of its side, and back",
    "huggingface/diffusers models/autoencoders/autoencoder_kl.py; 2112.10752",
    {},
    kArchitectures,
    build<describe_autoencoder>,
    "image"};

}  // namespace floptally::families
