#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vit_mae", "videomae", "yolos"};
constexpr std::string_view kArchitectures[] = {"ViTMAEModel",   "ViTMAEForPreTraining",
                                               "VideoMAEModel", "VideoMAEForVideoClassification",
                                               "YolosModel",    "YolosForObjectDetection"};

// An image's or a clip's side; some configs give height and width.
std::int64_t read_side(const Keys& c, std::string_view key, std::size_t index) {
  return c.node(key).is_sequence() ? c.element(key, index) : c.size(key);
}

struct Sight {
  EncoderLayerPart layer;
  std::int64_t layers = 1, channels = 3, patch = 1, patches = 1;
};

Sight read_sight(Family& f) {
  const Keys& c = f.config;
  Sight z;
  z.layer = {
      .width = c.size("hidden_size"), .heads = c.size("num_attention_heads"), .ffn = c.size("intermediate_size")};
  z.layers = c.size("num_hidden_layers");
  z.channels = c.assume("num_channels", 3);
  z.patch = c.size("patch_size");
  z.layer.qkv_bias = c.flag("qkv_bias", true);
  z.layer.activation = read_activation(f, Activation::gelu);
  const std::int64_t height = read_side(c, "image_size", 0), width = read_side(c, "image_size", 1);
  c.divides("num_attention_heads", z.layer.heads, "hidden_size", z.layer.width);
  if (height < z.patch || width < z.patch)
    c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  else
    z.patches = (height / z.patch) * (width / z.patch);
  return z;
}

void describe_layers(Family& f, const Sight& z, std::int64_t tokens) {
  const Scope scope(f.sink, "layer", z.layers, BlockKind::layer);
  describe_encoder_layer(z.layer, tokens, f.sink);
}

