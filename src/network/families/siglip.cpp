#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"siglip", "siglip_vision_model", "siglip_text_model", "siglip2",
                                       "siglip2_vision_model"};
constexpr std::string_view kArchitectures[] = {
    "SiglipModel",  "SiglipVisionModel",  "SiglipForImageClassification", "SiglipTextModel",
    "Siglip2Model", "Siglip2VisionModel", "Siglip2ForImageClassification"};

void describe_text(Family& f, const Keys& t) {
  EncoderLayerPart layer{.width = t.assume("hidden_size", 768),
                         .heads = t.assume("num_attention_heads", 12),
                         .ffn = t.assume("intermediate_size", 3072)};
  const std::int64_t layers = t.assume("num_hidden_layers", 12), vocabulary = t.assume("vocab_size", 32000),
                     positions = t.assume("max_position_embeddings", 64);
  const std::int64_t out = t.size_or("projection_size", layer.width);
  t.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  f.sequence(positions);
  if (!f.ok()) return;
  const Scope tower(f.sink, "text_model");
  f.sink.add(embedding("token_embedding", f.tokens, vocabulary, layer.width));
  f.sink.add(position_table("position_embedding", f.tokens, positions, layer.width));
  {
    const Scope scope(f.sink, "layers", layers, BlockKind::layer);
    describe_encoder_layer(layer, f.tokens, f.sink);
  }
  f.sink.add(layer_norm("final_layer_norm", f.tokens, layer.width));
  f.sink.add(linear("head", 1, layer.width, out, true, Component::head));
}

void describe_siglip(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "siglip");
  const bool second = type.starts_with("siglip2"), whole = type == "siglip" || type == "siglip2",
             classifies = f.architecture().ends_with("ForImageClassification");
  if (type.ends_with("text_model")) return describe_text(f, c);
  const Keys v = whole ? c.child("vision_config") : c;
  const VisionSizes z = second ? read_patches(v) : read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  const bool pooled = v.flag("vision_use_head", true);
  const std::int64_t labels = classifies ? label_count(c) : 0;
  if (!f.ok()) return;
  describe_siglip_tower(f.sink, z, pooled);
  if (classifies) return f.sink.add(linear("classifier", 1, z.width, labels, true, Component::head));
  if (!whole) return;
  describe_text(f, c.child("text_config"));
  f.sink.add(parameter("logit_scale_and_bias", 2, 2));
}

}  // namespace

extern const FamilyDef k_siglip;
const FamilyDef k_siglip = {
    "siglip",
    "SigLIP and SigLIP 2: an image tower with attention pooling and a text tower, compared by a sigmoid",
    "huggingface/transformers models/siglip/modeling_siglip.py, models/siglip2; 2303.15343, 2502.14786",
    kTypes,
    kArchitectures,
    build<describe_siglip>,
    "sample"};

}  // namespace floptally::families
