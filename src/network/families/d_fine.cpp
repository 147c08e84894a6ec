#include <cmath>

#include "network/families/_detection.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"d_fine"};
constexpr std::string_view kArchitectures[] = {"DFineForObjectDetection", "DFineModel"};

// HGNetV2: dense blocks whose layers' maps are joined, squeezed and widened.
struct Body {
  std::vector<std::int64_t> stem = {3, 32, 48}, stem_strides = {2, 1, 1, 2, 1};
  std::vector<std::int64_t> in, inner, out, blocks, layers, kernels, strides;
  std::vector<std::uint8_t> shrinks, light;
  bool affine = false, frozen = true;
  Activation kind = Activation::relu;
};

std::vector<std::uint8_t> read_flags(const Keys& c, std::string_view key, std::vector<std::uint8_t> published) {
  const Node listed = c.node(key);
  if (!listed.is_sequence()) return published;
  std::vector<std::uint8_t> flags;
  for (const Node entry : listed) flags.push_back(entry.as_bool().value_or(false) ? 1 : 0);
  return flags;
}

Body read_body(const Keys& c) {
  Body b;
  b.stem = c.sizes_or("stem_channels", b.stem);
  b.stem_strides = c.sizes_or("stem_strides", b.stem_strides);
  b.in = c.sizes_or("stage_in_channels", {48, 128, 512, 1024});
  b.inner = c.sizes_or("stage_mid_channels", {48, 96, 192, 384});
  b.out = c.sizes_or("stage_out_channels", {128, 512, 1024, 2048});
  b.blocks = c.sizes_or("stage_num_blocks", {1, 1, 3, 1});
  b.layers = c.sizes_or("stage_numb_of_layers", {6, 6, 6, 6});
  b.kernels = c.sizes_or("stage_kernel_size", {3, 3, 5, 5});
  b.strides = c.sizes_or("stage_downsample_strides", {2, 2, 2, 2});
  b.shrinks = read_flags(c, "stage_downsample", {0, 1, 1, 1});
  b.light = read_flags(c, "stage_light_block", {0, 0, 1, 1});
  b.affine = c.flag("use_learnable_affine_block", false);
  b.kind = c.config().activation({"hidden_act"}, "relu");
  if (b.stem.size() != 3 || b.stem_strides.size() != 5)
    c.problem("shape-range", "stem_channels", "'stem_channels' must list 3 sizes and 'stem_strides' 5");
  for (const std::vector<std::int64_t>* sizes : {&b.inner, &b.out, &b.blocks, &b.layers, &b.kernels, &b.strides})
    if (sizes->size() != b.in.size()) c.problem("shape-range", "stage_in_channels", "stages must be of one number");
  if (b.shrinks.size() != b.in.size() || b.light.size() != b.in.size() || b.in.size() < 3 || b.in.size() > 8)
    c.problem("shape-range", "stage_in_channels", "there must be 3 to 8 stages");
  for (const std::int64_t layers : b.layers)
    if (layers > 64) c.problem("shape-range", "stage_numb_of_layers", "more than 64 layers a block are not known");
  c.understood(
      {"depths", "hidden_sizes", "embedding_size", "num_channels", "out_features", "out_indices", "stage_names"});
  return b;
}

void describe_conv(ImageStack& s, const Body& b, std::string_view name, std::int64_t out, std::int64_t kernel,
                   std::int64_t stride, std::int64_t groups, bool active) {
  describe_conv_norm(s, name,
                     {.out = out, .kernel = kernel, .stride = stride, .padding = (kernel - 1) / 2, .groups = groups},
                     active ? b.kind : Activation::identity, b.frozen);
  if (b.affine && active) s.sink.add(parameter("lab", 2, s.elements(), Component::other));
}

void describe_stem(ImageStack& s, const Body& b) {
  const std::int64_t width = b.stem[1], half = std::max<std::int64_t>(1, width / 2);
  describe_conv(s, b, "stem1", width, 3, b.stem_strides[0], 1, true);
  ImageStack side{s.sink, width, s.height + 1, s.width + 1};  // padded below and at the right
  describe_conv(side, b, "stem2a", half, 2, b.stem_strides[1], 1, true);
  ++side.height;
  ++side.width;
  describe_conv(side, b, "stem2b", width, 2, b.stem_strides[2], 1, true);
  s.sink.add(pool("pool", width, (s.height + 1) * (s.width + 1), s.positions(), 4, true));
  s.concat(width);
  describe_conv(s, b, "stem3", width, 3, b.stem_strides[3], 1, true);
  describe_conv(s, b, "stem4", b.stem[2], 1, b.stem_strides[4], 1, true);
}

