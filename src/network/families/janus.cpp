#include "network/families/_detection.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"janus"};
constexpr std::string_view kArchitectures[] = {"JanusForConditionalGeneration", "JanusModel"};

struct Eye {
  VisionSizes sizes;
  std::int64_t out = 2048, depth = 2;
  bool bias = true, normed = false;
};

Eye read_eye(const Keys& v) {
  Eye e;
  VisionSizes& z = e.sizes;
  z.width = v.assume("hidden_size", 1024);
  z.layers = v.assume("num_hidden_layers", 24);
  z.heads = v.assume("num_attention_heads", 16);
  z.channels = v.assume("num_channels", 3);
  z.image = v.assume("image_size", 384);
  z.patch = v.assume("patch_size", 16);
  z.ffn =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(v.ratio_or("mlp_ratio", 4) * static_cast<double>(z.width)));
  e.out = v.assume("projection_dim", 2048);
  e.depth = v.assume("depth", 2);
  e.bias = v.flag("attention_bias", true);
  e.normed = v.flag("use_qk_norm", false);
  if (e.normed) v.problem("unknown-variant", "use_qk_norm", "normed queries and keys of the tower are not known");
  if (z.image < z.patch) v.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  v.divides("num_attention_heads", z.heads, "hidden_size", z.width);
  v.understood({"hidden_act", "hidden_dropout_rate", "projection_dropout", "num_image_tokens", "model_type",
                "attention_dropout", "layer_norm_eps"});
  return e;
}

// Linear layers with an activation before each but the first.
void describe_aligner(Sink& sink, std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out,
                      std::int64_t depth) {
  const Scope scope(sink, name);
  sink.add(linear("fc1", rows, in, out, true));
  for (std::int64_t i = 1; i < std::min<std::int64_t>(depth, 64); ++i) {
    sink.add(activation("act", rows * out, Activation::gelu));
    sink.add(linear("hidden_layers", rows, out, out, true));
  }
}

void describe_tower(Sink& sink, const Eye& e) {
  const VisionSizes& z = e.sizes;
  const std::int64_t tokens = z.patches();
  {
    const Scope tower(sink, "vision_model");
    sink.add(patch_embedding("patch_embedding", z.channels, z.width, z.patch * z.patch, tokens, true));
    sink.add(position_table("position_embedding", tokens, tokens, z.width));
    {
      const Scope layers(sink, "layers", z.layers, BlockKind::layer);
      describe_encoder_layer({.width = z.width, .heads = z.heads, .ffn = z.ffn, .qkv_bias = e.bias}, tokens, sink);
    }
    sink.add(layer_norm("post_layernorm", tokens, z.width));
  }
  describe_aligner(sink, "aligner", tokens, z.width, e.out, e.depth);
}

struct Painter {
  std::vector<std::int64_t> multipliers;
  std::int64_t base = 128, blocks = 2, latent = 256, codes = 16384, code = 8, in = 3, out = 3, projected = 2048,
               embedded = 2048, depth = 2;
  bool twice = false;
};

Painter read_painter(const Keys& q) {
  Painter p;
  p.multipliers = q.sizes_or("channel_multiplier", {1, 1, 2, 2, 4});
  p.base = q.assume("base_channels", 128);
  p.blocks = q.assume("num_res_blocks", 2);
  p.latent = q.assume("latent_channels", 256);
  p.codes = q.assume("num_embeddings", 16384);
  p.code = q.assume("embed_dim", 8);
  p.in = q.assume("in_channels", 3);
  p.out = q.assume("out_channels", 3);
  p.projected = q.assume("projection_dim", 2048);
  p.embedded = q.assume("image_token_embed_dim", 2048);
  p.depth = q.assume("num_hidden_layers", 2);
  p.twice = q.flag("double_latent", false);
  if (p.multipliers.empty() || p.multipliers.size() > 16 || p.blocks > 64)
    q.problem("shape-range", "channel_multiplier",
              "'channel_multiplier' must list 1 to 16 stages of at most 64 blocks");
  for (const std::int64_t each : p.multipliers)
    if (each < 1) q.problem("shape-range", "channel_multiplier", "multipliers must be at least 1");
  q.understood({"num_patches", "hidden_act", "model_type", "dropout"});
  return p;
}

