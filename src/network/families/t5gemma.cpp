#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"t5gemma", "t5gemma2"};
constexpr std::string_view kArchitectures[] = {"T5GemmaForConditionalGeneration", "T5GemmaModel", "T5GemmaEncoderModel",
                                               "T5Gemma2ForConditionalGeneration", "T5Gemma2Model"};

struct Half {
  TextSizes sizes;
  AttentionPart full, windowed;
  MlpPart mlp;
  std::vector<std::uint8_t> sliding;
  std::int64_t tokens = 1, memory = 0, memory_width = 0;
};

// Gemma 2's layers (T5Gemma) or Gemma 3's (the second), of one half.
Half read_half(Family& outer, const Keys& c, bool second, bool encoder) {
  constexpr TextSizes kPublished{2304, 26, 8, 4, 256, 256000};
  Family f{c, outer.inputs, outer.sink};
  Half h;
  TextSizes& s = h.sizes;
  s.width = c.assume("hidden_size", kPublished.width);
  s.layers = c.assume("num_hidden_layers", kPublished.layers);
  s.heads = c.assume("num_attention_heads", kPublished.heads);
  s.kv_heads = c.assume("num_key_value_heads", kPublished.kv_heads);
  s.head_dim = c.assume("head_dim", kPublished.head_dim);
  // The vocabulary of the whole rules over its halves'.
  s.vocabulary = outer.config.has("vocab_size") ? outer.config.size("vocab_size")
                                                : c.assume("vocab_size", second ? 262208 : kPublished.vocabulary);
  c.understood({"vocab_size"});
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  h.full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(h.full, bias, bias);
  if (second) h.full.qk_norm = QkNorm::per_head;
  if (encoder) h.full.mask = AttentionMask::none;
  h.windowed = h.full;
  const std::int64_t window = c.assume("sliding_window", 4096);
  if (encoder) {
    h.windowed.mask = AttentionMask::window_both;
    h.windowed.span = second ? window / 2 : window - 1;
  } else {
    set_window(h.windowed, window);
  }
  h.mlp = mlp_of(s.width, c.assume("intermediate_size", 9216), Activation::gelu);
  h.sliding = kinds_named(f, s.layers, "layer_types", "sliding",
                          [&](std::int64_t i) { return second ? (i + 1) % 6 != 0 : i % 2 == 0; });
  c.understood({"hidden_activation", "query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping",
                "max_position_embeddings", "dropout_rate", "tie_word_embeddings", "cross_attention_hidden_size",
                "use_bidirectional_attention", "rope_local_base_freq"});
  return h;
}

// T5Gemma 2 attends to both halves in one softmax: the keys and values of the encoder come out of the same matrices.
void describe_merged(Family& f, const Half& h, const AttentionPart& a) {
  const Scope scope(f.sink, "cross");
  const std::int64_t width = h.sizes.kv_heads * h.sizes.head_dim;
  for (const std::string_view name : {"k_proj", "v_proj"})
    f.sink.add(column_linear(name, h.memory, h.sizes.width, width, a.k_bias, Component::projection)
                   .with(op_flags::tied | op_flags::shared_input));
  f.sink.add(rms_norm("k_norm", h.memory * h.sizes.kv_heads, h.sizes.head_dim).with(op_flags::tied));
  AttentionShape shape;
  shape.queries = h.tokens;
  shape.keys = h.memory;
  shape.heads = h.sizes.heads;
  shape.kv_heads = h.sizes.kv_heads;
  shape.key_dim = shape.value_dim = h.sizes.head_dim;
  shape.mask = AttentionMask::none;
  f.sink.add(attention("attention", shape));
}

void describe_half(Family& f, const Half& h, bool second, std::string_view name) {
  const std::int64_t tokens = h.tokens, width = h.sizes.width;
  const Scope scope(f.sink, name);
  const auto normed = [&](std::string_view which) { f.sink.add(rms_norm(which, tokens, width)); };
  describe_layers(f.sink, h.sliding, [&](std::uint8_t sliding) {
    const AttentionPart& attention = sliding != 0 ? h.windowed : h.full;
    normed("pre_self_attn_layernorm");
    describe_attention(attention, tokens, f.sink);
    if (h.memory > 0 && second) describe_merged(f, h, attention);
    normed("post_self_attn_layernorm");
    f.sink.add(residual(tokens * width));
    if (h.memory > 0 && !second) {
      CrossAttentionPart cross;
      cross.name = "cross_attn";
      cross.width = width;
      cross.memory_width = h.memory_width;
      cross.heads = h.sizes.heads;
      cross.kv_heads = h.sizes.kv_heads;
      cross.head_dim = h.sizes.head_dim;
      cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = attention.q_bias;
      normed("pre_cross_attn_layernorm");
      describe_cross_attention(cross, tokens, h.memory, f.sink);
      normed("post_cross_attn_layernorm");
      f.sink.add(residual(tokens * width));
    }
    normed("pre_feedforward_layernorm");
    describe_mlp(h.mlp, tokens, f.sink);
    normed("post_feedforward_layernorm");
    f.sink.add(residual(tokens * width));
  });
  normed("norm");
}

