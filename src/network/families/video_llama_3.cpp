#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"video_llama_3"};
constexpr std::string_view kArchitectures[] = {"VideoLlama3ForConditionalGeneration", "VideoLlama3Model"};

void describe_video_llama_3(Family& f) {
  const Keys& c = f.config;
  if (!c.has("vision_config")) c.size("vision_config");
  const Keys v = c.child("vision_config"), t = c.child("text_config");
  constexpr std::int64_t kUsualImage = 448;
  VisionSizes z;
  z.width = v.assume("hidden_size", 768);
  z.layers = v.assume("num_hidden_layers", 12);
  z.heads = v.assume("num_attention_heads", 12);
  z.ffn = v.assume("intermediate_size", 3072);
  z.channels = v.assume("num_channels", 3);
  z.patch = v.assume("patch_size", 16);
  v.divides("num_attention_heads", z.heads, "hidden_size", z.width);
  v.understood({"hidden_act", "model_type"});
  const std::int64_t width = t.assume("hidden_size", 4096);
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t side = std::max<std::int64_t>(1, kUsualImage / z.patch), tokens = side * side;
    {
      const Scope tower(images, "vision_model");
      images.add(patch_embedding("patch_embedding", z.channels, z.width, z.patch * z.patch, tokens, true));
      {
        const Scope layers(images, "layers", z.layers, BlockKind::layer);
        describe_encoder_layer({.width = z.width, .heads = z.heads, .ffn = z.ffn, .rotary_dim = z.width / z.heads},
                               tokens, images);
      }
      images.add(layer_norm("post_layernorm", tokens, z.width));
    }
    const Scope projector(images, "projector");
    images.add(linear("readout.0", tokens, z.width, width, true));
    images.add(activation("act", tokens * width, Activation::gelu));
    images.add(linear("readout.2", tokens, width, width, true));
  }
  describe_nested(f, "text_config", "qwen2");
}

}  // namespace

extern const FamilyDef k_video_llama_3;
const FamilyDef k_video_llama_3 = {
    "video_llama_3",
    "VideoLLaMA 3: a SigLIP tower with rotary positions, two linear layers, a Qwen 2 language model",
    "huggingface/transformers models/video_llama_3/modeling_video_llama_3.py; 2501.13106",
    kTypes,
    kArchitectures,
    build<describe_video_llama_3>};

}  // namespace floptally::families