void describe_dense_block(ImageStack& s, const Body& b, std::size_t stage, bool first) {
  const std::int64_t in = s.channels, kernel = b.kernels[stage], inner = b.inner[stage], out = b.out[stage];
  const Scope block(s.sink, "blocks");
  for (std::int64_t i = 0; i < b.layers[stage]; ++i) {
    if (b.light[stage] != 0) {
      describe_conv(s, b, "conv1", inner, 1, 1, 1, false);
      describe_conv(s, b, "conv2", inner, kernel, 1, inner, true);
    } else {
      describe_conv(s, b, "conv", inner, kernel, 1, 1, true);
    }
  }
  s.concat(in + (b.layers[stage] - 1) * inner);
  describe_conv(s, b, "squeeze", std::max<std::int64_t>(1, out / 2), 1, 1, 1, true);
  describe_conv(s, b, "excite", out, 1, 1, 1, true);
  if (!first) s.residual();
}

std::vector<Map> describe_body(Sink& sink, const Body& b, const Map& image) {
  const Scope scope(sink, "backbone");
  ImageStack s{sink, b.stem[0], image.height, image.width};
  describe_stem(s, b);
  std::vector<Map> maps;
  for (std::size_t stage = 0; stage < b.in.size(); ++stage) {
    if (b.shrinks[stage] != 0) describe_conv(s, b, "downsample", s.channels, 3, b.strides[stage], s.channels, false);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(b.blocks[stage], 1000); ++i)
      describe_dense_block(s, b, stage, i == 0);
    maps.push_back({s.channels, s.height, s.width});
  }
  return maps;
}

struct Detector {
  std::int64_t width = 256, seen = 256, queries = 300, decoders = 6, heads = 8, ffn = 1024, encoders = 1, levels = 3,
               samples = 12, bins = 32, tops = 4, quality = 64, quality_layers = 2, blocks = 3, narrow = 128;
  EncoderLayerPart encoder;
  Activation fusing = Activation::silu, decoding = Activation::relu;
  std::vector<std::int64_t> encoded = {2};
  bool learned = false;
};

std::int64_t read_samples(const Keys& c, std::int64_t levels) {
  if (!c.node("decoder_n_points").is_sequence()) return levels * c.assume("decoder_n_points", 4);
  std::int64_t all = 0;
  const std::vector<std::int64_t> points = c.config().sizes({"decoder_n_points"});
  for (const std::int64_t each : points) all += std::max<std::int64_t>(0, each);
  if (static_cast<std::int64_t>(points.size()) != levels || all < 1)
    c.problem("shape-range", "decoder_n_points", "'decoder_n_points' must list one number for each level");
  return all;
}

// What the file says beside the sizes: what would change them is refused.
void check_variant(const Keys& c, std::int64_t levels, std::int64_t seen) {
  const std::vector<std::int64_t> read = c.config().sizes({"decoder_in_channels"});
  if (!read.empty() && static_cast<std::int64_t>(read.size()) != levels)
    c.problem("shape-range", "num_feature_levels", "levels beyond 'decoder_in_channels' are not known");
  for (const std::int64_t channels : read)
    if (channels != seen)
      c.problem("shape-range", "decoder_in_channels", "'decoder_in_channels' must be 'encoder_hidden_dim'");
  if (c.config().size_if({"eval_idx"}, -1, -1) != -1)
    c.problem("unknown-variant", "eval_idx", "an answer taken before the last layer is not known");
  if (c.ratio_or("layer_scale", 1) != 1)
    c.problem("unknown-variant", "layer_scale", "layers of another width behind the answer are not known");
  c.understood({"feat_strides",
                "num_denoising",
                "label_noise_ratio",
                "box_noise_scale",
                "positional_encoding_temperature",
                "eval_size",
                "freeze_backbone_batch_norms",
                "anchor_image_size",
                "auxiliary_loss",
                "batch_norm_eps",
                "decoder_offset_scale",
                "decoder_method",
                "use_focal_loss",
                "focal_loss_alpha",
                "focal_loss_gamma",
                "matcher_alpha",
                "matcher_gamma",
                "matcher_class_cost",
                "matcher_bbox_cost",
                "matcher_giou_cost",
                "weight_loss_vfl",
                "weight_loss_bbox",
                "weight_loss_giou",
                "weight_loss_fgl",
                "weight_loss_ddf",
                "eos_coefficient",
                "reg_scale",
                "up",
                "with_box_refine",
                "encoder_in_channels",
                "decoder_in_channels",
                "num_hidden_layers",
                "head_dim",
                "use_timm_backbone",
                "use_pretrained_backbone",
                "backbone",
                "backbone_kwargs",
                "disable_custom_kernels"});
}

