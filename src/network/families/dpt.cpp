#include "network/blocks/tower.h"
#include "network/families/_depth.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dpt"};
constexpr std::string_view kArchitectures[] = {"DPTForDepthEstimation", "DPTForSemanticSegmentation", "DPTModel"};

struct Tower {
  EncoderLayerPart layer;
  std::int64_t layers = 12, image = 384, patch = 16, channels = 3, pooled = 768;
};

Tower read_tower(const Keys& c, bool own) {
  Tower t;
  t.layer.width = own ? c.size("hidden_size") : c.assume("hidden_size", 768);
  t.layer.heads = c.assume("num_attention_heads", 12);
  t.layer.ffn = c.assume("intermediate_size", 3072);
  t.layer.qkv_bias = c.flag("qkv_bias", true);
  t.layer.activation = c.config().activation({"hidden_act"}, "gelu");
  t.layers = c.assume("num_hidden_layers", 12);
  t.image = c.assume("image_size", 384);
  t.patch = c.assume("patch_size", 16);
  t.channels = c.assume("num_channels", 3);
  t.pooled = c.size_or("pooler_output_size", t.layer.width);
  c.divides("num_attention_heads", t.layer.heads, "hidden_size", t.layer.width);
  if (t.image < t.patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  return t;
}

void describe_tower(Sink& sink, const Tower& t, const Map& grid) {
  const std::int64_t tokens = grid.positions() + 1, width = t.layer.width, table = t.image / t.patch;
  const Scope scope(sink, "dpt");
  sink.add(patch_embedding("patch_embeddings", t.channels, width, t.patch * t.patch, grid.positions(), true)
               .with(op_flags::input_no_gradient));
  sink.add(parameter("cls_token", width, width, Component::embed));
  sink.add(position_table("position_embeddings", tokens, table * table + 1, width));
  {
    const Scope layers(sink, "layer", t.layers, BlockKind::layer);
    describe_encoder_layer(t.layer, tokens, sink);
  }
  sink.add(layer_norm("layernorm", tokens, width));
}

enum class Top : std::uint8_t { none, depth, classes };

struct Heads {
  Top top = Top::none;
  std::int64_t labels = 0;
  bool projection = false, auxiliary = false;
};

void describe_depth_head(Sink& sink, const Map& last, bool projection) {
  const Scope scope(sink, "head");
  ImageStack s{sink, last.channels, last.height, last.width};
  if (projection) {
    s.conv("projection", {.out = last.channels, .kernel = 3, .padding = 1, .bias = true});
    s.act(Activation::relu);
  }
  constexpr std::int64_t kInner = 32;
  s.conv("conv1", {.out = std::max<std::int64_t>(1, last.channels / 2), .kernel = 3, .padding = 1, .bias = true});
  s.upsample(2, 4);
  s.conv("conv2", {.out = kInner, .kernel = 3, .padding = 1, .bias = true});
  s.act(Activation::relu);
  s.conv("conv3", {.out = 1, .kernel = 1, .bias = true});
  s.act(Activation::relu);
}

void describe_class_head(Sink& sink, std::string_view name, const Map& map, std::int64_t labels, bool upsampled) {
  const Scope scope(sink, name);
  ImageStack s{sink, map.channels, map.height, map.width};
  s.conv_norm("conv", {.out = map.channels, .kernel = 3, .padding = 1}, Activation::relu);
  s.conv("classifier", {.out = labels, .kernel = 1, .bias = true});
  if (upsampled) s.upsample(2, 4);
}

Heads read_heads(const Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  Heads h;
  if (named.empty() || named.ends_with("ForDepthEstimation"))
    h.top = Top::depth;
  else if (named.ends_with("ForSemanticSegmentation"))
    h.top = Top::classes;
  else if (!named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  h.projection = c.flag("add_projection", false);
  h.auxiliary = c.flag("use_auxiliary_head", true);
  if (h.top == Top::classes) h.labels = label_count(c);
  return h;
}

DepthNeck read_neck(const Keys& c) {
  DepthNeck n = read_depth_neck(c, {96, 192, 384, 768}, 256);
  n.doubles = true;
  const std::string_view readout = c.text_or("readout_type", "project");
  n.readout = readout == "project";
  if (!n.readout && readout != "ignore" && readout != "add")
    c.problem("unknown-variant", "readout_type", "'readout_type' is 'project', 'add' or 'ignore'");
  n.normed = c.flag("use_batch_norm_in_fusion_residual", false);
  n.unit_bias = c.flag("use_bias_in_fusion_residual", !n.normed);
  if (c.node("neck_ignore_stages").size() > 0)
    c.problem("unknown-variant", "neck_ignore_stages", "stages that the neck leaves out are not known here");
  return n;
}

void describe_dpt(Family& f) {
  const Keys& c = f.config;
  const Heads heads = read_heads(f);
  DepthNeck n = read_neck(c);
  const Keys other = c.child("backbone_config");
  const Tower t = read_tower(c, !other.present());
  if (c.flag("is_hybrid", false))
    c.problem("unknown-variant", "is_hybrid", "DPT over a convolutional stem (hybrid) is not known");
  const bool borrowed = other.present();
  n.read = t.layer.width;
  if (borrowed) {
    if (other.text_or("model_type", "") != "dinov2")
      c.problem("unknown-variant", "backbone_config", "a tower other than DPT's own or DINOv2's is not known here");
    n.read = other.size("hidden_size");
  }
  c.understood({"backbone_out_indices", "head_in_index", "auxiliary_loss_weight", "semantic_loss_ignore_index",
                "semantic_classifier_dropout", "backbone_featmap_shape", "pooler_act", "pooler_output_size",
                "use_pretrained_backbone", "use_timm_backbone", "backbone_kwargs", "backbone", "neck_ignore_stages",
                "readout_type", "add_projection", "use_auxiliary_head"});
  const std::int64_t side = borrowed ? other.assume("image_size", 518) : t.image,
                     patch = borrowed ? other.assume("patch_size", 14) : t.patch;
  if (!f.ok()) return;
  const bool given = f.inputs.image.size() == 3;
  const Map grid{n.read, std::max<std::int64_t>(1, (given ? f.inputs.image[1] : side) / patch),
                 std::max<std::int64_t>(1, (given ? f.inputs.image[2] : side) / patch)};
  if (borrowed) {
    const Scope tower(f.sink, "backbone");
    if (!build_nested(other.config(), f.inputs, f.sink)) return;
  } else {
    describe_tower(f.sink, t, grid);
  }
  if (heads.top == Top::none) {
    f.sink.add(linear("pooler", 1, t.layer.width, t.pooled, true, Component::head));
    return;
  }
  const std::vector<Map> maps = describe_depth_pyramid(f.sink, n, grid);
  const Map last = describe_depth_fusion(f.sink, n, maps);
  if (heads.top == Top::depth) return describe_depth_head(f.sink, last, heads.projection);
  describe_class_head(f.sink, "head", last, heads.labels, true);
  if (heads.auxiliary) describe_class_head(f.sink, "auxiliary_head", last, heads.labels, false);
}

}  // namespace

extern const FamilyDef k_dpt;
const FamilyDef k_dpt = {"dpt",
                         "DPT: a vision transformer's maps at four sizes, joined from the smallest on, to a depth or a "
                         "class for each pixel",
                         "huggingface/transformers models/dpt/modeling_dpt.py; 2103.13413",
                         kTypes,
                         kArchitectures,
                         build<describe_dpt>,
                         "image"};

}  // namespace floptally::families
