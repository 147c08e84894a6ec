#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"blip-2", "instructblip", "instructblipvideo"};
constexpr std::string_view kArchitectures[] = {"Blip2ForConditionalGeneration", "InstructBlipForConditionalGeneration"};

struct Former {
  std::int64_t width = 768, layers = 12, heads = 12, ffn = 3072, every = 2, queries = 32;
  std::int64_t words = 0, positions = 512;  // InstructBLIP's reads the instruction, too
};

// The words beside the queries, with a feed-forward of their own in each layer. How long the instruction is, is not in
// the config: its parameters count, its FLOP do not.
void describe_words(Sink& sink, const Former& q) {
  RepeatedSink idle(sink, 0);
  idle.add(embedding("word_embeddings", 1, q.words, q.width));
  idle.add(position_table("position_embeddings", 1, q.positions, q.width));
  const Scope layers(idle, "layer", q.layers, BlockKind::layer);
  describe_mlp(mlp_of(q.width, q.ffn, Activation::gelu, false, true), 1, idle);
  idle.add(layer_norm("output.LayerNorm", 1, q.width));
}

// Post-norm layers over the queries; every second one reads the image.
void describe_former(Sink& sink, const Former& q, std::int64_t memory, std::int64_t memory_width) {
  const Scope scope(sink, "qformer");
  sink.add(parameter("query_tokens", q.queries * q.width, q.queries * q.width, Component::embed));
  sink.add(layer_norm("layernorm", q.queries, q.width));
  if (q.words > 0) describe_words(sink, q);
  AttentionPart self;
  self.width = q.width;
  self.heads = self.kv_heads = q.heads;
  self.head_dim = q.width / q.heads;
  self.mask = AttentionMask::none;
  self.rotary_dim = 0;
  set_bias(self, true, true);
  CrossAttentionPart cross;
  cross.name = "crossattention";
  cross.width = q.width;
  cross.memory_width = memory_width;
  cross.heads = cross.kv_heads = q.heads;
  cross.head_dim = self.head_dim;
  cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
  for (std::int64_t i = 0; i < q.layers; ++i) {
    const Scope layer(sink, "layer", 1, BlockKind::layer);
    describe_attention(self, q.queries, sink);
    sink.add(residual(q.queries * q.width));
    sink.add(layer_norm("attention.LayerNorm", q.queries, q.width));
    if (i % q.every == 0) {
      describe_cross_attention(cross, q.queries, memory, sink);
      sink.add(residual(q.queries * q.width));
      sink.add(layer_norm("crossattention.LayerNorm", q.queries, q.width));
    }
    describe_mlp(mlp_of(q.width, q.ffn, Activation::gelu, false, true), q.queries, sink);
    sink.add(residual(q.queries * q.width));
    sink.add(layer_norm("output_query.LayerNorm", q.queries, q.width));
  }
}

void describe_blip2(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config"), q = c.child("qformer_config"), t = c.child("text_config");
  const VisionSizes z = read_vision(v, {1408, 39, 16, 6144, 3, 224, 14});
  const bool bias = v.flag("qkv_bias", true);
  const bool reads = c.text_or("model_type", "blip-2").starts_with("instructblip");
  Former former{q.assume("hidden_size", 768),
                q.assume("num_hidden_layers", 12),
                q.assume("num_attention_heads", 12),
                q.assume("intermediate_size", 3072),
                q.assume("cross_attention_frequency", 2),
                c.assume("num_query_tokens", 32)};
  if (reads) {
    former.words = q.assume("vocab_size", 30522);
    former.positions = q.assume("max_position_embeddings", 512);
  }
  const std::int64_t seen = q.size_or("encoder_hidden_size", 1408);
  q.understood({"vocab_size", "max_position_embeddings", "position_embedding_type", "hidden_act",
                "use_qformer_text_input", "classifier_dropout"});
  v.understood({"initializer_range", "num_channels"});
  if (q.flag("use_qformer_text_input", false))
    q.problem("unknown-variant", "use_qformer_text_input", "a Q-Former that reads text is not known");
  if (seen != z.width)
    q.problem("shape-range", "encoder_hidden_size", "'encoder_hidden_size' must be the tower's width");
  const std::int64_t text = t.has("hidden_size") ? t.size("hidden_size") : t.has("d_model") ? t.size("d_model") : 768;
  c.understood({"use_decoder_only_language_model", "image_text_hidden_size", "num_query_tokens"});
  if (const std::string_view named = f.architecture();
      !named.empty() && !named.ends_with("ForConditionalGeneration") && !(reads && named.ends_with("Model")))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  q.divides("num_attention_heads", former.heads, "hidden_size", former.width);
  if (former.layers > 1000) q.problem("out-of-range", "num_hidden_layers", "a Q-Former of more than 1000 layers");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t tokens = z.patches() + 1;
    describe_blip_tower(images, z, bias);
    describe_former(images, former, tokens, z.width);
    images.add(linear("language_projection", former.queries, former.width, text, true));
  }
  describe_nested(f, "text_config", "opt");
}

}  // namespace

extern const FamilyDef k_blip2;
const FamilyDef k_blip2 = {
    "blip2",
    "BLIP-2 and InstructBLIP: an image tower, queries that read it (Q-Former), one linear layer, a language model",
    "huggingface/transformers models/blip_2/modeling_blip_2.py, models/instructblip; 2301.12597",
    kTypes,
    kArchitectures,
    build<describe_blip2>};

}  // namespace floptally::families
