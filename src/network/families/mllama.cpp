#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mllama"};
constexpr std::string_view kArchitectures[] = {"MllamaForConditionalGeneration"};

struct Tower {
  std::int64_t width = 0, heads = 0, layers = 0, global_layers = 0, ffn = 0, channels = 3, image = 0, patch = 1,
               tiles = 0, ratios = 0, joined = 0;
  [[nodiscard]] std::int64_t tokens() const { return (image / patch) * (image / patch) + 1; }
};

Tower read_tower(Family& f) {
  const Keys v = f.config.child("vision_config");
  Tower t;
  t.width = v.assume("hidden_size", 1280);
  t.heads = v.assume("attention_heads", 16);
  t.layers = v.assume("num_hidden_layers", 32);
  t.global_layers = v.assume("num_global_layers", 8);
  t.ffn = v.assume("intermediate_size", 5120);
  t.channels = v.assume("num_channels", 3);
  t.image = v.assume("image_size", 448);
  t.patch = v.assume("patch_size", 14);
  t.tiles = v.assume("max_num_tiles", 4);
  t.ratios = v.has("supported_aspect_ratios") ? static_cast<std::int64_t>(v.node("supported_aspect_ratios").size()) : 8;
  const std::int64_t kept = v.has("intermediate_layers_indices")
                                ? static_cast<std::int64_t>(v.node("intermediate_layers_indices").size())
                                : 5;
  t.joined = v.size_or("vision_output_dim", t.width * (1 + kept));
  v.understood({"supported_aspect_ratios", "intermediate_layers_indices", "hidden_act", "attention_heads"});
  v.divides("attention_heads", t.heads, "hidden_size", t.width);
  if (t.image < t.patch) v.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  return t;
}

void describe_tower(Family& f, const Tower& t, std::int64_t count, std::int64_t text_width) {
  RepeatedSink images(f.sink, count);
  const std::int64_t tokens = t.tiles * t.tokens(), ids = t.ratios + 1;
  {
    const Scope scope(images, "vision_tower");
    images.add(patch_embedding("patch_embedding", t.channels, t.width, t.patch * t.patch, tokens - t.tiles, false));
    images.add(parameter("class_embedding", t.width, t.tiles * t.width, Component::embed));
    images.add(position_table("pre_tile_positional_embedding", t.tiles, ids * t.tiles, t.width));
    images.add(position_table("positional_embedding", t.tokens(), t.tokens(), t.width));
    images.add(position_table("tile_positional_embedding", tokens, ids * tokens, t.width));
    images.add(position_table("post_tile_positional_embedding", t.tiles, ids * t.tiles, t.width));
    images.add(parameter("gates", 3, 3 * t.width, Component::position));
    images.add(layer_norm("layernorm_pre", tokens, t.width));
    const EncoderLayerPart layer{
        .width = t.width, .heads = t.heads, .ffn = t.ffn, .qkv_bias = false, .out_bias = false};
    {
      const Scope local(images, "layers", t.layers, BlockKind::layer);
      describe_encoder_layer(layer, tokens, images);
    }
    images.add(layer_norm("layernorm_post", tokens, t.width));
    const Scope global(images, "global_layers", t.global_layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, images);
    images.add(learned_scale("gates", 2, 2 * tokens * t.width));
  }
  images.add(linear("multi_modal_projector", tokens, t.joined, text_width, true));
}

void describe_crossing(Sink& sink, const TextSizes& s, const MlpPart& mlp, std::int64_t tokens, std::int64_t memory) {
  sink.add(rms_norm("input_layernorm", tokens, s.width));
  CrossAttentionPart cross;
  cross.name = "cross_attn";
  cross.width = cross.memory_width = s.width;
  cross.heads = s.heads;
  cross.kv_heads = s.kv_heads;
  cross.head_dim = s.head_dim;
  cross.qk_norm = QkNorm::per_head;
  describe_cross_attention(cross, tokens, memory, sink);
  sink.add(residual(tokens * s.width));
  sink.add(rms_norm("post_attention_layernorm", tokens, s.width));
  describe_mlp(mlp, tokens, sink);
  sink.add(learned_scale("gates", 2, 2 * tokens * s.width));
  sink.add(residual(tokens * s.width));
}

void describe_mllama(Family& f) {
  const Tower tower = read_tower(f);
  const Keys t = f.config.child("text_config");
  Family text{t, f.inputs, f.sink};
  text.outer = f.architecture();
  if (text.outer.ends_with("ForCausalLM"))
    f.config.problem("unknown-variant", "architectures", "the text model alone is not known under this model_type");
  const TextSizes s = read_text_sizes(text);
  f.tokens = text.tokens;
  const AttentionPart attention = attention_of(s);
  const MlpPart mlp = mlp_of(s.width, t.size("intermediate_size"), read_activation(text, Activation::silu));
  const bool tied = read_tied(text, false);
  std::vector<std::uint8_t> kinds = layer_kinds(text, s.layers);
  if (!t.has("cross_attention_layers"))
    t.problem("missing-key", "cross_attention_layers",
              "the config has no 'cross_attention_layers' (which layers see the image)");
  at_listed(t.node("cross_attention_layers"), kinds.size(), [&](std::size_t i) { kinds[i] = 1; });
  f.config.understood({"image_token_index"});
  if (!f.ok()) return;
  const std::int64_t images = images_per_sample(f),
                     memory = std::max<std::int64_t>(1, images * tower.tiles * tower.tokens());
  describe_tower(f, tower, images, s.width);
  constexpr std::int64_t kSpecial = 8;  // rows of the table for image tokens, which are never said
  describe_embedding(f, s.vocabulary + kSpecial, s.width);
  describe_layers(f.sink, kinds, [&](std::uint8_t crosses) {
    if (crosses == 0) return describe(text, {.attention = &attention, .mlp = &mlp});
    RepeatedSink seeing(f.sink, images > 0 ? 1 : 0);  // skipped where there is no image
    describe_crossing(seeing, s, mlp, f.tokens, memory);
  });
  describe_head(text, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_mllama;
const FamilyDef k_mllama = {
    "mllama",
    "Llama 3.2 Vision: a tower over tiles with gated position tables, gated cross-attention layers among Llama's",
    "huggingface/transformers models/mllama/modeling_mllama.py; 2407.21783",
    kTypes,
    kArchitectures,
    build<describe_mllama>};

}  // namespace floptally::families
