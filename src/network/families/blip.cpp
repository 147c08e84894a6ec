#include "network/families/_encoder.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"blip"};
constexpr std::string_view kArchitectures[] = {"BlipForConditionalGeneration", "BlipForQuestionAnswering", "BlipModel"};

struct Text {
  EncoderLayerPart layer;
  std::int64_t layers = 12, vocabulary = 30524, positions = 512, seen = 768;
};

Text read_text(const Keys& c) {
  Text t;
  t.layer = {.width = c.assume("hidden_size", 768),
             .heads = c.assume("num_attention_heads", 8),
             .ffn = c.assume("intermediate_size", 3072),
             .post_norm = true,
             .activation = c.config().activation({"hidden_act"}, "gelu")};
  t.layers = c.assume("num_hidden_layers", 12);
  t.vocabulary = c.assume("vocab_size", 30524);
  t.positions = c.assume("max_position_embeddings", 512);
  t.seen = c.size_or("encoder_hidden_size", 768);
  c.divides("num_attention_heads", t.layer.heads, "hidden_size", t.layer.width);
  c.understood({"projection_dim", "label_smoothing", "hidden_dropout_prob", "bos_token_id", "sep_token_id"});
  return t;
}

// BERT's layers with cross-attention to the image in each.
void describe_text(Family& f, const Text& t, std::string_view name, bool causal, std::int64_t memory) {
  const std::int64_t width = t.layer.width, tokens = f.tokens;
  const Scope scope(f.sink, name);
  f.sink.add(embedding("word_embeddings", tokens, t.vocabulary, width));
  f.sink.add(position_table("position_embeddings", tokens, t.positions, width));
  f.sink.add(layer_norm("LayerNorm", tokens, width));
  const Scope layers(f.sink, "layer", t.layers, BlockKind::layer);
  AttentionPart self;
  self.width = width;
  self.heads = self.kv_heads = t.layer.heads;
  self.head_dim = width / t.layer.heads;
  self.rotary_dim = 0;
  self.mask = causal ? AttentionMask::causal : AttentionMask::none;
  set_bias(self, true, true);
  CrossAttentionPart cross;
  cross.name = "crossattention";
  cross.width = width;
  cross.memory_width = t.seen;
  cross.heads = cross.kv_heads = t.layer.heads;
  cross.head_dim = self.head_dim;
  cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
  const auto normed = [&](std::string_view which) {
    f.sink.add(residual(tokens * width));
    f.sink.add(layer_norm(which, tokens, width));
  };
  describe_attention(self, tokens, f.sink);
  normed("attention.LayerNorm");
  RepeatedSink seeing(f.sink, memory > 0 ? 1 : 0);
  describe_cross_attention(cross, tokens, memory, seeing);
  if (memory > 0)
    normed("crossattention.LayerNorm");
  else
    seeing.add(layer_norm("crossattention.LayerNorm", tokens, width));
  describe_mlp(mlp_of(width, t.layer.ffn, t.layer.activation, false, true), tokens, f.sink);
  normed("output.LayerNorm");
}

void describe_blip(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config"), text = c.child("text_config");
  if (!v.present()) c.size("vision_config");
  const std::string_view named = f.architecture();
  const bool model = named.ends_with("Model"), answers = named.ends_with("ForQuestionAnswering");
  if (!named.empty() && !model && !answers && !named.ends_with("ForConditionalGeneration"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 384, 16});
  Text t = read_text(text);
  t.seen = z.width;  // whatever 'encoder_hidden_size' says: the class sets it so
  const std::int64_t shared = model ? c.assume("projection_dim", 512) : c.size_or("projection_dim", 512);
  c.understood({"logit_scale_init_value", "image_text_hidden_size", "label_smoothing", "initializer_factor"});
  f.sequence(t.positions);
  if (!f.ok()) return;
  // Captions are read off an image: it is seen once for every text.
  describe_blip_tower(f.sink, z, true);
  const std::int64_t memory = z.patches() + 1;
  if (model) {
    describe_text(f, t, "text_model", false, 0);
    f.sink.add(linear("pooler", 1, t.layer.width, t.layer.width, true, Component::head));
    f.sink.add(linear("visual_projection", 1, z.width, shared, false, Component::head));
    f.sink.add(linear("text_projection", 1, t.layer.width, shared, false, Component::head));
    return f.sink.add(parameter("logit_scale", 1, 1));
  }
  if (answers) describe_text(f, t, "text_encoder", false, memory);
  describe_text(f, t, "text_decoder", true, memory);
  describe_masked_head(f, t.layer.width, t.layer.width, t.vocabulary);
}

}  // namespace

extern const FamilyDef k_blip;
const FamilyDef k_blip = {"blip",
                          "BLIP: an image tower and BERT's layers that read it, to caption, to answer or to compare",
                          "huggingface/transformers models/blip/modeling_blip.py; 2201.12086",
                          kTypes,
                          kArchitectures,
                          build<describe_blip>};

}  // namespace floptally::families
