#include "network/families/_swin.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mask2former"};
constexpr std::string_view kArchitectures[] = {"Mask2FormerForUniversalSegmentation", "Mask2FormerModel"};

struct Segmenter {
  std::int64_t width = 256, mask = 256, hidden = 256, inner = 1024, encoders = 6, decoders = 9, heads = 8, ffn = 2048,
               queries = 100, stride = 4;
  bool projects = false;
};

Segmenter read_segmenter(const Keys& c) {
  Segmenter s;
  s.width = c.assume("feature_size", 256);
  s.mask = c.assume("mask_feature_size", 256);
  s.hidden = c.assume("hidden_dim", 256);
  s.inner = c.assume("encoder_feedforward_dim", 1024);
  s.encoders = c.assume("encoder_layers", 6);
  s.decoders = c.assume("decoder_layers", 10) - 1;
  s.heads = c.assume("num_attention_heads", 8);
  s.ffn = c.assume("dim_feedforward", 2048);
  s.queries = c.assume("num_queries", 100);
  s.stride = c.assume("common_stride", 4);
  s.projects = c.flag("enforce_input_projection", false) || s.hidden != s.width;
  c.divides("num_attention_heads", s.heads, "hidden_dim", s.hidden);
  c.divides("num_attention_heads", s.heads, "feature_size", s.width);
  if (c.flag("pre_norm", false)) c.problem("unknown-variant", "pre_norm", "norms before the sublayers are not known");
  if (s.stride != 4) c.problem("unknown-variant", "common_stride", "a 'common_stride' other than 4 is not known");
  if (s.decoders < 1) c.problem("shape-range", "decoder_layers", "'decoder_layers' must be at least 2");
  c.understood({"activation_function", "ignore_value", "no_object_weight", "class_weight", "mask_weight", "dice_weight",
                "train_num_points", "oversample_ratio", "importance_sample_ratio", "init_std", "init_xavier_std",
                "use_auxiliary_loss", "feature_strides", "output_auxiliary_logits", "use_pretrained_backbone",
                "use_timm_backbone", "backbone", "backbone_kwargs", "num_hidden_layers"});
  return s;
}

// The maps' encoder, then the finest map joined with what the encoder gives.
void describe_pixels(Family& f, const Segmenter& s, const std::vector<Map>& maps) {
  const Scope scope(f.sink, "pixel_decoder");
  constexpr std::int64_t kLevels = 3, kPoints = 4, kGroups = 32;
  const std::int64_t memory = describe_projected_maps(f.sink, "input_projections", maps, kLevels, s.width);
  f.sink.add(parameter("level_embed", kLevels * s.width, memory * s.width, Component::position));
  {
    const Scope layers(f.sink, "layers", s.encoders, BlockKind::layer);
    describe_deformable({s.width, s.heads, kLevels, kPoints}, memory, memory, f.sink);
    describe_added(f.sink, "self_attn_layer_norm", memory, s.width);
    describe_mlp(mlp_of(s.width, s.inner, Activation::relu, false, true), memory, f.sink);
    describe_added(f.sink, "final_layer_norm", memory, s.width);
  }
  ImageStack fine{f.sink, maps[0].channels, maps[0].height, maps[0].width};
  fine.conv("adapter_1", {.out = s.width, .kernel = 1});
  fine.group_norm("adapter_1.norm", kGroups);
  f.sink.add(resize("upsample", fine.elements(), maps[1].positions() * s.width, 4));
  fine.residual();
  fine.conv("layer_1", {.out = s.width, .kernel = 3, .padding = 1});
  fine.group_norm("layer_1.norm", kGroups);
  fine.act(Activation::relu);
  fine.conv("mask_projection", {.out = s.mask, .kernel = 1, .bias = true});
}

// A mask for each query, before the first layer and behind each: it says where the next one may look.
void describe_masks(Sink& sink, const Segmenter& s, std::int64_t positions) {
  sink.add(layer_norm("layernorm", s.queries, s.hidden));
  describe_stack(sink, "mask_embedder", s.queries, s.hidden, s.hidden, s.mask, 3);
  sink.add(matmul("masks", 1, s.queries, s.mask, positions, 2, Component::head));
}

