#include "network/families/_detection.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deformable_detr"};
constexpr std::string_view kArchitectures[] = {"DeformableDetrForObjectDetection", "DeformableDetrModel"};

struct Detector {
  std::int64_t width = 256, queries = 300, encoders = 6, decoders = 6, heads = 8, ffn = 1024, inner = 1024;
  DeformablePart over_maps, over_memory;
  Activation kind = Activation::relu;
  bool refines = false, two_stage = false;
};

Detector read_detector(const Family& f) {
  const Keys& c = f.config;
  Detector d;
  d.width = c.size("d_model");
  d.queries = c.size("num_queries");
  d.encoders = c.assume("encoder_layers", 6);
  d.decoders = c.assume("decoder_layers", 6);
  d.heads = c.assume("decoder_attention_heads", 8);
  d.ffn = c.assume("encoder_ffn_dim", 1024);
  d.inner = c.assume("decoder_ffn_dim", 1024);
  d.kind = read_activation(f, Activation::relu, "activation_function");
  d.refines = c.flag("with_box_refine", false);
  d.two_stage = c.flag("two_stage", false);
  const std::int64_t levels = c.assume("num_feature_levels", 4), read = c.assume("encoder_attention_heads", 8);
  d.over_maps = {d.width, read, levels, c.assume("encoder_n_points", 4)};
  d.over_memory = {d.width, d.heads, levels, c.assume("decoder_n_points", 4)};
  c.divides("decoder_attention_heads", d.heads, "d_model", d.width);
  c.divides("encoder_attention_heads", read, "d_model", d.width);
  if (levels < 2 || levels > 16)
    c.problem("out-of-range", "num_feature_levels", "'num_feature_levels' must be 2 to 16");
  c.understood({"num_channels", "auxiliary_loss", "encoder_layerdrop", "decoder_layerdrop", "num_hidden_layers",
                "return_intermediate", "two_stage_num_proposals", "disable_custom_kernels", "max_position_embeddings",
                "init_xavier_std", "init_std"});
  return d;
}

void describe_encoder(Family& f, const Detector& d, std::int64_t memory) {
  const Scope encoder(f.sink, "encoder");
  const Scope layers(f.sink, "layers", d.encoders, BlockKind::layer);
  f.sink.add(elementwise("with_pos_embed", memory * d.width));
  describe_deformable(d.over_maps, memory, memory, f.sink);
  describe_added(f.sink, "layer_norm", memory, d.width);
  describe_mlp(mlp_of(d.width, d.ffn, d.kind, false, true), memory, f.sink);
  describe_added(f.sink, "layer_norm", memory, d.width);
}

void describe_queries(Family& f, const Detector& d, std::int64_t memory) {
  const std::int64_t rows = d.queries, width = d.width;
  const Scope decoder(f.sink, "decoder");
  if (!d.two_stage) {
    f.sink.add(parameter("query_position_embeddings", 2 * rows * width, 2 * rows * width, Component::embed));
    f.sink.add(linear("reference_points", rows, width, 2, true));
  }
  const Scope layers(f.sink, "layers", d.decoders, BlockKind::layer);
  describe_reading(f.sink, "self_attn", width, d.heads, rows, rows);
  describe_added(f.sink, "layer_norm", rows, width);
  describe_deformable(d.over_memory, rows, memory, f.sink);
  describe_added(f.sink, "layer_norm", rows, width);
  describe_mlp(mlp_of(width, d.inner, d.kind, false, true), rows, f.sink);
  describe_added(f.sink, "layer_norm", rows, width);
}

// Each decoder layer's findings go through a head; one for all, or (boxes refined) one each. Two stages: a further one
// finds the queries among all places.
void describe_heads(Family& f, const Detector& d, std::int64_t labels, std::int64_t memory) {
  const auto heads = [&](Sink& sink, std::int64_t rows) {
    sink.add(linear("class_embed", rows, d.width, labels, true, Component::head));
    describe_stack(sink, "bbox_embed", rows, d.width, d.width, 4, 3);
  };
  if (d.refines) {
    const Scope each(f.sink, "heads", d.decoders);
    heads(f.sink, d.queries);
  } else {
    RepeatedSink again(f.sink, d.decoders);
    heads(again, d.queries);
  }
  if (d.two_stage) heads(f.sink, memory);
}

void describe_deformable_detr(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Detector d = read_detector(f);
  ResNetBody body = read_backbone(f);
  body.held = c.flag("use_timm_backbone", true);
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForObjectDetection"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (d.two_stage && !d.refines)
    c.problem("unknown-variant", "two_stage", "two stages without 'with_box_refine' are not known");
  if (c.text_or("position_embedding_type", "sine") != "sine")
    c.problem("unknown-variant", "position_embedding_type", "only positions made of sines are known here");
  const std::int64_t labels = plain ? 0 : label_count(c);
  const Map image = detector_image(f, {body.channels, 800, 1066});
  if (!f.ok()) return;
  const std::int64_t memory = describe_projected_maps(f.sink, "input_proj", describe_resnet_body(f.sink, body, image),
                                                      d.over_maps.levels, d.width);
  f.sink.add(parameter("level_embed", d.over_maps.levels * d.width, memory * d.width, Component::position));
  describe_encoder(f, d, memory);
  if (d.two_stage) {
    const Scope proposals(f.sink, "proposals");
    f.sink.add(linear("enc_output", memory, d.width, d.width, true));
    f.sink.add(layer_norm("enc_output_norm", memory, d.width));
    f.sink.add(linear("pos_trans", d.queries, 2 * d.width, 2 * d.width, true));
    f.sink.add(layer_norm("pos_trans_norm", d.queries, 2 * d.width));
  }
  describe_queries(f, d, memory);
  if (!plain) describe_heads(f, d, labels, memory);
}

}  // namespace

extern const FamilyDef k_deformable_detr;
const FamilyDef k_deformable_detr = {
    "deformable_detr",
    "Deformable DETR: attention that samples a few places of four maps",
    "huggingface/transformers models/deformable_detr/modeling_deformable_detr.py; 2010.04159",
    kTypes,
    kArchitectures,
    build<describe_deformable_detr>,
    "image"};

}  // namespace floptally::families
