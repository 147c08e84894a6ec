#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"idefics2"};
constexpr std::string_view kArchitectures[] = {"Idefics2ForConditionalGeneration"};

// Latents that attend to the image beside themselves (Perceiver).
void describe_resampler(Sink& sink, const Keys& p, std::int64_t context, std::int64_t width) {
  const std::int64_t latents = p.assume("resampler_n_latents", 64), depth = p.assume("resampler_depth", 3),
                     heads = p.assume("resampler_n_heads", 16), head_dim = p.assume("resampler_head_dim", 96),
                     kv_heads = p.assume("num_key_value_heads", 4), keys = context + latents;
  const Scope scope(sink, "perceiver_resampler");
  sink.add(parameter("latents", latents * width, latents * width, Component::embed));
  {
    const Scope layers(sink, "layers", depth, BlockKind::layer);
    sink.add(rms_norm("input_latents_norm", latents, width));
    sink.add(rms_norm("input_context_norm", context, width));
    CrossAttentionPart a;
    a.name = "self_attn";
    a.width = a.memory_width = width;
    a.heads = heads;
    a.kv_heads = kv_heads;
    a.head_dim = head_dim;
    describe_cross_attention(a, latents, keys, sink);
    sink.add(residual(latents * width));
    sink.add(rms_norm("post_attention_layernorm", latents, width));
    describe_mlp(mlp_of(width, 4 * width), latents, sink);
    sink.add(residual(latents * width));
  }
  sink.add(rms_norm("norm", latents, width));
}

void describe_idefics2(Family& f) {
  const Keys& c = f.config;
  const VisionSizes z = read_vision(c.child("vision_config"), {768, 12, 12, 3072, 3, 224, 32});
  const Keys t = c.child("text_config"), p = c.child("perceiver_config");
  const std::int64_t width = t.assume("hidden_size", 4096), inner = t.assume("intermediate_size", 14336);
  p.understood({"hidden_act", "hidden_size", "rms_norm_eps", "attention_dropout", "model_type"});
  if (p.size_or("hidden_size", width) != width)
    c.problem("unknown-variant", "perceiver_config", "latents of another width than the text model's are not known");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, false);
    const Scope connector(images, "connector");
    {
      const Scope projection(images, "modality_projection");
      images.add(linear("gate_proj", z.patches(), z.width, inner));
      images.add(linear("up_proj", z.patches(), z.width, inner));
      images.add(gated_activation("act", z.patches() * inner, Activation::silu));
      images.add(linear("down_proj", z.patches(), inner, width));
    }
    describe_resampler(images, p, z.patches(), width);
  }
  describe_nested(f, "text_config", "mistral");
}

}  // namespace

extern const FamilyDef k_idefics2;
const FamilyDef k_idefics2 = {
    "idefics2",
    "Idefics 2: a SigLIP tower, a gated projection, latents that read the image, a language model",
    "huggingface/transformers models/idefics2/modeling_idefics2.py; 2405.02246",
    kTypes,
    kArchitectures,
    build<describe_idefics2>};

}  // namespace floptally::families