// The encoder sees a quarter of the patches, a small decoder all of them.
void describe_mae(Family& f) {
  const Keys& c = f.config;
  const Sight z = read_sight(f);
  const bool trains = f.architecture().ends_with("ForPreTraining");
  const double masked = c.ratio_or("mask_ratio", 0.75);
  const std::int64_t width = trains ? c.size("decoder_hidden_size") : 1,
                     layers = trains ? c.size("decoder_num_hidden_layers") : 1;
  const EncoderLayerPart layer{.width = width,
                               .heads = trains ? c.size("decoder_num_attention_heads") : 1,
                               .ffn = trains ? c.size("decoder_intermediate_size") : 1,
                               .qkv_bias = z.layer.qkv_bias,
                               .activation = z.layer.activation};
  c.divides("decoder_num_attention_heads", layer.heads, "decoder_hidden_size", width);
  c.understood({"decoder_hidden_size", "decoder_num_hidden_layers", "decoder_num_attention_heads",
                "decoder_intermediate_size", "norm_pix_loss"});
  if (masked < 0 || masked >= 1) c.problem("out-of-range", "mask_ratio", "'mask_ratio' must be at least 0 and below 1");
  if (!f.ok()) return;
  const std::int64_t all = z.patches + 1,
                     seen = static_cast<std::int64_t>(static_cast<double>(z.patches) * (1 - masked)) + 1;
  f.sink.add(patch_embedding("patch_embeddings", z.channels, z.layer.width, z.patch * z.patch, z.patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", z.layer.width, z.layer.width, Component::embed));
  f.sink.add(position_table("position_embeddings", all, all, z.layer.width).with(op_flags::frozen));
  describe_layers(f, z, seen);
  f.sink.add(layer_norm("layernorm", seen, z.layer.width));
  if (!trains) return;
  const Scope decoder(f.sink, "decoder");
  f.sink.add(linear("decoder_embed", seen, z.layer.width, width, true));
  f.sink.add(parameter("mask_token", width, (all - seen) * width, Component::embed));
  f.sink.add(position_table("decoder_pos_embed", all, all, width).with(op_flags::frozen));
  {
    const Scope scope(f.sink, "decoder_layers", layers, BlockKind::layer);
    describe_encoder_layer(layer, all, f.sink);
  }
  f.sink.add(layer_norm("decoder_norm", all, width));
  f.sink.add(linear("decoder_pred", all, width, z.patch * z.patch * z.channels, true, Component::head));
}

void describe_video(Family& f) {
  const Keys& c = f.config;
  Sight z = read_sight(f);
  z.layer.key_bias = false;
  const std::int64_t frames = c.size("num_frames"), tube = c.assume("tubelet_size", 2);
  const bool classifies = f.architecture().ends_with("ForVideoClassification"), mean = c.flag("use_mean_pooling", true);
  const std::int64_t labels = classifies ? label_count(c) : 0;
  c.understood({"decoder_hidden_size", "decoder_num_hidden_layers", "decoder_num_attention_heads",
                "decoder_intermediate_size", "norm_pix_loss"});
  c.divides("tubelet_size", tube, "num_frames", frames);
  if (!f.ok()) return;
  const std::int64_t tokens = z.patches * (frames / tube);
  f.sink.add(patch_embedding("patch_embeddings", z.channels, z.layer.width, tube * z.patch * z.patch, tokens, true)
                 .with(op_flags::input_no_gradient));
  describe_layers(f, z, tokens);
  if (!mean) f.sink.add(layer_norm("layernorm", tokens, z.layer.width));
  if (!classifies) return;
  if (mean) f.sink.add(layer_norm("fc_norm", 1, z.layer.width));
  f.sink.add(linear("classifier", 1, z.layer.width, labels, true, Component::head));
}

void describe_detector(Family& f) {
  const Keys& c = f.config;
  const Sight z = read_sight(f);
  const std::int64_t boxes = c.assume("num_detection_tokens", 100), width = z.layer.width;
  const bool detects = f.architecture().ends_with("ForObjectDetection"),
             middle = c.flag("use_mid_position_embeddings", true);
  const std::int64_t labels = detects ? label_count(c) + 1 : 0;
  c.understood({"auxiliary_loss", "bbox_cost", "bbox_loss_coefficient", "class_cost", "eos_coefficient", "giou_cost",
                "giou_loss_coefficient"});
  if (!f.ok()) return;
  const std::int64_t tokens = z.patches + 1 + boxes;
  f.sink.add(patch_embedding("patch_embeddings", z.channels, width, z.patch * z.patch, z.patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", width, width, Component::embed));
  f.sink.add(parameter("detection_tokens", boxes * width, boxes * width, Component::embed));
  f.sink.add(position_table("position_embeddings", tokens, tokens, width));
  if (middle)
    f.sink.add(parameter("mid_position_embeddings", (z.layers - 1) * tokens * width, (z.layers - 1) * tokens * width,
                         Component::position));
  describe_layers(f, z, tokens);
  f.sink.add(layer_norm("layernorm", tokens, width));
  if (!detects) {
    f.sink.add(linear("pooler", 1, width, width, true, Component::head));
    return;
  }
  struct Head {
    std::string_view name;
    std::int64_t out;
  };
  for (const Head& head : {Head{"class_labels_classifier", labels}, Head{"bbox_predictor", 4}}) {
    const Scope scope(f.sink, head.name);
    for (int i = 0; i < 2; ++i) {
      f.sink.add(linear("layers", boxes, width, width, true, Component::head));
      f.sink.add(activation("act", boxes * width, Activation::relu));
    }
    f.sink.add(linear("layers", boxes, width, head.out, true, Component::head));
  }
}

void describe_vit_mae(Family& f) {
  const std::string_view type = f.config.text_or("model_type", "vit_mae"), named = f.architecture();
  const std::string_view head = type == "vit_mae"    ? "ForPreTraining"
                                : type == "videomae" ? "ForVideoClassification"
                                                     : "ForObjectDetection";
  if (!named.empty() && !named.ends_with(head) && !named.ends_with("Model"))
    f.config.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (type == "vit_mae") return describe_mae(f);
  if (type == "videomae") return describe_video(f);
  describe_detector(f);
}

}  // namespace

extern const FamilyDef k_vit_mae;
const FamilyDef k_vit_mae = {
    "vit_mae",
    "MAE, VideoMAE and YOLOS: a vision transformer over the patches that are left, over tubes of frames, or beside "
    "tokens that detect",
    "huggingface/transformers models/vit_mae, models/videomae, models/yolos; 2111.06377, 2203.12602, 2106.00666",
    kTypes,
    kArchitectures,
    build<describe_vit_mae>,
    "image"};

}  // namespace floptally::families