void describe_queries(Family& f, const Segmenter& s, const std::vector<Map>& maps) {
  const Scope scope(f.sink, "transformer_module");
  constexpr std::int64_t kLevels = 3;
  const std::int64_t rows = s.queries, width = s.hidden;
  std::int64_t memory = 0;
  for (std::size_t i = 1; i < maps.size(); ++i) {
    memory += maps[i].positions();
    if (s.projects)
      f.sink.add(
          convolution("input_projections", s.width, width, 1, 1, maps[i].positions(), maps[i].positions(), true));
  }
  f.sink.add(parameter("queries_embedder", rows * width, rows * width, Component::embed));
  f.sink.add(parameter("queries_features", rows * width, rows * width, Component::embed));
  f.sink.add(parameter("level_embed", kLevels * width, memory * width, Component::position));
  {
    RepeatedSink all(f.sink, s.decoders + 1);
    describe_masks(all, s, maps[0].positions());
  }
  for (std::int64_t level = 0; level < kLevels; ++level) {  // the smallest map first, then over again
    const std::int64_t copies = s.decoders / kLevels + (level < s.decoders % kLevels ? 1 : 0),
                       seen = maps[maps.size() - 1 - static_cast<std::size_t>(level)].positions();
    if (copies == 0) continue;
    const Scope layers(f.sink, "layers", copies, BlockKind::layer);
    describe_reading(f.sink, "cross_attn", width, s.heads, rows, seen);
    describe_added(f.sink, "cross_attn_layer_norm", rows, width);
    describe_reading(f.sink, "self_attn", width, s.heads, rows, rows);
    describe_added(f.sink, "self_attn_layer_norm", rows, width);
    describe_mlp(mlp_of(width, s.ffn, Activation::relu, false, true), rows, f.sink);
    describe_added(f.sink, "final_layer_norm", rows, width);
  }
}

std::vector<Map> describe_eyes(Family& f, const Keys& backbone, const SwinBody& swin, const ResNetBody& resnet,
                               bool windows, const Map& image) {
  const Scope scope(f.sink, "pixel_level_module");
  if (!windows) return describe_resnet_body(f.sink, resnet, image);
  Family inner{backbone, f.inputs, f.sink};
  std::vector<Map> maps = describe_swin_body(inner, swin, image.height, image.width);
  for (const Map& map : maps) f.sink.add(layer_norm("hidden_states_norms", map.positions(), map.channels));
  return maps;
}

void describe_mask2former(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Segmenter s = read_segmenter(c);
  const Keys backbone = c.child("backbone_config");
  if (!backbone.present()) c.size("backbone_config");
  const std::string_view type = backbone.text_or("model_type", "");
  const bool windows = type == "swin";
  SwinBody swin;
  ResNetBody resnet;
  resnet.frozen = false;
  if (windows)
    swin = read_swin(backbone);
  else if (type == "resnet")
    read_resnet(backbone, resnet);
  else if (backbone.present())
    c.problem("unknown-variant", "backbone_config", "the backbone '" + std::string(type) + "' is not known");
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForUniversalSegmentation"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = plain ? 0 : label_count(c) + 1;
  const std::size_t stages = windows ? swin.depths.size() : resnet.depths.size();
  if (f.ok() && stages != 4) backbone.problem("shape-range", "depths", "the backbone must have four stages");
  const Map image = detector_image(f, {3, 384, 384});
  if (!f.ok()) return;
  const std::vector<Map> maps = describe_eyes(f, backbone, swin, resnet, windows, image);
  describe_pixels(f, s, maps);
  describe_queries(f, s, maps);
  if (plain) return;
  RepeatedSink all(f.sink, s.decoders + 1);
  all.add(linear("class_predictor", s.queries, s.hidden, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_mask2former;
const FamilyDef k_mask2former = {
    "mask2former",
    "Mask2Former: Swin or ResNet, a deformable encoder of the maps, queries that look inside their own masks",
    "huggingface/transformers models/mask2former/modeling_mask2former.py; 2112.01527",
    kTypes,
    kArchitectures,
    build<describe_mask2former>,
    "image"};

}  // namespace floptally::families