Detector read_detector(const Family& f) {
  const Keys& c = f.config;
  Detector d;
  d.width = c.size("d_model");
  d.seen = c.assume("encoder_hidden_dim", 256);
  d.queries = c.assume("num_queries", 300);
  d.decoders = c.assume("decoder_layers", 6);
  d.heads = c.assume("decoder_attention_heads", 8);
  d.ffn = c.assume("decoder_ffn_dim", 1024);
  d.encoders = c.assume_count("encoder_layers", 1);
  d.levels = c.assume("num_feature_levels", 3);
  d.samples = read_samples(c, d.levels);
  d.bins = c.assume("max_num_bins", 32);
  d.tops = c.assume("top_prob_values", 4);
  d.quality = c.assume("lqe_hidden_dim", 64);
  d.quality_layers = c.assume("lqe_layers", 2);
  d.blocks = static_cast<std::int64_t>(std::nearbyint(3 * std::min(100.0, c.ratio_or("depth_mult", 1))));
  d.narrow = static_cast<std::int64_t>(
      std::nearbyint(std::floor(std::min(1e3, c.ratio_or("hidden_expansion", 1)) * static_cast<double>(d.seen) / 2)));
  d.encoder = {.width = d.seen,
               .heads = c.assume("encoder_attention_heads", 8),
               .ffn = c.assume("encoder_ffn_dim", 1024),
               .post_norm = !c.flag("normalize_before", false),
               .activation = read_activation(f, Activation::gelu, "encoder_activation_function")};
  d.fusing = read_activation(f, Activation::silu, "activation_function");
  d.decoding = read_activation(f, Activation::relu, "decoder_activation_function");
  if (c.has("encode_proj_layers")) d.encoded = c.config().sizes({"encode_proj_layers"});
  d.learned = c.flag("learn_initial_query", false);
  c.divides("decoder_attention_heads", d.heads, "d_model", d.width);
  c.divides("encoder_attention_heads", d.encoder.heads, "encoder_hidden_dim", d.seen);
  if (d.narrow < 1 || d.blocks < 0)
    c.problem("shape-range", "hidden_expansion", "'hidden_expansion' leaves no channels");
  if (d.quality_layers > 64) c.problem("shape-range", "lqe_layers", "more than 64 'lqe_layers' are not known");
  if (d.decoders > 1000) c.problem("shape-range", "decoder_layers", "more than 1,000 'decoder_layers' are not known");
  check_variant(c, d.levels, d.seen);
  return d;
}

void describe_cross_stage(ImageStack& s, const Detector& d) {
  ImageStack other = s.sibling();
  const Scope scope(s.sink, "csp_rep");
  describe_conv_norm(s, "conv1", {.out = d.narrow, .kernel = 1}, d.fusing);
  if (d.blocks > 0) {
    const Scope blocks(s.sink, "bottlenecks", d.blocks);
    ImageStack point = s.sibling();
    describe_conv_norm(s, "conv1", {.out = d.narrow, .kernel = 3, .padding = 1}, Activation::identity);
    describe_conv_norm(point, "conv2", {.out = d.narrow, .kernel = 1, .padding = 0}, Activation::identity);
    s.residual();
    s.act(d.fusing);
  }
  describe_conv_norm(other, "conv2", {.out = d.narrow, .kernel = 1}, d.fusing);
  s.residual();
}

