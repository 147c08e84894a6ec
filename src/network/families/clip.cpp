#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"clip", "clip_vision_model", "clip_text_model"};
constexpr std::string_view kArchitectures[] = {"CLIPModel", "CLIPVisionModel", "CLIPTextModel",
                                               "CLIPVisionModelWithProjection", "CLIPTextModelWithProjection"};

void describe_clip(Family& f) {
  const Keys& c = f.config;
  const bool whole = c.has("vision_config") || c.has("text_config") || c.text_or("model_type", "") == "clip";
  const bool vision_only = c.text_or("model_type", "").find("vision") != std::string_view::npos;
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
    EncoderLayerPart layer{.width = t.assume("hidden_size", 512),
                           .heads = t.assume("num_attention_heads", 8),
                           .ffn = t.assume("intermediate_size", 2048)};
    const std::int64_t layers = t.assume("num_hidden_layers", 12), vocabulary = t.assume("vocab_size", 49408),
                       positions = t.assume("max_position_embeddings", 77);
    layer.mask = AttentionMask::causal;
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
    if (projected) f.sink.add(linear("text_projection", 1, layer.width, shared, false, Component::head));
  }
  if (whole) f.sink.add(parameter("logit_scale", 1, 1));
}

}  // namespace

extern const FamilyDef k_clip;
const FamilyDef k_clip = {"clip",
                          "CLIP: an image tower and a causal text tower projected to one space",
                          "huggingface/transformers models/clip/modeling_clip.py; 2103.00020",
                          kTypes,
                          kArchitectures,
                          build<describe_clip>,
                          "sample"};

}  // namespace floptally::families
