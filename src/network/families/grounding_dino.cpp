#include "network/families/_encoder.h"
#include "network/families/_swin.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"grounding-dino", "mm-grounding-dino"};
constexpr std::string_view kArchitectures[] = {"GroundingDinoForObjectDetection", "GroundingDinoModel",
                                               "MMGroundingDinoForObjectDetection", "MMGroundingDinoModel"};

struct Detector {
  std::int64_t width = 256, queries = 900, encoders = 6, decoders = 6, ffn = 2048, inner = 2048, heads = 8, levels = 4;
  std::int64_t fused_heads = 4, fused = 1024, words = 256;
  DeformablePart over_maps, over_memory;
  BertSizes text;
  SwinBody swin;
  bool shares = true, learns = true;
  bool biased = false;  // MM Grounding DINO: a bias of all similarities
};

BertSizes read_text(const Keys& t) {
  const BertSizes s = read_bert_tower(t, 30522, 512, 2);
  t.understood({"hidden_act", "position_embedding_type", "use_cache", "classifier_dropout"});
  return s;
}

Detector read_detector(const Family& f) {
  const Keys& c = f.config;
  Detector d;
  d.width = c.size("d_model");
  d.queries = c.size("num_queries");
  d.encoders = c.assume("encoder_layers", 6);
  d.decoders = c.assume("decoder_layers", 6);
  d.ffn = c.assume("encoder_ffn_dim", 2048);
  d.inner = c.assume("decoder_ffn_dim", 2048);
  d.heads = c.assume("decoder_attention_heads", 8);
  d.levels = c.assume("num_feature_levels", 4);
  const std::int64_t read = c.assume("encoder_attention_heads", 8);
  d.fused_heads = std::max<std::int64_t>(1, read / 2);
  d.fused = std::max<std::int64_t>(1, d.ffn / 2);
  d.over_maps = {d.width, read, d.levels, c.assume("encoder_n_points", 4)};
  d.over_memory = {d.width, d.heads, d.levels, c.assume("decoder_n_points", 4)};
  d.words = f.inputs.sequence > 0 ? f.inputs.sequence : c.assume("max_text_len", 256);
  d.biased = c.text_or("model_type", "grounding-dino") == "mm-grounding-dino";
  d.shares = c.flag("decoder_bbox_embed_share", true);
  d.learns = c.flag("embedding_init_target", true);
  d.text = read_text(c.child("text_config"));
  const Keys backbone = c.child("backbone_config");
  if (backbone.text_or("model_type", "swin") == "swin")
    d.swin = read_swin(backbone);
  else
    c.problem("unknown-variant", "backbone_config", "only Swin is known as a backbone here");
  c.divides("decoder_attention_heads", d.heads, "d_model", d.width);
  c.divides("encoder_attention_heads", read, "d_model", d.width);
  for (const std::string_view key : {"two_stage", "text_enhancer_dropout", "fusion_dropout"}) c.understood({key});
  if (!c.flag("two_stage", true) || c.text_or("position_embedding_type", "sine") != "sine" ||
      c.flag("two_stage_bbox_embed_share", false))
    c.problem("unknown-variant", "two_stage",
              "only two stages with heads of their own and positions of sines are known");
  if (c.size_or("query_dim", 4) != 4) c.problem("unknown-variant", "query_dim", "only boxes of 4 numbers are known");
  if (d.levels < 3 || d.levels > 16)
    c.problem("out-of-range", "num_feature_levels", "'num_feature_levels' must be 3 to 16");
  c.understood({"activation_function", "auxiliary_loss", "query_dim", "fusion_droppath",
                "positional_embedding_temperature", "use_pretrained_backbone", "use_timm_backbone", "backbone",
                "backbone_kwargs", "init_std", "max_text_len", "disable_custom_kernels", "num_hidden_layers"});
  return d;
}

// Image and text attend to each other by one product of similarities.
void describe_fusion(Family& f, const Detector& d, std::int64_t memory) {
  const Scope scope(f.sink, "fusion_layer");
  const std::int64_t width = d.width, fused = d.fused, head_dim = fused / d.fused_heads;
  f.sink.add(layer_norm("layer_norm_vision", memory, width));
  f.sink.add(layer_norm("layer_norm_text", d.words, width));
  const auto project = [&](std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t out) {
    f.sink.add(linear(name, rows, in, out, true, Component::projection));
  };
  project("vision_proj", memory, width, fused);
  project("text_proj", d.words, width, fused);
  project("values_vision_proj", memory, width, fused);
  project("values_text_proj", d.words, width, fused);
  f.sink.add(matmul("similarity", d.fused_heads, memory, head_dim, d.words));
  f.sink.add(softmax("softmax", d.fused_heads * memory, d.words));
  f.sink.add(softmax("softmax", d.fused_heads * d.words, memory));
  f.sink.add(matmul("vision_reads", d.fused_heads, memory, d.words, head_dim));
  f.sink.add(matmul("text_reads", d.fused_heads, d.words, memory, head_dim));
  project("out_vision_proj", memory, fused, width);
  project("out_text_proj", d.words, fused, width);
  f.sink.add(learned_scale("vision_param", width, memory * width));
  f.sink.add(learned_scale("text_param", width, d.words * width));
  f.sink.add(residual((memory + d.words) * width));
}

