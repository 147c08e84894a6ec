#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"paddleocr_vl"};
constexpr std::string_view kArchitectures[] = {"PaddleOCRVLForConditionalGeneration"};

// SigLIP's tower at any size, two by two patches joined before the decoder.
void describe_tower(Sink& sink, const VisionSizes& z, std::int64_t side, std::int64_t width) {
  const std::int64_t tokens = side * side, merged = tokens / 4, wide = 4 * z.width;
  {
    const Scope tower(sink, "visual");
    sink.add(patch_embedding("patch_embedding", z.channels, z.width, z.patch * z.patch, tokens, true));
    sink.add(position_table("position_embedding", tokens, z.patches(), z.width));
    {
      const Scope layers(sink, "layers", z.layers, BlockKind::layer);
      describe_encoder_layer({.width = z.width, .heads = z.heads, .ffn = z.ffn, .rotary_dim = z.width / z.heads},
                             tokens, sink);
    }
    sink.add(layer_norm("post_layernorm", tokens, z.width));
  }
  const Scope projector(sink, "projector");
  sink.add(layer_norm("pre_norm", tokens, z.width));
  sink.add(linear("linear_1", merged, wide, wide, true));
  sink.add(activation("act", merged * wide, Activation::gelu));
  sink.add(linear("linear_2", merged, wide, width, true));
}

// What the first code keeps beside the tower and does not run: positions of packed images, a pooling head.
void describe_unused(Sink& sink, const VisionSizes& z) {
  constexpr std::int64_t kPacked = 32768;
  RepeatedSink idle(sink, 0);
  const Scope scope(idle, "unused");
  idle.add(embedding("packing_position_embedding", 0, kPacked, z.width));
  idle.add(parameter("probe", z.width, 0));
  for (const std::string_view name : {"q_proj", "k_proj", "v_proj", "out_proj"})
    idle.add(linear(name, 1, z.width, z.width, true));
  idle.add(layer_norm("layernorm", 1, z.width));
  describe_mlp(mlp_of(z.width, z.ffn, Activation::gelu, false, true), 1, idle);
}

void describe_paddleocr_vl(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config");
  const bool nested_text = c.has("text_config");
  const VisionSizes z = read_vision(v, {1152, 27, 16, 4304, 3, 384, 14});
  const std::int64_t width = nested_text ? c.child("text_config").size("hidden_size") : c.size("hidden_size");
  v.understood({"spatial_merge_size", "temporal_patch_size", "tokens_per_second", "layer_norm_eps"});
  if (v.size_or("spatial_merge_size", 2) != 2)
    v.problem("unknown-variant", "spatial_merge_size", "only two by two patches joined are known");
  c.understood({"use_3d_rope", "rope_is_neox_style", "compression_ratio", "weight_share_add_bias", "text_config",
                "image_token_id", "video_token_id", "vision_start_token_id", "max_sequence_length"});
  constexpr std::int64_t kUsual = 448;  // pixels a side
  if (!f.ok()) return;
  const std::int64_t side = std::max<std::int64_t>(2, kUsual / z.patch / 2 * 2);
  RepeatedSink images(f.sink, images_per_sample(f));
  describe_tower(images, z, side, width);
  if (nested_text) return describe_nested(f, "text_config", "ernie4_5");
  describe_unused(f.sink, z);
  find_family("ernie4_5", {})->build(c.config(), f.inputs, f.sink);
}

}  // namespace

extern const FamilyDef k_paddleocr_vl;
const FamilyDef k_paddleocr_vl = {
    "paddleocr_vl",
    "PaddleOCR-VL: a SigLIP tower at any size, two by two patches joined, ERNIE 4.5",
    "huggingface/transformers models/paddleocr_vl; PaddlePaddle/PaddleOCR-VL modeling_paddleocr_vl.py; 2510.14528",
    kTypes,
    kArchitectures,
    build<describe_paddleocr_vl>};

}  // namespace floptally::families
