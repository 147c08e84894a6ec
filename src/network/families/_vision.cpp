#include "network/families/_vision.h"

namespace floptally::families {

std::int64_t images_per_sample(const Family& f) {
  if (f.inputs.images <= 0)
    f.remark(
        "the vision tower's parameters count; its FLOP are those of the images per sample (--let images=N), here none");
  return std::max<std::int64_t>(0, f.inputs.images);
}

VisionSizes read_vision(const Keys& c, const VisionSizes& published) {
  VisionSizes v;
  v.width = c.assume("hidden_size", published.width);
  v.layers = c.assume("num_hidden_layers", published.layers);
  v.heads = c.assume("num_attention_heads", published.heads);
  v.ffn = c.assume("intermediate_size", published.ffn);
  v.channels = c.assume("num_channels", published.channels);
  v.image = c.assume("image_size", published.image);
  v.patch = c.assume("patch_size", published.patch);
  c.understood({"projection_dim", "dropout", "attention_dropout", "hidden_act", "vocab_size"});
  if (v.patch < 1 || v.image < v.patch)
    c.problem("shape-range", "patch_size", "'patch_size' must be at least 1 and at most 'image_size'");
  c.divides("num_attention_heads", v.heads, "hidden_size", v.width);
  return v;
}

void describe_clip_tower(Sink& sink, const VisionSizes& v, Activation activation) {
  const std::int64_t tokens = v.patches() + 1;
  const Scope scope(sink, "vision_tower");
  sink.add(patch_embedding("patch_embedding", v.channels, v.width, v.patch * v.patch, v.patches(), false));
  sink.add(parameter("class_embedding", v.width, v.width, Component::embed));
  sink.add(position_table("position_embedding", tokens, tokens, v.width));
  sink.add(layer_norm("pre_layrnorm", tokens, v.width));
  {
    const Scope layers(sink, "layers", v.layers, BlockKind::layer);
    describe_encoder_layer({.width = v.width, .heads = v.heads, .ffn = v.ffn, .activation = activation}, tokens, sink);
  }
  sink.add(layer_norm("post_layernorm", 1, v.width));
}

TextTower read_clip_text(const Keys& c, std::int64_t positions) {
  TextTower t;
  t.layer = {.width = c.assume("hidden_size", 512),
             .heads = c.assume("num_attention_heads", 8),
             .ffn = c.assume("intermediate_size", 2048)};
  t.layer.mask = AttentionMask::causal;
  t.layers = c.assume("num_hidden_layers", 12);
  t.vocabulary = c.assume("vocab_size", 49408);
  t.positions = c.assume("max_position_embeddings", positions);
  c.divides("num_attention_heads", t.layer.heads, "hidden_size", t.layer.width);
  return t;
}

void describe_clip_text(Sink& sink, const TextTower& t, std::int64_t tokens) {
  const Scope tower(sink, "text_model");
  sink.add(embedding("token_embedding", tokens, t.vocabulary, t.layer.width));
  sink.add(position_table("position_embedding", tokens, t.positions, t.layer.width));
  {
    const Scope layers(sink, "layers", t.layers, BlockKind::layer);
    describe_encoder_layer(t.layer, tokens, sink);
  }
  sink.add(layer_norm("final_layer_norm", tokens, t.layer.width));
}

void describe_siglip_tower(Sink& sink, const VisionSizes& v, bool pooled) {
  const std::int64_t tokens = v.patches();
  const Scope scope(sink, "vision_tower");
  sink.add(patch_embedding("patch_embedding", v.channels, v.width, v.patch * v.patch, tokens, true));
  sink.add(position_table("position_embedding", tokens, tokens, v.width));
  {
    const Scope layers(sink, "layers", v.layers, BlockKind::layer);
    describe_encoder_layer({.width = v.width, .heads = v.heads, .ffn = v.ffn}, tokens, sink);
  }
  sink.add(layer_norm("post_layernorm", tokens, v.width));
  if (!pooled) return;
  const Scope head(sink, "head");  // one learned query attends to all patches
  sink.add(parameter("probe", v.width, v.width));
  CrossAttentionPart a;
  a.name = "attention";
  a.width = a.memory_width = v.width;
  a.heads = a.kv_heads = v.heads;
  a.head_dim = v.width / v.heads;
  a.q_bias = a.k_bias = a.v_bias = a.out_bias = true;
  describe_cross_attention(a, 1, tokens, sink);
  sink.add(layer_norm("layernorm", 1, v.width));
  describe_mlp(mlp_of(v.width, v.ffn, Activation::gelu, false, true), 1, sink);
}

void describe_blip_tower(Sink& sink, const VisionSizes& v, bool qkv_bias) {
  const std::int64_t tokens = v.patches() + 1;
  const Scope tower(sink, "vision_model");
  sink.add(patch_embedding("patch_embedding", v.channels, v.width, v.patch * v.patch, v.patches(), true));
  sink.add(parameter("class_embedding", v.width, v.width, Component::embed));
  sink.add(position_table("position_embedding", tokens, tokens, v.width));
  {
    const Scope layers(sink, "layers", v.layers, BlockKind::layer);
    describe_encoder_layer({.width = v.width, .heads = v.heads, .ffn = v.ffn, .qkv_bias = qkv_bias}, tokens, sink);
  }
  sink.add(layer_norm("post_layernorm", tokens, v.width));
}

VisionSizes read_patches(const Keys& v) {
  VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  const std::int64_t patches = v.assume("num_patches", 256);
  std::int64_t side = 1;
  while ((side + 1) * (side + 1) <= patches) ++side;
  if (side * side != patches) v.problem("shape-range", "num_patches", "'num_patches' must be a square");
  z.image = side * z.patch;
  return z;
}

void describe_pixtral_tower(Sink& sink, const VisionSizes& v, std::int64_t tokens, Activation activation) {
  const Scope tower(sink, "vision_tower");
  sink.add(patch_embedding("patch_conv", v.channels, v.width, v.patch * v.patch, tokens, false));
  sink.add(rms_norm("ln_pre", tokens, v.width));
  const Scope layers(sink, "layers", v.layers, BlockKind::layer);
  describe_encoder_layer({.width = v.width,
                          .heads = v.heads,
                          .ffn = v.ffn,
                          .norm = NormKind::rms,
                          .qkv_bias = false,
                          .out_bias = false,
                          .mlp_bias = false,
                          .gated = true,
                          .rotary_dim = v.width / v.heads,
                          .activation = activation},
                         tokens, sink);
}

HearingSizes read_hearing(const Keys& c) {
  constexpr HearingSizes kPublished;
  HearingSizes h;
  const auto size = [&](std::string_view whisper, std::string_view usual, std::int64_t published) {
    return c.has(whisper) ? c.size(whisper) : c.assume(usual, published);
  };
  h.width = size("d_model", "hidden_size", kPublished.width);
  h.layers = size("encoder_layers", "num_hidden_layers", kPublished.layers);
  h.heads = size("encoder_attention_heads", "num_attention_heads", kPublished.heads);
  h.ffn = size("encoder_ffn_dim", "intermediate_size", kPublished.ffn);
  h.bins = c.assume("num_mel_bins", kPublished.bins);
  h.positions = c.assume("max_source_positions", kPublished.positions);
  c.divides("encoder_attention_heads", h.heads, "d_model", h.width);
  c.understood({"activation_function", "hidden_act", "encoder_layerdrop", "layerdrop", "scale_embedding",
                "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "head_dim",
                "num_key_value_heads", "vocab_size", "activation_dropout"});
  return h;
}

std::int64_t clips_per_sample(const Family& f, std::int64_t positions) {
  if (f.inputs.frames <= 0) {
    f.remark(
        "the audio tower's parameters count; its FLOP are those of the positions heard per sample (--let frames=N), "
        "here none");
    return 0;
  }
  return (f.inputs.frames + positions - 1) / positions;
}

void describe_hearing(Sink& sink, const HearingSizes& h) {
  const std::int64_t width = h.width, frames = 2 * h.positions;
  const Scope encoder(sink, "audio_tower");
  sink.add(convolution("conv1", h.bins, width, 1, 3, frames, frames, true));
  sink.add(activation("act", frames * width, Activation::gelu));
  sink.add(convolution("conv2", width, width, 1, 3, frames, h.positions, true));
  sink.add(activation("act", h.positions * width, Activation::gelu));
  sink.add(position_table("embed_positions", h.positions, h.positions, width).with(op_flags::frozen));
  {
    const Scope layers(sink, "layers", h.layers, BlockKind::layer);
    describe_encoder_layer({.width = width, .heads = h.heads, .ffn = h.ffn, .key_bias = false}, h.positions, sink);
  }
  sink.add(layer_norm("layer_norm", h.positions, width));
}

namespace {

// A projector that joins `merged` neighbouring patches and maps them through two linear layers.
void describe_merger(Sink& sink, std::int64_t width, std::int64_t merged, std::int64_t out, std::int64_t tokens,
                     bool norm_after) {
  const std::int64_t wide = width * merged;
  const Scope scope(sink, "projector");
  if (norm_after)
    sink.add(layer_norm("norm", tokens, wide));
  else
    sink.add(layer_norm("norm", tokens * merged, width));
  sink.add(linear("linear_fc1", tokens, wide, wide, true));
  sink.add(activation("act", tokens * wide, Activation::gelu));
  sink.add(linear("linear_fc2", tokens, wide, out, true));
}

constexpr std::int64_t kUsualImage = 448;  // pixels a side where a tower takes any size

}  // namespace

void describe_qwen_tower(Family& f, Sink& sink) {
  const Keys v = f.config.child("vision_config");
  const std::int64_t width = v.assume("hidden_size", 1152), ffn = v.assume("intermediate_size", 4304),
                     heads = v.assume("num_heads", 16);
  const std::int64_t depth = v.assume("depth", 27), patch = v.assume("patch_size", 16),
                     frames = v.assume("temporal_patch_size", 2);
  const std::int64_t merge = v.assume("spatial_merge_size", 2), positions = v.assume("num_position_embeddings", 2304);
  const std::int64_t out = v.size("out_hidden_size"), channels = v.assume("in_channels", 3);
  const auto deep = static_cast<std::int64_t>(v.node("deepstack_visual_indexes").size());
  v.understood({"hidden_act", "model_type", "fullatt_block_indexes", "window_size"});
  v.divides("num_heads", heads, "hidden_size", width);
  if (!f.ok()) return;
  RepeatedSink images(sink, images_per_sample(f));
  const std::int64_t merged = merge * merge, tokens = std::max<std::int64_t>(1, kUsualImage / patch / merge) *
                                                      std::max<std::int64_t>(1, kUsualImage / patch / merge) * merged;
  const Scope scope(images, "vision_tower");
  images.add(patch_embedding("patch_embed", channels, width, frames * patch * patch, tokens, true));
  images.add(position_table("pos_embed", tokens, positions, width));
  {
    const Scope layers(images, "blocks", depth, BlockKind::layer);
    describe_encoder_layer({.width = width, .heads = heads, .ffn = ffn, .rotary_dim = width / heads}, tokens, images);
  }
  describe_merger(images, width, merged, out, tokens / merged, false);
  for (std::int64_t i = 0; i < deep; ++i) describe_merger(images, width, merged, out, tokens / merged, true);
}

void describe_qwen2_tower(Family& f, Sink& sink, std::int64_t text_width) {
  const Keys v = f.config.child("vision_config");
  const bool newer = f.config.text_or("model_type", "").substr(0, 10) == "qwen2_5_vl" || v.has("fullatt_block_indexes");
  // Qwen2-VL names the tower's width embed_dim; Qwen2.5-VL hidden_size.
  const std::int64_t width = newer ? v.assume("hidden_size", 1280) : v.assume("embed_dim", 1280);
  const std::int64_t ffn = newer ? v.assume("intermediate_size", 3420) : v.assume("mlp_ratio", 4) * width;
  const std::int64_t depth = v.assume("depth", 32), heads = v.assume("num_heads", 16),
                     patch = v.assume("patch_size", 14);
  const std::int64_t frames = v.assume("temporal_patch_size", 2), merge = v.assume("spatial_merge_size", 2);
  const std::int64_t out = newer ? v.size_or("out_hidden_size", text_width) : v.size_or("hidden_size", text_width);
  const std::int64_t window = v.count_or("window_size", 0),
                     channels = v.has("in_channels") ? v.assume("in_channels", 3) : v.assume("in_chans", 3);
  const auto full = static_cast<std::int64_t>(v.node("fullatt_block_indexes").size());
  v.understood(
      {"hidden_act", "model_type", "in_chans", "spatial_patch_size", "tokens_per_second", "fullatt_block_indexes"});
  v.divides("num_heads", heads, "hidden_size", width);
  if (!f.ok()) return;
  RepeatedSink images(sink, images_per_sample(f));
  const std::int64_t merged = merge * merge, side = std::max<std::int64_t>(1, kUsualImage / patch / merge);
  const std::int64_t tokens = side * side * merged;
  const Scope scope(images, "vision_tower");
  images.add(patch_embedding("patch_embed", channels, width, frames * patch * patch, tokens, false));
  EncoderLayerPart layer{.width = width,
                         .heads = heads,
                         .ffn = ffn,
                         .norm = newer ? NormKind::rms : NormKind::layer,
                         .gated = newer,
                         .rotary_dim = width / heads,
                         .activation = newer ? Activation::silu : Activation::gelu};
  {
    const Scope layers(images, "blocks", newer ? full : depth, BlockKind::layer);
    describe_encoder_layer(layer, tokens, images);
  }
  if (newer) {  // the others attend inside windows of window_size pixels
    const std::int64_t inside = std::max<std::int64_t>(1, std::min(tokens, (window / patch) * (window / patch)));
    layer.mask = AttentionMask::window_both;
    layer.span = inside / 2;
    const Scope layers(images, "blocks", std::max<std::int64_t>(0, depth - full), BlockKind::layer);
    describe_encoder_layer(layer, tokens, images);
  }
  const std::int64_t wide = width * merged, rows = tokens / merged;
  const Scope projector(images, "projector");
  images.add(norm("ln_q", newer ? NormKind::rms : NormKind::layer, tokens, width));
  images.add(linear("mlp.0", rows, wide, wide, true));
  images.add(activation("act", rows * wide, Activation::gelu));
  images.add(linear("mlp.2", rows, wide, out, true));
}

void describe_moonvit(Family& f, Sink& sink, std::int64_t text_width) {
  const Keys v = f.config.child("vision_config");
  const bool prefixed = v.has("vt_hidden_size");
  const auto read = [&](std::string_view newer, std::string_view older, std::int64_t published) {
    return prefixed ? v.assume(newer, published) : v.assume(older, published);
  };
  const std::int64_t width = read("vt_hidden_size", "hidden_size", 1152),
                     ffn = read("vt_intermediate_size", "intermediate_size", 4304);
  const std::int64_t layers = read("vt_num_hidden_layers", "num_hidden_layers", 27),
                     heads = read("vt_num_attention_heads", "num_attention_heads", 16);
  const std::int64_t patch = v.assume("patch_size", 14), rows = v.assume("init_pos_emb_height", 64),
                     columns = v.assume("init_pos_emb_width", 64);
  const std::int64_t inner = v.size_or("qkv_hidden_size", width), joined = v.size_or("mm_hidden_size", width);
  const bool scaled_norms = v.text_or("norm_type", "layernorm") == "rmsnorm",
             post = v.text_or("mm_projector_type", "patchmerger") == "patchmergerv2";
  const bool attention_bias = v.flag("attn_bias", true), mlp_bias = v.flag("linear_bias", true),
             patch_bias = v.flag("patch_embed_proj_bias", true);
  v.understood({"init_pos_emb_time", "merge_kernel_size", "merge_type", "pos_emb_type", "projector_hidden_act",
                "text_hidden_size", "video_attn_type", "activation_func", "mlp_type", "pos_emb_interpolation_mode",
                "model_type", "_attn_implementation"});
  v.divides(prefixed ? "vt_num_attention_heads" : "num_attention_heads", heads, "qkv_hidden_size", inner);
  if (!f.ok()) return;
  constexpr std::int64_t kMerged = 4;
  RepeatedSink images(sink, images_per_sample(f));
  const std::int64_t side = std::max<std::int64_t>(2, kUsualImage / std::max<std::int64_t>(1, patch) / 2 * 2),
                     tokens = side * side;
  const NormKind norm_kind = scaled_norms ? NormKind::rms : NormKind::layer;
  const Scope scope(images, "vision_tower");
  images.add(patch_embedding("patch_embed", 3, width, patch * patch, tokens, patch_bias));
  images.add(position_table("pos_emb", tokens, rows * columns, width));
  {
    const Scope blocks(images, "blocks", layers, BlockKind::layer);
    describe_encoder_layer({.width = width,
                            .heads = heads,
                            .ffn = ffn,
                            .head_dim = inner / heads,
                            .norm = norm_kind,
                            .qkv_bias = attention_bias,
                            .out_bias = attention_bias,
                            .mlp_bias = mlp_bias,
                            .rotary_dim = inner / heads},
                           tokens, images);
  }
  images.add(norm("final_layernorm", norm_kind, tokens, width));
  const std::int64_t wide = joined * kMerged, merged_rows = tokens / kMerged;
  const Scope projector(images, "projector");
  if (!post) images.add(layer_norm("pre_norm", tokens, joined));
  images.add(linear("linear_1", merged_rows, wide, wide, !post));
  images.add(activation("act", merged_rows * wide, Activation::gelu));
  images.add(linear("linear_2", merged_rows, wide, text_width, !post));
  if (post) images.add(rms_norm("post_norm", merged_rows, text_width));
}

}  // namespace floptally::families