void describe_encoder(Family& f, const Detector& d, std::int64_t memory) {
  const Scope encoder(f.sink, "encoder");
  const Scope layers(f.sink, "layers", d.encoders, BlockKind::layer);
  const auto feed = [&](std::int64_t rows, std::int64_t inner) {
    describe_mlp(mlp_of(d.width, inner, Activation::relu, false, true), rows, f.sink);
    describe_added(f.sink, "final_layer_norm", rows, d.width);
  };
  describe_fusion(f, d, memory);
  describe_reading(f.sink, "text_enhancer_layer", d.width, d.fused_heads, d.words, d.words);
  describe_added(f.sink, "layer_norm_before", d.words, d.width);
  feed(d.words, d.fused);
  describe_deformable(d.over_maps, memory, memory, f.sink);
  describe_added(f.sink, "self_attn_layer_norm", memory, d.width);
  feed(memory, d.ffn);
}

// Every place of the image proposes a box; how much it is like a word is a product with the text.
void describe_proposals(Family& f, const Detector& d, std::int64_t memory) {
  const Scope scope(f.sink, "proposals");
  f.sink.add(linear("enc_output", memory, d.width, d.width, true));
  f.sink.add(layer_norm("enc_output_norm", memory, d.width));
  f.sink.add(matmul("encoder_output_class_embed", 1, memory, d.width, d.words, 2, Component::head));
  f.sink.add(matmul("encoder_logits", 1, d.queries, d.width, d.words, 2, Component::head));  // of those chosen
  if (d.biased) f.sink.add(parameter("encoder_output_class_embed.bias", 1, memory * d.words));
  describe_stack(f.sink, "encoder_output_bbox_embed", memory, d.width, d.width, 4, 3);
}

void describe_boxes(Sink& sink, const Detector& d) {
  describe_stack(sink, "bbox_embed", d.queries, d.width, d.width, 4, 3);
}

void describe_queries(Family& f, const Detector& d, std::int64_t memory, bool detects) {
  const std::int64_t rows = d.queries, width = d.width;
  const Scope decoder(f.sink, "decoder");
  RepeatedSink each(f.sink, d.decoders);
  describe_stack(each, "reference_points_head", rows, 2 * width, width, width, 2);
  if (d.shares && detects) {  // to refine the boxes, and to say them
    RepeatedSink twice(f.sink, d.decoders * 2);
    describe_boxes(twice, d);
  }
  {
    const Scope layers(f.sink, "layers", d.decoders, BlockKind::layer);
    describe_reading(f.sink, "self_attn", width, d.heads, rows, rows);
    describe_added(f.sink, "self_attn_layer_norm", rows, width);
    describe_reading(f.sink, "encoder_attn_text", width, d.heads, rows, d.words);
    describe_added(f.sink, "encoder_attn_text_layer_norm", rows, width);
    describe_deformable(d.over_memory, rows, memory, f.sink);
    describe_added(f.sink, "encoder_attn_layer_norm", rows, width);
    describe_mlp(mlp_of(width, d.inner, Activation::relu, false, true), rows, f.sink);
    describe_added(f.sink, "final_layer_norm", rows, width);
    if (!d.shares && detects) {
      RepeatedSink twice(f.sink, 2);
      describe_boxes(twice, d);
    }
    if (detects) f.sink.add(matmul("class_embed", 1, rows, width, d.words, 2, Component::head));
  }
  each.add(layer_norm("layer_norm", rows, width));
  if (d.biased && detects) f.sink.add(parameter("class_embed.bias", 1, rows * d.words));
}

void describe_text(Family& f, const Detector& d) {
  Family text{f.config, f.inputs, f.sink, d.words};
  const Scope scope(f.sink, "text_backbone");
  describe_bert_embeddings(text, d.text, d.text.layer.width);
  {
    const Scope layers(f.sink, "layer", d.text.layers, BlockKind::layer);
    describe_encoder_layer(d.text.layer, d.words, f.sink);
  }
  f.sink.add(linear("text_projection", d.words, d.text.layer.width, d.width, true));
}

void describe_grounding_dino(Family& f) {
  const Keys& c = f.config;
  const Detector d = read_detector(f);
  const std::string_view named = f.architecture();
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForObjectDetection"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (f.ok() && d.swin.depths.size() < 3)
    c.problem("shape-range", "backbone_config", "the backbone must have three stages or more");
  const Map image = detector_image(f, {3, 800, 1066});
  if (!f.ok()) return;
  std::vector<Map> maps;
  {
    const Scope backbone(f.sink, "backbone");
    maps = describe_swin_body(f, d.swin, image.height, image.width);
    maps.erase(maps.begin(), maps.end() - 3);
    for (const Map& map : maps) f.sink.add(layer_norm("hidden_states_norms", map.positions(), map.channels));
  }
  describe_text(f, d);
  const std::int64_t memory = describe_projected_maps(f.sink, "input_proj_vision", maps, d.levels, d.width);
  f.sink.add(parameter("level_embed", d.levels * d.width, memory * d.width, Component::position));
  if (d.learns)
    f.sink.add(parameter("query_position_embeddings", d.queries * d.width, d.queries * d.width, Component::embed));
  describe_encoder(f, d, memory);
  describe_proposals(f, d, memory);
  describe_queries(f, d, memory, !plain);
}

}  // namespace

extern const FamilyDef k_grounding_dino;
const FamilyDef k_grounding_dino = {
    "grounding_dino",
    "Grounding DINO, MM Grounding DINO: Swin and BERT that read each other, deformable layers, boxes for what the "
    "words name",
    "huggingface/transformers models/grounding_dino/modeling_grounding_dino.py; 2303.05499",
    kTypes,
    kArchitectures,
    build<describe_grounding_dino>,
    "image"};

}  // namespace floptally::families
