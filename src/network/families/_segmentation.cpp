#include "network/families/_segmentation.h"

namespace floptally::families {

void check_segmenter(const Keys& c, const Segmenter& s, std::string_view width_key) {
  c.divides("num_attention_heads", s.heads, "hidden_dim", s.hidden);
  c.divides("num_attention_heads", s.heads, width_key, s.width);
  if (c.flag("pre_norm", false)) c.problem("unknown-variant", "pre_norm", "norms before the sublayers are not known");
  if (s.stride != 4) c.problem("unknown-variant", "common_stride", "a 'common_stride' other than 4 is not known");
  if (s.decoders < 1) c.problem("shape-range", "decoder_layers", "'decoder_layers' must be at least 2");
  c.understood({"activation_function", "ignore_value", "no_object_weight", "class_weight", "mask_weight", "dice_weight",
                "train_num_points", "oversample_ratio", "importance_sample_ratio", "init_std", "init_xavier_std",
                "use_auxiliary_loss", "feature_strides", "output_auxiliary_logits", "use_pretrained_backbone",
                "use_timm_backbone", "backbone", "backbone_kwargs", "num_hidden_layers"});
}

Eyes read_eyes(const Family& f) {
  const Keys& c = f.config;
  const Keys backbone = c.child("backbone_config");
  if (!backbone.present()) c.size("backbone_config");
  const std::string_view type = backbone.text_or("model_type", "");
  Eyes eyes;
  eyes.windows = type == "swin" || type == "maskformer-swin";
  eyes.resnet.frozen = false;
  if (eyes.windows)
    eyes.swin = read_swin(backbone);
  else if (type == "resnet")
    read_resnet(backbone, eyes.resnet);
  else if (backbone.present())
    c.problem("unknown-variant", "backbone_config", "the backbone '" + std::string(type) + "' is not known");
  const std::size_t stages = eyes.windows ? eyes.swin.depths.size() : eyes.resnet.depths.size();
  if (f.ok() && stages != 4) backbone.problem("shape-range", "depths", "the backbone must have four stages");
  return eyes;
}

std::vector<Map> describe_eyes(Family& f, const Eyes& eyes, const Map& image) {
  const Scope scope(f.sink, "pixel_level_module");
  if (!eyes.windows) return describe_resnet_body(f.sink, eyes.resnet, image);
  Family inner{f.config.child("backbone_config"), f.inputs, f.sink};
  std::vector<Map> maps = describe_swin_body(inner, eyes.swin, image.height, image.width);
  for (const Map& map : maps) f.sink.add(layer_norm("hidden_states_norms", map.positions(), map.channels));
  return maps;
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

void describe_levels(Family& f, const Segmenter& s, const std::vector<Map>& maps) {
  constexpr std::int64_t kLevels = 3;
  std::int64_t memory = 0;
  for (std::size_t i = 1; i < maps.size(); ++i) {
    memory += maps[i].positions();
    if (s.projects)
      f.sink.add(
          convolution("input_projections", s.width, s.hidden, 1, 1, maps[i].positions(), maps[i].positions(), true));
  }
  f.sink.add(parameter("level_embed", kLevels * s.hidden, memory * s.hidden, Component::position));
}

void describe_map_readers(Family& f, const Segmenter& s, const std::vector<Map>& maps) {
  constexpr std::int64_t kLevels = 3;
  const std::int64_t rows = s.queries, width = s.hidden;
  for (std::int64_t level = 0; level < kLevels; ++level) {
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

}  // namespace floptally::families