void describe_eyes(Family& f, const Keys& encoder, std::int64_t width) {
  const Keys v = encoder.child("vision_config");
  const VisionSizes z = read_vision(v, {768, 12, 12, 3072, 3, 224, 16});
  const std::int64_t soft_tokens = encoder.size_or("mm_tokens_per_image", 256);
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  describe_siglip_tower(images, z, v.flag("vision_use_head", true));
  const Scope projector(images, "projector");
  images.add(rms_norm("mm_soft_emb_norm", soft_tokens, z.width));
  images.add(linear("mm_input_projection", soft_tokens, z.width, width));
}

void describe_task(Family& f, const Half& h, TaskHead task) {
  if (task == TaskHead::language)
    return describe_head(f, NormKind::none, h.sizes.width, h.sizes.vocabulary, read_tied(f, true));
  if (task == TaskHead::none) return;
  const std::int64_t rows = task == TaskHead::tagger ? h.tokens : 1;
  f.sink.add(linear("score.out_proj", rows, h.sizes.width, label_count(f.config), true, Component::head));
}

void describe_t5gemma(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool second = c.text_or("model_type", named.starts_with("T5Gemma2") ? "t5gemma2" : "t5gemma") == "t5gemma2";
  const bool encoder_only = named.ends_with("EncoderModel") || !c.flag("is_encoder_decoder", true);
  const Keys outer = c.child("encoder"), inner = second ? outer.child("text_config") : outer;
  if (!outer.present() || (!encoder_only && !c.has("decoder")))
    c.problem("missing-key", "encoder", "the config must have 'encoder' and 'decoder'");
  Half encoder = read_half(f, inner, second, true);
  Half decoder = encoder_only ? encoder : read_half(f, c.child("decoder"), second, false);
  const TaskHead task = named.ends_with("EncoderModel") ? TaskHead::none : task_head(f);
  if (task == TaskHead::spans || task == TaskHead::reward)
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  c.understood({"classifier_dropout_rate", "dropout_rate", "vocab_size", "tie_word_embeddings", "eoi_token_index"});
  outer.understood({"boi_token_index", "eoi_token_index", "mm_tokens_per_image"});
  f.sequence(inner.size_or("max_position_embeddings", 8192));
  if (!f.ok()) return;
  encoder.tokens = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  decoder.tokens = encoder_only ? encoder.tokens : f.tokens;
  decoder.memory = encoder.tokens;
  decoder.memory_width = encoder.sizes.width;
  f.sink.add(embedding("encoder.embed_tokens", encoder.tokens, encoder.sizes.vocabulary, encoder.sizes.width));
  if (second) {
    f.sink.add(parameter("eoi_embedding", encoder.sizes.width, 0, Component::embed));
    describe_eyes(f, outer, encoder.sizes.width);
  }
  describe_half(f, encoder, second, "encoder");
  if (!encoder_only) {
    const Op table = embedding("decoder.embed_tokens", f.tokens, decoder.sizes.vocabulary, decoder.sizes.width);
    f.sink.add(second ? Op(table).with(op_flags::tied) : table);
    describe_half(f, decoder, second, "decoder");
  }
  describe_task(f, decoder, encoder_only && task == TaskHead::language ? TaskHead::none : task);
}

}  // namespace

extern const FamilyDef k_t5gemma;
const FamilyDef k_t5gemma = {
    "t5gemma",
    "T5Gemma and T5Gemma 2: encoder and decoder of Gemma 2's or Gemma 3's layers; the second sees, and attends to both "
    "halves at once",
    "huggingface/transformers models/t5gemma/modeling_t5gemma.py, models/t5gemma2; 2504.06225",
    kTypes,
    kArchitectures,
    build<describe_t5gemma>};

}  // namespace floptally::families
