#include "network/families/_detection.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"rt_detr", "rt_detr_v2"};
constexpr std::string_view kArchitectures[] = {"RTDetrForObjectDetection", "RTDetrModel", "RTDetrV2ForObjectDetection",
                                               "RTDetrV2Model"};

struct Detector {
  std::int64_t width = 256, seen = 256, queries = 300, decoders = 6, heads = 8, ffn = 1024, encoders = 1;
  EncoderLayerPart encoder;
  DeformablePart deformable;
  std::int64_t hidden = 256;  // channels inside a fusion block
  Activation fusing = Activation::silu, decoding = Activation::relu;
  std::vector<std::int64_t> encoded;  // maps that the encoder runs on
  bool learned = false;
};

Detector read_detector(const Family& f) {
  const Keys& c = f.config;
  Detector d;
  d.width = c.size("d_model");
  d.seen = c.assume("encoder_hidden_dim", 256);
  d.queries = c.size("num_queries");
  d.decoders = c.assume("decoder_layers", 6);
  d.heads = c.assume("decoder_attention_heads", 8);
  d.ffn = c.assume("decoder_ffn_dim", 1024);
  d.encoders = c.assume_count("encoder_layers", 1);
  d.encoder = {.width = d.seen,
               .heads = c.assume("encoder_attention_heads", 8),
               .ffn = c.assume("encoder_ffn_dim", 1024),
               .post_norm = !c.flag("normalize_before", false),
               .activation = read_activation(f, Activation::gelu, "encoder_activation_function")};
  d.deformable = {d.width, d.heads, c.assume("num_feature_levels", 3), c.assume("decoder_n_points", 4)};
  d.hidden = static_cast<std::int64_t>(c.ratio_or("hidden_expansion", 1) * static_cast<double>(d.seen));
  d.fusing = read_activation(f, Activation::silu, "activation_function");
  d.decoding = read_activation(f, Activation::relu, "decoder_activation_function");
  d.encoded = c.has("encode_proj_layers") ? c.config().sizes({"encode_proj_layers"}) : std::vector<std::int64_t>{2};
  d.learned = c.flag("learn_initial_query", false);
  c.divides("decoder_attention_heads", d.heads, "d_model", d.width);
  c.divides("encoder_attention_heads", d.encoder.heads, "encoder_hidden_dim", d.seen);
  if (d.hidden < 1) c.problem("shape-range", "hidden_expansion", "'hidden_expansion' leaves no channels");
  if (d.deformable.levels < 3 || d.deformable.levels > 16)
    c.problem("out-of-range", "num_feature_levels", "'num_feature_levels' must be 3 to 16");
  for (const std::int64_t channels : c.config().sizes({"decoder_in_channels"}))
    if (channels != d.seen)
      c.problem("shape-range", "decoder_in_channels", "'decoder_in_channels' must be 'encoder_hidden_dim'");
  if (!c.flag("with_box_refine", true))
    c.problem("unknown-variant", "with_box_refine", "boxes that are not refined are not known here");
  c.understood({"encoder_in_channels", "feat_strides", "decoder_in_channels", "num_denoising", "label_noise_ratio",
                "box_noise_scale", "positional_encoding_temperature", "eval_size", "disable_custom_kernels",
                "freeze_backbone_batch_norms", "anchor_image_size", "auxiliary_loss", "batch_norm_eps",
                "decoder_n_levels", "decoder_offset_scale", "decoder_method", "use_focal_loss", "num_hidden_layers"});
  return d;
}

// Two branches of a pair of maps; on one of them three blocks whose 3x3 and 1x1 convolutions add up (RepVGG).
void describe_fusion(Family& f, const Detector& d, const Map& map) {
  const Scope scope(f.sink, "fusion", 1, BlockKind::branches);
  ImageStack joined{f.sink, 2 * d.seen, map.height, map.width};
  ImageStack other = joined.sibling();
  constexpr std::int64_t kBlocks = 3;
  {
    const Scope main(f.sink, {});
    describe_conv_norm(joined, "conv1", {.out = d.hidden, .kernel = 1}, d.fusing);
    const Scope blocks(f.sink, "bottlenecks", kBlocks);
    ImageStack point = joined.sibling();
    describe_conv_norm(joined, "conv1", {.out = d.hidden, .kernel = 3, .padding = 1}, Activation::identity);
    describe_conv_norm(point, "conv2", {.out = d.hidden, .kernel = 1, .padding = 0}, Activation::identity);
    joined.residual();
    joined.act(d.fusing);
  }
  const Scope side(f.sink, {});
  describe_conv_norm(other, "conv2", {.out = d.hidden, .kernel = 1}, d.fusing);
  other.residual();
  if (d.hidden != d.seen) describe_conv_norm(other, "conv3", {.out = d.seen, .kernel = 1}, d.fusing);
}