// Two maps joined, half of them through two stages, all four parts joined again.
void describe_fusion(Family& f, const Detector& d, const Map& map) {
  const Scope scope(f.sink, "fusion");
  ImageStack whole{f.sink, 2 * d.seen, map.height, map.width};
  describe_conv_norm(whole, "conv1", {.out = 2 * d.seen, .kernel = 1}, d.fusing);
  ImageStack part{f.sink, d.seen, map.height, map.width};
  for (const std::string_view name : {"conv2", "conv3"}) {
    describe_cross_stage(part, d);
    describe_conv_norm(part, name, {.out = d.narrow, .kernel = 3, .padding = 1}, d.fusing);
  }
  whole.concat(2 * d.narrow);
  describe_conv_norm(whole, "conv4", {.out = d.seen, .kernel = 1}, d.fusing);
}

void describe_encoder(Family& f, const Detector& d, const std::vector<Map>& maps) {
  for (const std::int64_t at : d.encoded) {
    const Map& map = maps[static_cast<std::size_t>(at)];
    const Scope layers(f.sink, "aifi", d.encoders, BlockKind::layer);
    describe_encoder_layer(d.encoder, map.positions(), f.sink);
  }
  for (std::size_t i = maps.size() - 1; i > 0; --i) {
    const Scope down(f.sink, "fpn");
    ImageStack lateral{f.sink, d.seen, maps[i].height, maps[i].width};
    describe_conv_norm(lateral, "lateral_conv", {.out = d.seen, .kernel = 1}, Activation::identity);
    f.sink.add(resize("upsample", maps[i - 1].positions() * d.seen, maps[i].positions() * d.seen, 1));
    describe_fusion(f, d, maps[i - 1]);
  }
  for (std::size_t i = 0; i + 1 < maps.size(); ++i) {
    const Scope up(f.sink, "pan");
    ImageStack below{f.sink, d.seen, maps[i].height, maps[i].width};
    describe_conv_norm(below, "downsample.conv1", {.out = d.seen, .kernel = 1}, Activation::identity);
    describe_conv_norm(below, "downsample.conv2",
                       {.out = d.seen, .kernel = 3, .stride = 2, .padding = 1, .groups = d.seen}, Activation::identity);
    describe_fusion(f, d, maps[i + 1]);
  }
}

// Samples of the maps, weighed; then a gate between the query and what it saw.
void describe_seeing(Sink& sink, const Detector& d, std::int64_t memory) {
  const Scope scope(sink, "encoder_attn");
  const std::int64_t rows = d.queries, width = d.width;
  sink.add(linear("sampling_offsets", rows, width, 2 * d.heads * d.samples, true, Component::projection));
  sink.add(linear("attention_weights", rows, width, d.heads * d.samples, true, Component::projection)
               .with(op_flags::shared_input));
  sink.add(softmax("softmax", rows * d.heads, d.samples));
  sink.add(move("value", memory * width));
  sink.add(
      elementwise("samples", rows * width * d.samples, 4, 8, rows * width * d.samples).part_of(Component::attention));
  sink.add(elementwise("weighed", rows * width * d.samples, 2, 2).part_of(Component::attention));
  sink.add(linear("gateway.gate", rows, 2 * width, 2 * width, true));
  sink.add(activation("sigmoid", 2 * rows * width, Activation::sigmoid));
  sink.add(elementwise("gated", rows * width, 4, 3));
  sink.add(layer_norm("gateway.norm", rows, width));
}

