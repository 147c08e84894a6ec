#include "network/families/_detection.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"detr", "table-transformer", "conditional_detr"};
constexpr std::string_view kArchitectures[] = {"DetrForObjectDetection",
                                               "DetrModel",
                                               "TableTransformerForObjectDetection",
                                               "TableTransformerModel",
                                               "ConditionalDetrForObjectDetection",
                                               "ConditionalDetrModel"};

struct Detector {
  std::int64_t width = 256, queries = 100, encoders = 6, decoders = 6;
  EncoderLayerPart encoder, decoder;
  bool before = false;  // norms before the sublayers (Table Transformer)
  bool conditional = false;
};

EncoderLayerPart read_side(const Keys& c, const std::string& side, const Detector& d, Activation kind) {
  EncoderLayerPart part{.width = d.width,
                        .heads = c.assume(side + "_attention_heads", 8),
                        .ffn = c.assume(side + "_ffn_dim", 2048),
                        .post_norm = !d.before,
                        .activation = kind};
  c.divides(side + "_attention_heads", part.heads, "d_model", d.width);
  return part;
}

// Conditional DETR (2108.06152): content and place are projected apart, and compared apart in the cross-attention.
void describe_conditional_layer(Family& f, const Detector& d, std::int64_t memory, bool first) {
  const std::int64_t rows = d.queries, width = d.width, head_dim = width / d.decoder.heads;
  const auto project = [&](std::string_view name, std::int64_t tokens) {
    f.sink.add(linear(name, tokens, width, width, true, Component::projection).with(op_flags::shared_input));
  };
  const auto normed = [&](std::string_view name) {
    f.sink.add(residual(rows * width));
    f.sink.add(layer_norm(name, rows, width));
  };
  const auto attend = [&](std::int64_t keys, std::int64_t key_dim) {
    AttentionShape shape;
    shape.queries = rows;
    shape.keys = keys;
    shape.heads = shape.kv_heads = d.decoder.heads;
    shape.key_dim = key_dim;
    shape.value_dim = head_dim;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("attention", shape));
    f.sink.add(linear("out_proj", rows, width, width, true, Component::projection));
  };
  {
    const Scope self(f.sink, "self_attn");
    for (const std::string_view name : {"qcontent_proj", "qpos_proj", "kcontent_proj", "kpos_proj", "v_proj"})
      project(name, rows);
    attend(rows, head_dim);
  }
  normed("self_attn_layer_norm");
  {
    const Scope cross(f.sink, "encoder_attn");
    project("qcontent_proj", rows);
    if (first) project("qpos_proj", rows);
    project("qpos_sine_proj", rows);
    for (const std::string_view name : {"kcontent_proj", "kpos_proj", "v_proj"}) project(name, memory);
    attend(memory, 2 * head_dim);
  }
  normed("encoder_attn_layer_norm");
  describe_mlp(mlp_of(width, d.decoder.ffn, d.decoder.activation, false, true), rows, f.sink);
  normed("final_layer_norm");
}

void describe_detections(Family& f, const Detector& d, std::int64_t memory) {
  const std::int64_t rows = d.queries, width = d.width;
  const Scope scope(f.sink, "decoder");
  f.sink.add(parameter("query_position_embeddings", rows * width, rows * width, Component::embed));
  if (!d.conditional) {
    const Scope layers(f.sink, "layers", d.decoders, BlockKind::layer);
    EncoderLayerPart part = d.decoder;
    describe_decoder_layer(part, rows, memory, width, f.sink);
  } else {
    for (const bool first : {true, false}) {
      const std::int64_t copies = first ? 1 : d.decoders - 1;
      if (copies == 0) continue;
      const Scope layers(f.sink, "layers", copies, BlockKind::layer);
      describe_conditional_layer(f, d, memory, first);
    }
    RepeatedSink again(f.sink, d.decoders - 1);
    describe_stack(again, "query_scale", rows, width, width, width, 2);
    describe_stack(f.sink, "ref_point_head", rows, width, width, 2, 2);
  }
  f.sink.add(layer_norm("layernorm", rows, width));
}

void describe_detr(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "detr"), named = f.architecture();
  Detector d;
  d.before = type == "table-transformer";
  d.conditional = type == "conditional_detr";
  d.width = c.size("d_model");
  d.queries = c.size("num_queries");
  d.encoders = c.assume("encoder_layers", 6);
  d.decoders = c.assume("decoder_layers", 6);
  const Activation kind = read_activation(f, Activation::relu, "activation_function");
  d.encoder = read_side(c, "encoder", d, kind);
  d.decoder = read_side(c, "decoder", d, kind);
  ResNetBody body = read_backbone(f);
  body.held = c.flag("use_timm_backbone", true);
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForObjectDetection"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::string_view places = c.text_or("position_embedding_type", "sine");
  if (places != "sine" && places != "sine_embed")
    c.problem("unknown-variant", "position_embedding_type", "only positions made of sines are known here");
  const std::int64_t labels = plain ? 0 : label_count(c) + (d.conditional ? 0 : 1);
  c.understood({"num_channels", "auxiliary_loss", "encoder_layerdrop", "decoder_layerdrop", "num_hidden_layers",
                "scale_embedding", "max_position_embeddings", "classifier_dropout", "init_xavier_std", "init_std"});
  const Map image = detector_image(f, {body.channels, 800, 1066});
  if (!f.ok()) return;
  const Map last = describe_resnet_body(f.sink, body, image).back();
  const std::int64_t memory = last.positions(), width = d.width;
  f.sink.add(convolution("input_projection", last.channels, width, 1, 1, memory, memory, true));
  {
    const Scope encoder(f.sink, "encoder");
    {
      const Scope layers(f.sink, "layers", d.encoders, BlockKind::layer);
      f.sink.add(elementwise("with_pos_embed", memory * width));
      describe_encoder_layer(d.encoder, memory, f.sink);
    }
    if (d.before) f.sink.add(layer_norm("layernorm", memory, width));
  }
  describe_detections(f, d, memory);
  if (plain) return;
  f.sink.add(linear("class_labels_classifier", d.queries, width, labels, true, Component::head));
  describe_stack(f.sink, "bbox_predictor", d.queries, width, width, 4, 3);
}

}  // namespace

extern const FamilyDef k_detr;
const FamilyDef k_detr = {
    "detr",
    "DETR, Table Transformer, Conditional DETR: a ResNet, an encoder over its last map, learned queries that find "
    "objects",
    "huggingface/transformers models/detr/modeling_detr.py, models/table_transformer, models/conditional_detr; "
    "2005.12872",
    kTypes,
    kArchitectures,
    build<describe_detr>,
    "image"};

}  // namespace floptally::families