// The hybrid encoder: attention on the smallest map alone, then maps joined downwards and upwards.
void describe_hybrid_encoder(Family& f, const Detector& d, const std::vector<Map>& maps) {
  for (const std::int64_t at : d.encoded) {
    const Map& map = maps[static_cast<std::size_t>(at)];
    const Scope encoder(f.sink, "encoder");
    const Scope layers(f.sink, "layers", d.encoders, BlockKind::layer);
    f.sink.add(elementwise("with_pos_embed", map.positions() * d.seen));
    describe_encoder_layer(d.encoder, map.positions(), f.sink);
  }
  for (std::size_t i = maps.size() - 1; i > 0; --i) {
    const Scope down(f.sink, "fpn");
    ImageStack lateral{f.sink, d.seen, maps[i].height, maps[i].width};
    describe_conv_norm(lateral, "lateral_conv", {.out = d.seen, .kernel = 1}, d.fusing);
    f.sink.add(resize("upsample", maps[i - 1].positions() * d.seen, maps[i].positions() * d.seen, 1));
    describe_fusion(f, d, maps[i - 1]);
  }
  for (std::size_t i = 0; i + 1 < maps.size(); ++i) {
    const Scope up(f.sink, "pan");
    ImageStack below{f.sink, d.seen, maps[i].height, maps[i].width};
    describe_conv_norm(below, "downsample_conv", {.out = d.seen, .kernel = 3, .stride = 2, .padding = 1}, d.fusing);
    describe_fusion(f, d, maps[i + 1]);
  }
}

std::int64_t describe_memory(Family& f, const Detector& d, const std::vector<Map>& maps) {
  std::int64_t all = 0;
  const Scope scope(f.sink, "decoder_input_proj");
  ImageStack last{f.sink, d.seen, maps.back().height, maps.back().width};
  for (std::size_t i = 0; i < static_cast<std::size_t>(d.deformable.levels); ++i) {
    ImageStack map{f.sink, d.seen, 1, 1};
    if (i < maps.size()) {
      map.height = maps[i].height;
      map.width = maps[i].width;
      describe_conv_norm(map, "conv", {.out = d.width, .kernel = 1}, Activation::identity);
      all += map.positions();
    } else {
      describe_conv_norm(last, "conv", {.out = d.width, .kernel = 3, .stride = 2, .padding = 1}, Activation::identity);
      all += last.positions();
    }
  }
  return all;
}

void describe_queries(Family& f, const Detector& d, std::int64_t labels, std::int64_t memory) {
  const std::int64_t rows = d.queries, width = d.width;
  f.sink.add(embedding("denoising_class_embed", 0, labels + 1, width));
  if (d.learned) f.sink.add(parameter("weight_embedding", rows * width, rows * width, Component::embed));
  {
    const Scope chosen(f.sink, "proposals");
    f.sink.add(linear("enc_output.0", memory, width, width, true));
    f.sink.add(layer_norm("enc_output.1", memory, width));
    f.sink.add(linear("enc_score_head", memory, width, labels, true, Component::head));
    describe_stack(f.sink, "enc_bbox_head", memory, width, width, 4, 3);
  }
  const auto normed = [&] {
    f.sink.add(residual(rows * width));
    f.sink.add(layer_norm("layer_norm", rows, width));
  };
  const Scope decoder(f.sink, "decoder");
  {
    RepeatedSink each(f.sink, d.decoders);
    describe_stack(each, "query_pos_head", rows, 4, 2 * width, width, 2);
  }
  const Scope layers(f.sink, "layers", d.decoders, BlockKind::layer);
  AttentionPart self;
  self.width = width;
  self.heads = self.kv_heads = d.heads;
  self.head_dim = width / d.heads;
  self.rotary_dim = 0;
  self.mask = AttentionMask::none;
  set_bias(self, true, true);
  describe_attention(self, rows, f.sink);
  normed();
  describe_deformable(d.deformable, rows, memory, f.sink);
  normed();
  describe_mlp(mlp_of(width, d.ffn, d.decoding, false, true), rows, f.sink);
  normed();
  describe_stack(f.sink, "bbox_embed", rows, width, width, 4, 3);
  f.sink.add(linear("class_embed", rows, width, labels, true, Component::head));
}

void describe_rt_detr(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Detector d = read_detector(f);
  ResNetBody body = read_backbone(f);
  body.frozen = c.flag("freeze_backbone_batch_norms", true);
  if (named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the class '" + std::string(named) + "' has no heads of its own");
  else if (!named.empty() && !named.ends_with("ForObjectDetection"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = label_count(c);
  constexpr std::size_t kMaps = 3;
  if (body.depths.size() != kMaps + 1)
    c.problem("shape-range", "backbone_config", "the backbone must have four stages");
  for (const std::int64_t at : d.encoded)
    if (at < 0 || at >= static_cast<std::int64_t>(kMaps))
      c.problem("shape-range", "encode_proj_layers", "'encode_proj_layers' must name maps 0 to 2");
  const Map image = detector_image(f, {3, 640, 640});
  if (!f.ok()) return;
  std::vector<Map> maps = describe_resnet_body(f.sink, body, image);
  maps.erase(maps.begin());
  {
    const Scope projected(f.sink, "encoder_input_proj");
    for (const Map& map : maps) {
      ImageStack s{f.sink, map.channels, map.height, map.width};
      describe_conv_norm(s, "conv", {.out = d.seen, .kernel = 1}, Activation::identity);
    }
  }
  describe_hybrid_encoder(f, d, maps);
  describe_queries(f, d, labels, describe_memory(f, d, maps));
}

}  // namespace

extern const FamilyDef k_rt_detr;
const FamilyDef k_rt_detr = {
    "rt_detr",
    "RT-DETR 1 and 2: ResNet-D, attention on the smallest map alone, maps joined by convolutions, deformable decoder",
    "huggingface/transformers models/rt_detr/modeling_rt_detr.py, models/rt_detr_v2; 2304.08069, 2407.17140",
    kTypes,
    kArchitectures,
    build<describe_rt_detr>,
    "image"};

}  // namespace floptally::families