void describe_block(ImageStack& s, std::int64_t out) {
  const Scope scope(s.sink, "block");
  constexpr std::int64_t kGroups = 32;
  const std::int64_t in = s.channels;
  s.group_norm("norm1", kGroups);
  s.conv("conv1", {.out = out, .kernel = 3, .bias = true});
  s.group_norm("norm2", kGroups);
  s.conv("conv2", {.out = out, .kernel = 3, .bias = true});
  if (in != out) s.sink.add(convolution("nin_shortcut", in, out, 1, 1, s.positions(), s.positions(), true));
}

void describe_attention_block(ImageStack& s) {
  const Scope scope(s.sink, "attn");
  s.group_norm("norm", 32);
  for (const std::string_view name : {"q", "k", "v", "proj_out"})
    s.sink.add(convolution(name, s.channels, s.channels, 1, 1, s.positions(), s.positions(), true));
}

void describe_middle(ImageStack& s) {
  describe_block(s, s.channels);
  describe_attention_block(s);
  describe_block(s, s.channels);
}

// A picture to codes and back (VQGAN, 2012.09841), at one position: it runs when pictures are made, not while text is
// trained.
void describe_codes(Sink& sink, const Painter& p) {
  const std::size_t stages = p.multipliers.size();
  const Scope scope(sink, "vqmodel");
  ImageStack s{sink, p.in, 1, 1};
  s.conv("conv_in", {.out = p.base, .kernel = 3, .bias = true});
  for (std::size_t i = 0; i < stages; ++i) {
    for (std::int64_t block = 0; block < p.blocks; ++block) {
      describe_block(s, p.base * p.multipliers[i]);
      if (i + 1 == stages) describe_attention_block(s);
    }
    if (i + 1 < stages) s.conv("downsample", {.out = s.channels, .kernel = 3, .bias = true});
  }
  describe_middle(s);
  s.group_norm("norm_out", 32);
  const std::int64_t latent = p.twice ? 2 * p.latent : p.latent;
  s.conv("conv_out", {.out = latent, .kernel = 3, .bias = true});
  s.conv("quant_conv", {.out = p.code, .kernel = 1, .bias = true});
  sink.add(embedding("quantize", 1, p.codes, p.code));
  s.conv("post_quant_conv", {.out = p.latent, .kernel = 1, .bias = true});
  s.conv("decoder.conv_in", {.out = p.base * p.multipliers.back(), .kernel = 3, .bias = true});
  describe_middle(s);
  for (std::size_t i = stages; i-- > 0;) {
    for (std::int64_t block = 0; block <= p.blocks; ++block) {
      describe_block(s, p.base * p.multipliers[i]);
      if (i + 1 == stages) describe_attention_block(s);
    }
    if (i > 0) s.conv("upsample", {.out = s.channels, .kernel = 3, .bias = true});
  }
  s.group_norm("decoder.norm_out", 32);
  s.conv("decoder.conv_out", {.out = p.out, .kernel = 3, .bias = true});
}

void describe_janus(Family& f) {
  const Keys& c = f.config;
  if (!c.has("vision_config")) c.size("vision_config");
  const Eye e = read_eye(c.child("vision_config"));
  const Painter p = read_painter(c.child("vq_config"));
  c.understood({"image_token_id"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_tower(images, e);
  }
  {
    f.remark("what paints pictures is held, its FLOP are not counted: a sample is text that may see images");
    RepeatedSink idle(f.sink, 0);
    describe_codes(idle, p);
    const Scope scope(idle, "generation");
    idle.add(embedding("generation_embeddings", 1, p.codes, p.code));
    describe_aligner(idle, "generation_aligner", 1, p.code, p.projected, p.depth);
    idle.add(linear("generation_head.proj_out", 1, p.embedded, p.projected, true, Component::head));
    idle.add(linear("generation_head.vision_head", 1, p.projected, p.codes, true, Component::head));
  }
  describe_nested(f, "text_config", "llama");
}

}  // namespace

extern const FamilyDef k_janus;
const FamilyDef k_janus = {
    "janus",
    "Janus and Janus-Pro: a SigLIP tower to see with, a VQGAN to paint with, a Llama language model",
    "huggingface/transformers models/janus/modeling_janus.py; 2410.13848, 2501.17811",
    kTypes,
    kArchitectures,
    build<describe_janus>};

}  // namespace floptally::families
