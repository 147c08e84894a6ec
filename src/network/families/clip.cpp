#include "network/families/_encoder.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"clip",         "clip_vision_model",        "clip_text_model",
                                       "metaclip_2",   "metaclip_2_vision_model",  "metaclip_2_text_model",
                                       "chinese_clip", "chinese_clip_vision_model"};
constexpr std::string_view kArchitectures[] = {"CLIPModel",
                                               "CLIPVisionModel",
                                               "CLIPTextModel",
                                               "CLIPVisionModelWithProjection",
                                               "CLIPTextModelWithProjection",
                                               "MetaClip2Model",
                                               "ChineseCLIPModel"};

std::int64_t describe_own_text(Family& f, const Keys& c) {
  const TextTower t = read_clip_text(c);
  f.sequence(t.positions);
  if (f.ok()) describe_clip_text(f.sink, t, f.tokens);
  return t.layer.width;
}

// Chinese CLIP reads with BERT, without its pooler.
std::int64_t describe_bert_text(Family& f, const Keys& c) {
  BertSizes s;
  s.layer = {.width = c.assume("hidden_size", 768),
             .heads = c.assume("num_attention_heads", 12),
             .ffn = c.assume("intermediate_size", 3072),
             .post_norm = true};
  s.layers = c.assume("num_hidden_layers", 12);
  s.vocabulary = c.assume("vocab_size", 30522);
  s.positions = c.assume("max_position_embeddings", 512);
  s.segments = c.assume("type_vocab_size", 2);
  c.divides("num_attention_heads", s.layer.heads, "hidden_size", s.layer.width);
  f.sequence(s.positions);
  if (!f.ok()) return 1;
  const Scope tower(f.sink, "text_model");
  describe_bert_embeddings(f, s, s.layer.width);
  const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
  describe_encoder_layer(s.layer, f.tokens, f.sink);
  return s.layer.width;
}

void describe_clip(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", ""), named = f.architecture();
  const bool bert = type == "chinese_clip" || named.starts_with("ChineseCLIP");
  for (const std::string_view unknown : {"ForImageSegmentation", "ForZeroShot"})
    if (named.find(unknown) != std::string_view::npos)
      c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const bool whole = c.has("vision_config") || c.has("text_config") || type == "clip" || type == "chinese_clip" ||
                     type == "metaclip_2";
  const bool vision_only = type.find("vision") != std::string_view::npos;
  const Keys v = whole ? c.child("vision_config") : c, t = whole ? c.child("text_config") : c;
  const bool projected = whole || f.architecture().ends_with("WithProjection");
  c.understood({"logit_scale_init_value", "text_config_dict", "vision_config_dict"});
  const std::int64_t shared = whole ? c.assume("projection_dim", 512) : c.size_or("projection_dim", 512);
  if (f.architecture().ends_with("ForImageClassification")) {
    const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 32});
    const std::int64_t labels = label_count(c);
    if (!f.ok()) return;
    describe_clip_tower(f.sink, z, Activation::gelu);
    return f.sink.add(linear("classifier", 1, z.width, labels, true, Component::head));
  }
  if (whole || vision_only) {
    const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 32});
    if (!f.ok()) return;
    describe_clip_tower(f.sink, z, Activation::gelu);
    if (projected) f.sink.add(linear("visual_projection", 1, z.width, shared, false, Component::head));
  }
  if (!vision_only) {
    const std::int64_t width = bert ? describe_bert_text(f, t) : describe_own_text(f, t);
    if (projected) f.sink.add(linear("text_projection", 1, width, shared, false, Component::head));
  }
  if (whole) f.sink.add(parameter("logit_scale", 1, 1));
}

}  // namespace

extern const FamilyDef k_clip;
const FamilyDef k_clip = {
    "clip",
    "CLIP, MetaCLIP 2, Chinese CLIP: an image tower and a text tower projected to one space",
    "huggingface/transformers models/clip/modeling_clip.py, models/metaclip_2, models/chinese_clip; 2103.00020",
    kTypes,
    kArchitectures,
    build<describe_clip>,
    "sample"};

}  // namespace floptally::families
