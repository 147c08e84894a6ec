#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"molmo"};
constexpr std::string_view kArchitectures[] = {"MolmoForCausalLM"};

// The tower that the code fixes: CLIP ViT-L/14 at 336 pixels, all layers but the last.
void describe_tower(Family& f, std::int64_t inner, std::int64_t width) {
  constexpr std::int64_t kWidth = 1024, kHeads = 16, kLayers = 23, kPatch = 14, kSide = 24, kSeen = 2, kPooled = 2;
  constexpr std::int64_t kPatches = kSide * kSide, kTokens = kPatches + 1;
  constexpr std::int64_t kRows = (kSide / kPooled) * (kSide / kPooled);
  RepeatedSink images(f.sink, images_per_sample(f));
  const Scope backbone(images, "vision_backbone");
  {
    const Scope tower(images, "image_vit");
    images.add(patch_embedding("patch_embedding", 3, kWidth, kPatch * kPatch, kPatches, false));
    images.add(parameter("class_embedding", kWidth, kWidth, Component::embed));
    images.add(position_table("positional_embedding", kTokens, kTokens, kWidth));
    images.add(layer_norm("pre_ln", kTokens, kWidth));
    const Scope layers(images, "resblocks", kLayers, BlockKind::layer);
    describe_encoder_layer({.width = kWidth, .heads = kHeads, .ffn = 4 * kWidth}, kTokens, images);
  }
  images.add(parameter("pad_embed", 2 * kSeen * kWidth, kPatches * kSeen * kWidth, Component::embed));
  {
    const Scope pooling(images, "image_pooling_2d");
    const Component part = Component::projection;
    images.add(linear("wq", kRows, kSeen * kWidth, kWidth, true, part));
    images.add(linear("wk", kPatches, kSeen * kWidth, kWidth, true, part));
    images.add(linear("wv", kPatches, kSeen * kWidth, kWidth, true, part));
    AttentionShape shape;
    shape.queries = 1;
    shape.keys = kPooled * kPooled;
    shape.heads = shape.kv_heads = kHeads;
    shape.key_dim = shape.value_dim = kWidth / kHeads;
    shape.mask = AttentionMask::none;
    images.add(attention("attention", shape).repeated(kRows * std::max<std::int64_t>(0, f.inputs.images)));
    images.add(linear("wo", kRows, kWidth, kWidth, true, part));
  }
  const Scope projector(images, "image_projector");
  images.add(linear("w1", kRows, kWidth, inner));
  images.add(linear("w3", kRows, kWidth, inner));
  images.add(gated_activation("act", kRows * inner, Activation::silu));
  images.add(linear("w2", kRows, inner, width));
}

void describe_molmo(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  const std::int64_t rows = c.size_or("embedding_size", s.vocabulary), both = c.size("intermediate_size");
  if (both % 2 != 0)
    c.problem("shape-divide", "intermediate_size", "'intermediate_size' holds gate and up: it must be even");
  AttentionPart attention = attention_of(s);
  set_bias(attention, c.flag("qkv_bias", false), false);
  if (c.flag("attention_layer_norm", false)) attention.qk_norm = QkNorm::whole;
  const Residuals norms = c.flag("norm_after", false) ? Residuals::post_norm : Residuals::pre_norm;
  if (c.text_or("layer_norm_type", "rms") != "rms")
    c.problem("unknown-variant", "layer_norm_type", "Molmo with a layer norm other than 'rms' is not known");
  if (c.flag("weight_tying", false) || read_tied(f, false))
    c.problem("unknown-variant", "weight_tying", "Molmo with a tied embedding is not known");
  c.understood({"clip_qkv", "use_position_ids", "layer_norm_eps", "max_position_embeddings"});
  if (c.has("moe_num_experts") || c.has("num_experts"))
    c.problem("unknown-variant", "model_type", "Molmo with experts is not known");
  if (!f.ok()) return;
  const MlpPart mlp = mlp_of(s.width, both / 2);
  describe_tower(f, both / 2, s.width);
  describe_embedding(f, rows, s.width, "wte.embedding");
  constexpr std::int64_t kMore = 128;  // rows for the tokens of images
  f.sink.add(parameter("wte.new_embedding", kMore * s.width, 0, Component::embed));
  {
    const Scope layers(f.sink, "blocks", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .residuals = norms});
  }
  describe_head(f, NormKind::rms, s.width, rows, false);
}

}  // namespace

extern const FamilyDef k_molmo;
const FamilyDef k_molmo = {"molmo",
                           "Molmo: CLIP's tower at two layers, pooling by attention over four patches, a gated "
                           "projector, a Qwen 2 or OLMo text model",
                           "allenai/Molmo-7B-D-0924 modeling_molmo.py; 2409.17146",
                           kTypes,
                           kArchitectures,
                           build<describe_molmo>};

}  // namespace floptally::families