void describe_decoder(Family& f, const Detector& d, std::int64_t labels, std::int64_t memory) {
  const std::int64_t rows = d.queries, width = d.width;
  const Scope decoder(f.sink, "decoder");
  f.sink.add(parameter("reg_scale", 2, 0).with(op_flags::frozen));
  {
    RepeatedSink each(f.sink, d.decoders);
    describe_stack(each, "query_pos_head", rows, 4, 2 * width, width, 2);
  }
  describe_stack(f.sink, "pre_bbox_head", rows, width, width, 4, 3);
  const Scope layers(f.sink, "layers", d.decoders, BlockKind::layer);
  describe_reading(f.sink, "self_attn", width, d.heads, rows, rows);
  describe_added(f.sink, "self_attn_layer_norm", rows, width);
  describe_seeing(f.sink, d, memory);
  describe_mlp(mlp_of(width, d.ffn, d.decoding, false, true), rows, f.sink);
  describe_added(f.sink, "final_layer_norm", rows, width);
  describe_stack(f.sink, "bbox_embed", rows, width, width, 4 * (d.bins + 1), 3);
  f.sink.add(linear("class_embed", rows, width, labels, true, Component::head));
  f.sink.add(softmax("corners", 4 * rows, d.bins + 1));
  describe_stack(f.sink, "lqe_layers", rows, 4 * (d.tops + 1), d.quality, 1, d.quality_layers);
}

std::int64_t describe_memory(Family& f, const Detector& d, const std::vector<Map>& maps) {
  std::int64_t all = 0;
  const bool same = d.width == d.seen;  // then the maps are taken as they are
  const Scope scope(f.sink, "decoder_input_proj");
  for (const Map& map : maps) {
    ImageStack s{f.sink, d.seen, map.height, map.width};
    if (!same) describe_conv_norm(s, "conv", {.out = d.width, .kernel = 1}, Activation::identity);
    all += map.positions();
  }
  return all;
}

void describe_d_fine(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Detector d = read_detector(f);
  const Keys backbone = c.child("backbone_config");
  if (backbone.text_or("model_type", "hgnet_v2") != "hgnet_v2")
    c.problem("unknown-variant", "backbone_config", "a backbone other than HGNetV2 is not known here");
  Body body = read_body(backbone);
  body.frozen = c.flag("freeze_backbone_batch_norms", true);
  if (!named.empty() && !named.ends_with("ForObjectDetection"))
    c.problem("unknown-variant", "architectures", "the class '" + std::string(named) + "' has no heads of its own");
  const std::int64_t labels = label_count(c);
  const auto taken = static_cast<std::size_t>(std::clamp<std::int64_t>(d.levels, 1, 8));
  if (d.levels != static_cast<std::int64_t>(taken) || taken >= body.in.size())
    c.problem("shape-range", "num_feature_levels", "'num_feature_levels' must be fewer than the backbone's stages");
  for (const std::int64_t at : d.encoded)
    if (at < 0 || at >= static_cast<std::int64_t>(taken))
      c.problem("shape-range", "encode_proj_layers", "'encode_proj_layers' must name maps of the backbone");
  const Map image = detector_image(f, {3, 640, 640});
  if (!f.ok()) return;
  std::vector<Map> maps = describe_body(f.sink, body, image);
  maps.erase(maps.begin(), maps.end() - static_cast<std::ptrdiff_t>(taken));
  {
    const Scope projected(f.sink, "encoder_input_proj");
    for (const Map& map : maps) {
      ImageStack s{f.sink, map.channels, map.height, map.width};
      describe_conv_norm(s, "conv", {.out = d.seen, .kernel = 1}, Activation::identity);
    }
  }
  describe_encoder(f, d, maps);
  const std::int64_t memory = describe_memory(f, d, maps), width = d.width;
  f.sink.add(embedding("denoising_class_embed", 0, labels + 1, width));
  if (d.learned) f.sink.add(parameter("weight_embedding", d.queries * width, d.queries * width, Component::embed));
  f.sink.add(linear("enc_output.0", memory, width, width, true));
  f.sink.add(layer_norm("enc_output.1", memory, width));
  f.sink.add(linear("enc_score_head", memory, width, labels, true, Component::head));
  describe_stack(f.sink, "enc_bbox_head", memory, width, width, 4, 3);
  describe_decoder(f, d, labels, memory);
}

}  // namespace

extern const FamilyDef k_d_fine;
const FamilyDef k_d_fine = {"d_fine",
                            "D-FINE: HGNetV2, RT-DETR's hybrid encoder, boxes refined as distributions of their edges",
                            "huggingface/transformers models/d_fine/modeling_d_fine.py, models/hgnet_v2; 2410.13842",
                            kTypes,
                            kArchitectures,
                            build<describe_d_fine>,
                            "image"};

}  // namespace floptally::families
